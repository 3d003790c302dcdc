/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The midpoint rule of DPM-Solver-2 (Karras et al. 2022, algorithm 2 variant of k-diffusion: sample_dpm_2_ancestral)
 * down to σ_down, then fresh noise up to σ_next. The midpoint lies at √(σ·σ_down). η = 0 is dpm2, second order.
 * Conventions, k-diffusion's: no first step of its own; where σ_down is 0, so in the last step, Euler's, which then
 * returns D.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/variance.h"
#include "core/ops/ops.h"

static void
dpm2_ancestral_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const SumiAncestral *o = s->options;
  const SumiTensor *x0;
  SumiTensor *middle;
  double down, up, sigma_middle;

  if (sumi_step_ends (s, ev, x))
    return;
  sumi_ancestral_split (s->sigma, s->sigma_next, o->eta, &down, &up);
  sigma_middle = sqrt (s->sigma * down);
  x0 = s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  if (down > 0)
    {
      const double ratio = sigma_middle / s->sigma, slope = (down - s->sigma) / sigma_middle;

      middle = sumi_lincomb (ev, ratio, x, 1 - ratio, x0, 0, NULL, NULL);
      s->x0 = sumi_denoise (s->denoiser, ev, middle, sigma_middle);
      sumi_lincomb (ev, 1, x, slope, middle, -slope, s->x0, x);
    }
  else
    sumi_copy (ev, x0, x);
  if (up > 0)
    sumi_lincomb (ev, 1, x, up * o->s_noise, sumi_step_noise (s, ev, x, 0), 0, NULL, x);
}

const SumiSamplerClass sumi_sampler_dpm2_ancestral = {
  .key = "dpm2-ancestral",
  .label = N_ ("DPM2 ancestral"),
  .blurb = N_ ("As Euler ancestral with a midpoint: two calls a step, closer at the same number of steps"),
  .paper = "k-diffusion, Crowson 2022; Karras et al. 2022, arXiv 2206.00364",
  .calls = 2,
  .stochastic = TRUE,
  .options = sumi_ancestral_options,
  .options_size = sizeof (SumiAncestral),
  .step = dpm2_ancestral_step,
};
