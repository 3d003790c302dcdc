/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Euler's method on the probability-flow ODE dx/dσ = (x − D(x; σ)) / σ (Karras et al. 2022, arXiv 2206.00364, eq. 4).
 * Convention at the ends: the last step, to σ = 0, is Euler's too: it returns D.
 *
 * The exemplar of a sampler: a step takes x from σ to σ_next, asks the denoiser through sumi_denoise(), writes x in
 * place, and leaves its newest D in x0 for the preview. Everything else (noise levels, churn, cancel) is the loop's.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

static void
euler_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const double ratio = s->sigma_next / s->sigma;

  if (sumi_step_edge (s, ev, x))
    return;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  /* x + (σ' − σ)·(x − x0)/σ, gathered */
  sumi_lincomb (ev, ratio, x, 1 - ratio, s->x0, 0, NULL, x);
}

const SumiSamplerClass sumi_sampler_euler = {
  .key = "euler",
  .label = N_ ("Euler"),
  .blurb = N_ ("Plain and steady; a base line for the others"),
  .paper = "Karras et al. 2022, arXiv 2206.00364, eq. 4",
  .order = 1,
  .calls = 1,
  .step = euler_step,
};
