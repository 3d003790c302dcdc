/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Annealed Langevin dynamics (Song and Ermon 2019, arXiv 1907.05600, algorithm 1): inner steps at each noise level,
 *   x += a/2·s + √a·z,  a = ε·σ²/σ_min²,  s = (D − x)/σ²,
 * σ_min the smallest level of the list. ε = 0, the default, takes NCSNv2's rule instead (Song and Ermon 2020,
 * arXiv 2006.09011, technique 4): with u = a/(2σ²), γ the ratio of two levels and n inner steps, a single point's
 * residual noise over σ² is (1 − u)^(2n)·(γ² − K) + K, K = 2/(2 − u); u is what brings that nearest to 1. As lists here
 * are not geometric, u is found for each pair of levels.
 * u is at most 1, where a step forgets all but D. Bias: steps of finite length leave more noise than the level has, the
 * more the fewer inner steps there are. Conventions: a step from σ to σ' walks at σ', so that the state is at σ' after
 * it. The walk at the first level, from noise that is that level's already, is left out. The last step, to σ = 0,
 * returns D: the final denoising step of arXiv 2009.05475.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/arena.h"
#include "core/base/option.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/variance.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"

typedef struct
{
  double eps;
  int inner_steps;
} Ald;

static const SumiOption options[] = {
  {
      .key = "eps",
      .label = N_ ("_Step size"),
      .blurb = N_ ("Langevin step at the smallest noise level, in squared units of the data; 0: worked out"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Ald, eps),
      .max = 1,
  },
  {
      .key = "inner-steps",
      .label = N_ ("_Inner steps"),
      .blurb = N_ ("Langevin steps at each noise level; each costs a call"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (Ald, inner_steps),
      .min = 1,
      .max = 1000,
      .value = 5,
  },
  { NULL },
};

/* The derivative of the residual variance over σ² by u. */
static double
residual_slope (double u, double gamma, int n)
{
  const double k = 2 / (2 - u), left = pow (1 - u, 2 * n);

  return -2 * n * pow (1 - u, 2 * n - 1) * (gamma * gamma - k) + (1 - left) * k * k / 2;
}

/* The u in (0, 1] of the least residual, which falls and then rises; it is never below 1. */
static double
best_step (double gamma, int n)
{
  double low = 0, high = 1;

  for (int i = 0; i < 60; i++)
    {
      const double middle = (low + high) / 2;

      if (residual_slope (middle, gamma, n) < 0)
        low = middle;
      else
        high = middle;
    }
  return (low + high) / 2;
}

static double
smallest_level (const SumiStep *s)
{
  double least = s->sigma_next;

  for (int i = 0; i <= s->count; i++)
    if (s->sigmas[i] > 0)
      least = MIN (least, s->sigmas[i]);
  return least;
}

static void
ald_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const Ald *o = s->options;
  double u, least;

  if (sumi_step_ends (s, ev, x))
    return;
  least = smallest_level (s);
  u = o->eps > 0 ? MIN (o->eps / (2 * least * least), 1) : best_step (s->sigma / s->sigma_next, o->inner_steps);
  for (int i = 0; i < o->inner_steps && sumi_eval_ok (ev); i++)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);

      s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma_next);
      sumi_lincomb (ev, 1 - u, x, u, s->x0, s->sigma_next * sqrt (2 * u), sumi_step_noise_more (s, ev, x, 0, i), x);
      if (i + 1 < o->inner_steps)
        {
          s->x0 = NULL;
          sumi_arena_release (ev->scratch, mark);
        }
    }
}

const SumiSamplerClass sumi_sampler_ald = {
  .key = "ald",
  .label = N_ ("Annealed Langevin"),
  .blurb = N_ ("Walks at each noise level until it fits; slow, for NCSN models and as a cross-check"),
  .paper = "Song and Ermon 2019, arXiv 1907.05600, algorithm 1",
  .calls = 5,
  .stochastic = TRUE,
  .options = options,
  .options_size = sizeof (Ald),
  .step = ald_step,
};
