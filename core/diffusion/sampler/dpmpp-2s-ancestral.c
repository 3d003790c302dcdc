/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DPM-Solver++(2S), Lu et al. 2022 (arXiv 2211.01095), algorithm 1 with r = 1/2, down to σ_down, then fresh noise up to
 * σ_next, as k-diffusion's sample_dpmpp_2s_ancestral. In λ = −ln σ the middle lies at √(σ·σ_down). η = 0 is second
 * order. Conventions, k-diffusion's: no first step of its own; where σ_down is 0, so in the last step, Euler's, which
 * then returns D.
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
dpmpp_2s_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const SumiAncestral *o = s->options;
  const SumiTensor *x0;
  double down, up;

  if (sumi_step_ends (s, ev, x))
    return;
  sumi_ancestral_split (s->sigma, s->sigma_next, o->eta, &down, &up);
  x0 = s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  if (down > 0)
    {
      /* e^(−h/2), h = ln (σ/σ_down) */
      const double half = sqrt (down / s->sigma);
      SumiTensor *middle = sumi_lincomb (ev, half, x, 1 - half, x0, 0, NULL, NULL);

      s->x0 = sumi_denoise (s->denoiser, ev, middle, s->sigma * half);
      sumi_lincomb (ev, down / s->sigma, x, 1 - down / s->sigma, s->x0, 0, NULL, x);
    }
  else
    sumi_copy (ev, x0, x);
  if (up > 0)
    sumi_lincomb (ev, 1, x, up * o->s_noise, sumi_step_noise (s, ev, x, 0), 0, NULL, x);
}

const SumiSamplerClass sumi_sampler_dpmpp_2s_ancestral = {
  .key = "dpmpp-2s-ancestral",
  .label = N_ ("DPM-Solver++ (2S) ancestral"),
  .blurb = N_ ("Two calls a step and fresh noise; crisp at 10 to 20 steps"),
  .paper = "Lu et al. 2022, arXiv 2211.01095, algorithm 1",
  .calls = 2,
  .stochastic = TRUE,
  .options = sumi_ancestral_options,
  .options_size = sizeof (SumiAncestral),
  .step = dpmpp_2s_step,
};
