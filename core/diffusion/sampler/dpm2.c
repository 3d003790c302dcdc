/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Midpoint method with the middle in ln σ, inspired by DPM-Solver-2, as k-diffusion's sample_dpm_2. Convention at the
 * ends: the last step, to σ = 0, is Euler's: it returns D, with one call.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

static void
dpm2_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const double middle = sqrt (s->sigma) * sqrt (s->sigma_next), h = s->sigma_next - s->sigma;
  const double ratio = middle / s->sigma;
  SumiTensor *x0, *y, *y0;

  if (sumi_step_edge (s, ev, x))
    return;
  x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  y = sumi_lincomb (ev, ratio, x, 1 - ratio, x0, 0, NULL, NULL);
  s->x0 = y0 = sumi_denoise (s->denoiser, ev, y, middle);
  sumi_lincomb (ev, 1, x, h / middle, y, -h / middle, y0, x);
}

const SumiSamplerClass sumi_sampler_dpm2 = {
  .key = "dpm2",
  .label = N_ ("DPM2"),
  .blurb = N_ ("Two calls a step, the second half-way in the logarithm of the noise; a sharper Heun at low noise"),
  .paper = "Karras et al. 2022, arXiv 2206.00364, algorithm 2, with the midpoint of Lu et al. 2022, arXiv 2206.00927",
  .order = 2,
  .calls = 2,
  .step = dpm2_step,
};
