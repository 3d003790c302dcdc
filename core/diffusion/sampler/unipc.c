/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UniPC (Zhao et al. 2023, arXiv 2302.04867, algorithms 5 to 8), data prediction D, α = 1, λ = −ln σ, as diffusers'
 * UniPCMultistepScheduler: each step begins with the corrector of the step before, which takes the D that has just been
 * computed at the predicted x, without another call, and goes on with the predictor. B(h) is h (bh1) or e^h − 1 (bh2).
 * Conventions at the ends: the first steps use the lower orders that there are values for; the last ones too
 * (lower_order_final: no order above the number of steps left); the last step, to σ = 0, is of order 1: it returns D.
 *
 * The corrector makes the predictor's order one more. It replaces a prediction that is the one it made and was not
 * churned; what a method has changed of it since stays.
 *
 * x: [N, H, W, C]; state[0…2]: D, state[3]: x before the last prediction, state[4]: that prediction */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/option.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

#define MAX_ORDER  3
#define LAST       3 /* state */
#define PREDICTION 4
#define ORDER      5 /* memory: of the prediction, 0 if there is none */
#define TARGET     6 /* its σ */

typedef struct
{
  int order;
  char *variant;
} Unipc;

static const SumiChoice variants[] = { { "bh1", N_ ("B₁(h) = h") }, { "bh2", N_ ("B₂(h) = eʰ − 1") }, { NULL } };

static const SumiOption options[] = {
  {
      .key = "order",
      .label = N_ ("_Order"),
      .blurb = N_ ("How many steps a multistep sampler looks at"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (Unipc, order),
      .min = 1,
      .max = MAX_ORDER,
      .value = 2,
  },
  {
      .key = "variant",
      .label = N_ ("_Variant"),
      .blurb = N_ ("The function B(h): bh1 for a guidance near 1, bh2 for others"),
      .type = SUMI_OPTION_CHOICE,
      .offset = G_STRUCT_OFFSET (Unipc, variant),
      .text = "bh2",
      .choices = variants,
  },
  { NULL },
};

/* φ_k(z) = Σ_n zⁿ/(n + k)!; φ_{k + 1} = (φ_k − 1/k!)/z. */
static double
phi (int k, double z)
{
  double factorial = 1, sum = 0, term;

  for (int i = 2; i <= k; i++)
    factorial *= i;
  if (fabs (z) > 1)
    return k == 0 ? exp (z) : (phi (k - 1, z) - k / factorial) / z;
  term = 1 / factorial;
  for (int n = 1; n < 24; n++)
    {
      sum += term;
      term *= z / (n + k);
    }
  return sum;
}

/* Solves Σ_j r_j^i·w_j = b_i, i = 0 to n − 1, by Newton's form of a Vandermonde system (n ≤ 3: plain elimination). */
static void
solve (int n, const double *r, double *b)
{
  double a[MAX_ORDER][MAX_ORDER];

  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      a[i][j] = i == 0 ? 1 : a[i - 1][j] * r[j];
  for (int k = 0; k < n; k++)
    for (int i = k + 1; i < n; i++)
      {
        const double f = a[i][k] / a[k][k];

        for (int j = k; j < n; j++)
          a[i][j] -= f * a[k][j];
        b[i] -= f * b[k];
      }
  for (int i = n - 1; i >= 0; i--)
    {
      for (int j = i + 1; j < n; j++)
        b[i] -= a[i][j] * b[j];
      b[i] /= a[i][i];
    }
}

/* x at @to = ratio·x + Σ weights[j]·D_j of all's D, by UniP of @order, or UniC with weights[order] for D at @to.
 * Returns: the ratio. */
static double
weigh (const Unipc *o, const SumiHistory *all, int order, double to, gboolean corrects, double *weights)
{
  const double h = log (all->sigma[0] / to), z = -h, b_h = g_strcmp0 (o->variant, "bh1") ? expm1 (z) : z;
  const int n = corrects ? order : order - 1;
  double r[MAX_ORDER], rho[MAX_ORDER], factorial = 1;

  for (int i = 0; i < n; i++)
    {
      r[i] = i < order - 1 ? -log (all->sigma[i + 1] / all->sigma[0]) / h : 1;
      factorial *= i + 1;
      rho[i] = z * phi (i + 2, z) * factorial / b_h;
    }
  if (n == 1)
    rho[0] = 0.5; /* as the authors: it has the order without the equation */
  else
    solve (n, r, rho);
  weights[0] = -expm1 (z);
  for (int i = 0; i < n; i++)
    {
      weights[1 + i] = -b_h * rho[i] / r[i];
      weights[0] -= weights[1 + i];
    }
  return exp (z);
}

static void
correct (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const int order = (int) s->memory[ORDER];
  SumiTensor *terms[2 + MAX_ORDER + 1];
  double weights[2 + MAX_ORDER + 1] = { 1, -1 };
  SumiHistory all;

  sumi_history_read (s, MAX_ORDER, &all);
  if (order == 0 || s->memory[TARGET] != s->sigma || all.n < order)
    return;
  terms[0] = s->state[LAST];
  terms[1] = s->state[PREDICTION];
  weights[0] = weigh (s->options, &all, order, s->sigma, TRUE, weights + 2);
  for (int i = 0; i < order; i++)
    terms[2 + i] = all.value[i];
  terms[2 + order] = s->x0;
  sumi_lincomb (ev, 1, x, 1, sumi_mix (ev, 3 + order, weights, terms, NULL), 0, NULL, x);
}

static void
unipc_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const Unipc *o = s->options;
  SumiTensor *terms[1 + MAX_ORDER] = { x };
  double weights[1 + MAX_ORDER];
  SumiHistory all;
  int order;

  if (sumi_step_edge (s, ev, x))
    return;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  correct (s, ev, x);
  sumi_history_push (s, ev, s->x0, MAX_ORDER, &all);
  sumi_copy (ev, x, s->state[LAST]);
  order = MIN (MIN (o->order, all.n), MAX (s->count - s->index, 1));
  weights[0] = weigh (o, &all, order, s->sigma_next, FALSE, weights + 1);
  for (int i = 0; i < order; i++)
    terms[1 + i] = all.value[i];
  sumi_mix (ev, 1 + order, weights, terms, x);
  sumi_copy (ev, x, s->state[PREDICTION]);
  s->memory[ORDER] = order;
  s->memory[TARGET] = s->sigma_next;
}

const SumiSamplerClass sumi_sampler_unipc = {
  .key = "unipc",
  .label = N_ ("UniPC"),
  .blurb = N_ ("Corrects each step with the next one's call; the best of many at 5 to 10 steps"),
  .paper = "Zhao et al. 2023, arXiv 2302.04867, algorithm 5",
  .order = 3,
  .calls = 1,
  .n_state = 5,
  .options = options,
  .options_size = sizeof (Unipc),
  .step = unipc_step,
};
