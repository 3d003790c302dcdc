/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DPM-Solver-1 (Lu et al. 2022, arXiv 2206.00927, eq. 3.7), α = 1, λ = −ln σ: x' = x − σ'(e^h − 1)·ε, which is DDIM,
 * and Euler's step in σ. The last step, to σ = 0, returns D.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

static void
dpm_solver_1_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const double h = log (s->sigma / s->sigma_next);

  if (sumi_step_edge (s, ev, x))
    return;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_lincomb (ev, 1, x, -s->sigma_next * expm1 (h), sumi_step_noise_of (s, ev, x, s->x0), 0, NULL, x);
}

const SumiSamplerClass sumi_sampler_dpm_solver_1 = {
  .key = "dpm-solver-1",
  .label = N_ ("DPM-Solver-1"),
  .blurb = N_ ("First order, the same path as DDIM; a base line for the next two"),
  .paper = "Lu et al. 2022, arXiv 2206.00927, eq. 3.7",
  .order = 1,
  .calls = 1,
  .step = dpm_solver_1_step,
};
