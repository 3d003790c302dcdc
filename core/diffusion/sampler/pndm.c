/* SPDX-License-Identifier: GPL-3.0-or-later */
/* F-PNDM (Liu et al. 2022, arXiv 2202.09778, algorithm 2), as diffusers' PNDMScheduler: three pseudo Runge–Kutta steps
 * of four calls, then Adams and Bashforth's four values of the noise ε, each with a DDIM step, which is Euler's step in
 * σ. Half-way is half-way in the process' time; a discrete table has fractional steps for it. Conventions at the ends:
 * where the list comes to σ = 0 within the first three steps, that step returns D; later the last step is like all
 * others.
 *
 * Of order 2 on every smooth list (the paper's theorem), of order 4 where the steps of σ are equal and time is σ.
 *
 * x: [N, H, W, C]; state[0…3]: ε */
#include <glib/gi18n-lib.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

/* ε of x + (σ_to − σ)·@eps, at σ_to. */
static SumiTensor *
stage (SumiStep *s, SumiEval *ev, SumiTensor *x, SumiTensor *eps, double sigma_to)
{
  SumiTensor *y = sumi_lincomb (ev, 1, x, sigma_to - s->sigma, eps, 0, NULL, NULL);

  s->x0 = sumi_denoise (s->denoiser, ev, y, sigma_to);
  return sumi_lincomb (ev, 1 / sigma_to, y, -1 / sigma_to, s->x0, 0, NULL, y);
}

static void
runge_kutta (SumiStep *s, SumiEval *ev, SumiTensor *x, SumiTensor *eps)
{
  const SumiProcessClass *p = s->process;
  const double half = p->sigma ((p->time (s->sigma) + p->time (s->sigma_next)) / 2);
  const double middle = CLAMP (half, s->sigma_next, s->sigma); /* outside of a table's range time stands still */
  SumiTensor *e2 = stage (s, ev, x, eps, middle), *e3 = stage (s, ev, x, e2, middle);
  SumiTensor *e4 = stage (s, ev, x, e3, s->sigma_next);

  sumi_step_along (s, ev, 4, (const double[]){ 1 / 6.0, 2 / 6.0, 2 / 6.0, 1 / 6.0 },
                   (SumiTensor *const[]){ eps, e2, e3, e4 }, x);
}

static void
pndm_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  SumiHistory noises;
  SumiTensor *eps;

  if (sumi_step_begin (s, ev, x))
    return;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  eps = sumi_step_noise_of (s, ev, x, s->x0);
  sumi_history_push (s, ev, eps, SUMI_HISTORY, &noises);
  if (noises.n == SUMI_HISTORY)
    sumi_step_along (s, ev, noises.n, sumi_adams_bashforth (noises.n), noises.value, x);
  else if (s->sigma_next > 0)
    runge_kutta (s, ev, x, eps);
  else
    sumi_step_along (s, ev, 1, sumi_adams_bashforth (1), &eps, x);
}

const SumiSamplerClass sumi_sampler_pndm = {
  .key = "pndm",
  .label = N_ ("PNDM"),
  .blurb = N_ ("As PLMS, with three careful first steps; for 20 steps and more"),
  .paper = "Liu et al. 2022, arXiv 2202.09778, algorithm 2",
  .order = 2,
  .calls = 1,
  .n_state = SUMI_HISTORY,
  .step = pndm_step,
};
