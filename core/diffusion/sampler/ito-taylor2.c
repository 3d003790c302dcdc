/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stochastic Itô–Taylor scheme of second order with ideal derivatives (Tachibana et al. 2021, arXiv 2112.13339) on
 * the reverse SDE of the chosen process, in its own time and coordinates X = α·x. With h = t − t', reverse drift
 * b = −f·X + g²·s and s the score of X,
 *   X' = X + h·b + h²/2·L⁰b + g·ΔW + L¹b·ΔZ + ġ·(h·ΔW − ΔZ)
 * where ΔW = √h·z1, ΔZ = ∫W = h^(3/2)·(z1 + z2/√3)/2. What L⁰ and L¹ differentiate is the ideal score
 * −(X − α·x0)/v, v = α²·σ², of one fixed picture x0 = D, by which L⁰b = (f' + f²)·X − (g²)'·s, L¹b = −g·(f + g²/v), and
 * ġ = −(g²)'/(2g): for VP (f = −β/2, g² = β) the paper's ρ, μ and its two noises. Processes do not give the derivatives
 * f' and (g²)': they are central differences over 10⁻⁵ of the process' time.
 * Ideal derivatives leave out how D itself changes with X and t: second order holds for a single point of data, on
 * wider data the law is of first order, like ddpm's (measured in tests/diffusion/stochastic.c). Conventions: no first
 * step of its own; the last, to σ = 0, returns D.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/variance.h"
#include "core/ops/ops.h"

/* of(t)' within t ≥ 0. */
static double
derivative (const SumiProcessClass *p, double (*of) (double t), double t)
{
  const double step = 1e-5 * p->t_max, low = t > 0 ? MAX (t - step, 0) : t - step, high = t + step;

  return (of (high) - of (low)) / (high - low);
}

static void
ito_taylor2_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const SumiProcessClass *p = s->process;
  SumiInstant now;
  double t_next, alpha_next, h, f1, g1, score, keep, g, along, turn, w, z;

  if (sumi_step_ends (s, ev, x) || s->sigma <= s->sigma_next)
    return;
  now = sumi_process_instant (p, s->sigma);
  t_next = p->time (s->sigma_next);
  alpha_next = p->alpha (t_next);
  h = now.t - t_next;
  f1 = derivative (p, p->drift, now.t);
  g1 = derivative (p, p->diffusion, now.t);
  g = sqrt (now.g2);
  keep = 1 - h * now.drift + h * h / 2 * (f1 + now.drift * now.drift);
  /* what multiplies s = (D − x)/(α·σ²), over α' */
  score = (h * now.g2 - h * h / 2 * g1) / (now.alpha * s->sigma * s->sigma * alpha_next);
  along = -g * (now.drift + now.g2 / (now.std * now.std)); /* L¹b */
  turn = g > 0 ? -g1 / (2 * g) : 0;                        /* ġ */
  w = g * sqrt (h) + h * sqrt (h) / 2 * (along + turn);
  z = h * sqrt (h) / (2 * sqrt (3)) * (along - turn);
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_lincomb (ev, now.alpha / alpha_next * keep - score, x, score, s->x0, w / alpha_next,
                sumi_step_noise (s, ev, x, 0), x);
  sumi_lincomb (ev, 1, x, z / alpha_next, sumi_step_noise (s, ev, x, 1), 0, NULL, x);
}

const SumiSamplerClass sumi_sampler_ito_taylor2 = {
  .key = "ito-taylor2",
  .label = N_ ("Itô–Taylor 2"),
  .blurb = N_ ("The reverse SDE with second-order terms at one call a step; 50 to 200 steps"),
  .paper = "Tachibana et al. 2021, arXiv 2112.13339",
  .calls = 1,
  .stochastic = TRUE,
  .step = ito_taylor2_step,
};
