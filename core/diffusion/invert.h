/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DDIM run upwards: from a picture to the noise that the sampler ddim (η = 0; euler is the same) makes it from, to be
 * kept and denoised again with another condition. Song, Meng and Ermon 2021 (arXiv 2010.02502), section 4.3, and
 * Dhariwal and Nichol 2021 (arXiv 2105.05233), appendix F. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef struct
{
  /* FALSE: the published approximation, x' = x + (σ' − σ)·ε (x; σ), one call a step; its first step, from σ = 0 where ε
   * does not exist, takes ε (x; σ'). TRUE: x' = x + (σ' − σ)·ε (x'; σ'), solved by iteration: the step of ddim comes
   * back to x but for rounding. */
  gboolean exact;
  double tolerance; /* of the iteration, relative; 0: as near as the type allows */
} SumiInvert;

/* Takes @x [N, H, W, C] from sigmas[@n_steps] (usually 0) up to sigmas[0] in place; it lives outside @ev's scratch.
 * @sigmas: as the loop's. @job: (nullable): progress.
 * Fails as the denoiser does, when cancelled, and with %SUMI_ERROR_NUMBER when the iteration comes to no end. */
gboolean sumi_invert (SumiDenoiser *denoiser,
                      SumiEval *ev,
                      SumiTensor *x,
                      const double *sigmas,
                      int n_steps,
                      const SumiInvert *how,
                      SumiJob *job,
                      GError **error);

G_END_DECLS
