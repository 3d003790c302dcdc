/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DPM-Solver++(2M), Lu et al. 2022 (arXiv 2211.01095), algorithm 2, in variance-exploding coordinates (α = 1,
 * λ = −ln σ): one denoiser call a step, second order from the data prediction of the step before.
 *
 * x: [N, H, W, C]; state[0]: D of the step before */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

static void
dpmpp_2m_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const double ratio = s->sigma_next / s->sigma;
  SumiTensor *x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);

  s->x0 = x0;
  if (s->n_past > 0 && s->past[0] > s->sigma && s->sigma_next > 0)
    {
      const double h_last = log (s->past[0] / s->sigma), h = log (s->sigma / s->sigma_next);
      const double c = h / (2 * h_last); /* 1/(2r) */

      /* D = (1 + c)·x0 − c·x0_last;  x' = (σ'/σ)·x + (1 − σ'/σ)·D */
      sumi_lincomb (ev, ratio, x, (1 - ratio) * (1 + c), x0, -(1 - ratio) * c, s->state[0], x);
    }
  else /* the first step, and the last one, where λ' is infinite: first order */
    sumi_lincomb (ev, ratio, x, 1 - ratio, x0, 0, NULL, x);
  sumi_lincomb (ev, 1, x0, 0, NULL, 0, NULL, s->state[0]);
}

const SumiSamplerClass sumi_sampler_dpmpp_2m = {
  .key = "dpmpp-2m",
  .label = N_ ("DPM-Solver++ (2M)"),
  .blurb = N_ ("Second order at one call a step; the usual choice for 5 to 20 steps"),
  .paper = "Lu et al. 2022, arXiv 2211.01095, algorithm 2",
  .order = 2,
  .calls = 1,
  .n_state = 1,
  .step = dpmpp_2m_step,
};
