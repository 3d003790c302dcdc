/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heun's method on the probability-flow ODE dx/dσ = (x − D(x; σ)) / σ. Karras et al. 2022 (arXiv 2206.00364),
 * algorithm 1. Two denoiser calls a step, one in the last, where σ_next = 0 and the slope there does not exist:
 * that one is Euler's and returns D.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

static void
heun_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const double h = s->sigma_next - s->sigma, ratio = s->sigma_next / s->sigma;
  SumiTensor *x0, *y, *y0, *slopes;

  if (sumi_step_edge (s, ev, x))
    return;
  s->x0 = x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  y = sumi_lincomb (ev, ratio, x, 1 - ratio, x0, 0, NULL, NULL);
  y0 = sumi_denoise (s->denoiser, ev, y, s->sigma_next);
  s->x0 = y0;
  /* x + h/2·((x − x0)/σ + (y − y0)/σ') */
  slopes = sumi_lincomb (ev, -h / (2 * s->sigma), x0, h / (2 * s->sigma_next), y, -h / (2 * s->sigma_next), y0, NULL);
  sumi_lincomb (ev, 1 + h / (2 * s->sigma), x, 1, slopes, 0, NULL, x);
}

const SumiSamplerClass sumi_sampler_heun = {
  .key = "heun",
  .label = N_ ("Heun"),
  .blurb = N_ ("Two calls a step, exact at many steps; for the last bit of quality"),
  .paper = "Karras et al. 2022, arXiv 2206.00364, algorithm 1",
  .order = 2,
  .calls = 2,
  .step = heun_step,
};
