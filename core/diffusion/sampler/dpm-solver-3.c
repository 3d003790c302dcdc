/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DPM-Solver-3, singlestep (Lu et al. 2022, arXiv 2206.00927, algorithm 2), α = 1, λ = −ln σ, noise prediction ε,
 * r1 = ⅓, r2 = ⅔, in every step of the list. Convention at the ends: the last step, to σ = 0, is of first order: it
 * returns D.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

#define R1 (1 / 3.0)
#define R2 (2 / 3.0)

/* (e^h − 1)/h − 1, which for small h is a difference of nearly the same. */
static double
phi (double h)
{
  return h < 1e-2 ? h / 2 * (1 + h / 3 * (1 + h / 4 * (1 + h / 5 * (1 + h / 6)))) : expm1 (h) / h - 1;
}

/* D = ε (u; σ_u) − ε; u is lost. */
static SumiTensor *
difference (SumiStep *s, SumiEval *ev, SumiTensor *u, double sigma, SumiTensor *eps)
{
  s->x0 = sumi_denoise (s->denoiser, ev, u, sigma);
  return sumi_lincomb (ev, 1 / sigma, u, -1 / sigma, s->x0, -1, eps, u);
}

static void
dpm_solver_3_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const double h = log (s->sigma / s->sigma_next), next = s->sigma_next;
  const double s1 = s->sigma * exp (-R1 * h), s2 = s->sigma * exp (-R2 * h);
  SumiTensor *eps, *d1, *d2;

  if (sumi_step_edge (s, ev, x))
    return;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  eps = sumi_step_noise_of (s, ev, x, s->x0);
  d1 = sumi_lincomb (ev, 1, x, -s1 * expm1 (R1 * h), eps, 0, NULL, NULL);
  d1 = difference (s, ev, d1, s1, eps);
  d2 = sumi_lincomb (ev, 1, x, -s2 * expm1 (R2 * h), eps, -s2 * R2 / R1 * phi (R2 * h), d1, NULL);
  d2 = difference (s, ev, d2, s2, eps);
  sumi_lincomb (ev, 1, x, -next * expm1 (h), eps, -next / R2 * phi (h), d2, x);
}

const SumiSamplerClass sumi_sampler_dpm_solver_3 = {
  .key = "dpm-solver-3",
  .label = N_ ("DPM-Solver-3"),
  .blurb = N_ ("Third order with three calls a step; for many calls, exact to the last bit"),
  .paper = "Lu et al. 2022, arXiv 2206.00927, algorithm 2",
  .order = 3,
  .calls = 3,
  .step = dpm_solver_3_step,
};
