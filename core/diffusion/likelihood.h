/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How likely a picture is to a model: the instantaneous change of variables along the probability-flow ODE (Song et al.
 * 2021, arXiv 2011.13456, section 4.3 and appendix D.2),
 *
 *   ln p (x; σ_min) = ln p (x(σ_max); σ_max) + ∫ div ((x − D)/σ) dσ,   div = (dims − tr ∂D/∂x)/σ,
 *
 * by ode-rk45's solver. The trace is exact, or Skilling's and Hutchinson's estimate vᵀ·(∂D/∂x)ᵀ·v with signs v = ±1,
 * which is exact where ∂D/∂x is diagonal, in one dimension for one. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef struct
{
  double sigma_min, sigma_max; /* of the ODE; x is taken for x0 + σ_min·noise */
  double rtol, atol;           /* of the solver; 0: 1e-5 */
  int n_probes; /* signs to estimate the trace by, each a gradient a call; 0: exact, a gradient a value */
  guint64 seed; /* of the signs, which stay the same along the ODE */
  /* FALSE: p (x; σ_max) is the Gaussian of the data's mean and variance by D (0; σ_max) and the trace there, which
   * leaves no error on Gaussian data; TRUE: N (0, σ_max²), as published figures have it */
  gboolean plain_prior;
} SumiLikelihood;

/* Bits per value of the density of @x, −log2 p/dims, in the units of @x: of a picture in [−1, 1] of 8 bits add log2
 * 127.5 for the published measure. The whole of @x is one sample; of a batch or of small data of a pixel each the
 * result is the mean.
 * @denoiser: with a gradient (vjp). @latent: (nullable): out: like @x: x(σ_max), its encoding.
 * Fails with %SUMI_ERROR_UNSUPPORTED without a gradient, or for an exact trace of more than 4096 values; and as the
 * denoiser does. */
gboolean sumi_likelihood_bits (SumiDenoiser *denoiser,
                               SumiEval *ev,
                               const SumiTensor *x,
                               const SumiLikelihood *how,
                               SumiTensor *latent,
                               double *bits,
                               GError **error);

G_END_DECLS
