/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PLMS, as CompVis' PLMSSampler (and diffusers' PNDMScheduler with skip_prk_steps): Adams and Bashforth's weights of
 * equal steps on the noise ε, and a DDIM step with the result, which is Euler's step in σ. Liu et al. 2022 (arXiv
 * 2202.09778), eq. 11 to 13. Conventions at the ends: the first step is a pseudo improved Euler step of two calls, the
 * next two take two and three values of ε; the last step, to σ = 0, is like all others. Where the first step goes to 0,
 * it returns D, as no slope exists there.
 *
 * Of order 2 on every smooth list, by the paper (the weights are those of equal steps, and ε is taken for constant in
 * the DDIM step); of more where the steps of σ are equal.
 *
 * x: [N, H, W, C]; state[0…3]: ε */
#include <glib/gi18n-lib.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

static void
improved_euler (SumiStep *s, SumiEval *ev, SumiTensor *x, SumiTensor *eps)
{
  SumiTensor *y = sumi_lincomb (ev, 1, x, s->sigma_next - s->sigma, eps, 0, NULL, NULL), *y0, *eps_y;

  y0 = sumi_denoise (s->denoiser, ev, y, s->sigma_next);
  eps_y = sumi_lincomb (ev, 1 / s->sigma_next, y, -1 / s->sigma_next, y0, 0, NULL, NULL);
  s->x0 = y0;
  sumi_step_along (s, ev, 2, (const double[]){ 0.5, 0.5 }, (SumiTensor *const[]){ eps, eps_y }, x);
}

static void
plms_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  SumiHistory noises;
  SumiTensor *eps;

  if (sumi_step_begin (s, ev, x))
    return;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  eps = sumi_step_noise_of (s, ev, x, s->x0);
  sumi_history_push (s, ev, eps, SUMI_HISTORY, &noises);
  if (noises.n == 1 && s->sigma_next > 0)
    improved_euler (s, ev, x, eps);
  else
    sumi_step_along (s, ev, noises.n, sumi_adams_bashforth (noises.n), noises.value, x);
}

const SumiSamplerClass sumi_sampler_plms = {
  .key = "plms",
  .label = N_ ("PLMS"),
  .blurb = N_ ("The first fast sampler of Stable Diffusion; to repeat old results"),
  .paper = "Liu et al. 2022, arXiv 2202.09778, eq. 11",
  .order = 2,
  .calls = 1,
  .n_state = SUMI_HISTORY,
  .step = plms_step,
};
