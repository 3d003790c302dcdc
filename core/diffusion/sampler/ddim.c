/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DDIM (Song, Meng, Ermon 2021, arXiv 2010.02502, eq. 12) in variance-exploding coordinates: keep a part of the noise
 * that is in x, renew the rest. churn χ = 0 is deterministic (Euler's step), χ = 1 renews it all (DDPM at its largest
 * variance). The noise after the step is σ' for every χ, but
 * what D has smoothed away is not given back: with χ > 0 results vary less than the data. Unlike the ODE solvers it is
 * defined at σ = 0, where it returns D.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

static void
ddim_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const double keep = s->sigma > 0 ? sqrt (1 - s->churn * s->churn) * s->sigma_next / s->sigma : 0;
  const double fresh = s->churn * s->sigma_next;

  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  if (fresh > 0)
    sumi_lincomb (ev, keep, x, 1 - keep, s->x0, fresh, sumi_step_noise (s, ev, x, 0), x);
  else
    sumi_lincomb (ev, keep, x, 1 - keep, s->x0, 0, NULL, x);
}

const SumiSamplerClass sumi_sampler_ddim = {
  .key = "ddim",
  .label = N_ ("DDIM"),
  .order = 1,
  .own_churn = TRUE,
  .step = ddim_step,
};
