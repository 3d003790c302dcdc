/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DPM-Solver++(2M), Lu et al. 2022 (arXiv 2211.01095), algorithm 2, in variance-exploding coordinates (α = 1,
 * λ = −ln σ): one denoiser call a step, second order from the data prediction of the step before; as
 * k-diffusion's sample_dpmpp_2m. Conventions at the ends: the first step is of first order; so is the last, to σ = 0,
 * where λ' is infinite: it returns D.
 *
 * x: [N, H, W, C]; state[0…1]: D */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

static void
dpmpp_2m_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const double ratio = s->sigma_next / s->sigma;
  SumiHistory all;

  if (sumi_step_edge (s, ev, x))
    return;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_history_push (s, ev, s->x0, 2, &all);
  if (all.n > 1)
    {
      const double h_last = log (all.sigma[1] / s->sigma), h = log (s->sigma / s->sigma_next);
      const double c = h / (2 * h_last); /* 1/(2r) */

      /* D = (1 + c)·x0 − c·x0_last;  x' = (σ'/σ)·x + (1 − σ'/σ)·D */
      sumi_lincomb (ev, ratio, x, (1 - ratio) * (1 + c), s->x0, -(1 - ratio) * c, all.value[1], x);
    }
  else
    sumi_lincomb (ev, ratio, x, 1 - ratio, s->x0, 0, NULL, x);
}

const SumiSamplerClass sumi_sampler_dpmpp_2m = {
  .key = "dpmpp-2m",
  .label = N_ ("DPM-Solver++ (2M)"),
  .blurb = N_ ("Second order at one call a step; the usual choice for 5 to 20 steps"),
  .paper = "Lu et al. 2022, arXiv 2211.01095, algorithm 2",
  .order = 2,
  .calls = 1,
  .n_state = 2,
  .step = dpmpp_2m_step,
};
