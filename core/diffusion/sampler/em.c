/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Euler and Maruyama's method on the reverse SDE dX = [f·X − g²·s]·dt + g dw of the chosen process (Song et al. 2021,
 * arXiv 2011.13456, eq. 6; the survey's algorithm 1), in the process' own time and coordinates X = α·x, where the score
 * of X is s = (D − x)/(α·σ²). A reference for the others: first order in law, and far off at few steps.
 * Conventions, score_sde's: no first step of its own; the last, to σ = 0, returns D: its final denoising, where the
 * schedule's last σ stands for the small time at which it stops.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/variance.h"
#include "core/ops/ops.h"

static void
em_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  SumiInstant now;
  double t_next, dt, alpha_next, pull, fresh;

  if (sumi_step_ends (s, ev, x))
    return;
  now = sumi_process_instant (s->process, s->sigma);
  t_next = s->process->time (s->sigma_next);
  dt = t_next - now.t;
  alpha_next = s->process->alpha (t_next);
  /* in x = X/α: x' = α/α'·(1 + f·dt)·x − g²·dt/(α·α'·σ²)·(D − x) + g·√|dt|/α'·z */
  pull = -now.g2 * dt / (now.alpha * alpha_next * s->sigma * s->sigma);
  fresh = sqrt (MAX (-now.g2 * dt, 0)) / alpha_next;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_lincomb (ev, now.alpha / alpha_next * (1 + now.drift * dt) - pull, x, pull, s->x0, fresh,
                fresh > 0 ? sumi_step_noise (s, ev, x, 0) : NULL, x);
}

const SumiSamplerClass sumi_sampler_em = {
  .key = "em",
  .label = N_ ("Euler–Maruyama"),
  .blurb = N_ ("The reverse SDE of the process, step by step; a reference that needs hundreds of steps"),
  .paper = "Song et al. 2021, arXiv 2011.13456, eq. 6",
  .calls = 1,
  .stochastic = TRUE,
  .step = em_step,
};
