/* SPDX-License-Identifier: GPL-3.0-or-later */
/* step->memory[0]: how many values; [1]: where the newest is in the ring; [2 + k]: the σ of state[k]. */
#include "core/diffusion/multistep.h"

#include <string.h>

#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

/* Two σ nearer than this are one: their difference quotient would be rounding. */
#define SAME (1 + 1e-6)

static gboolean
take_denoised (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_copy (ev, s->x0, x);
  return TRUE;
}

gboolean
sumi_step_begin (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  if (s->n_past == 0)
    memset (s->memory, 0, sizeof (double) * SUMI_STEP_MEMORY);
  return s->sigma_next == s->sigma || (s->sigma <= 0 && take_denoised (s, ev, x));
}

gboolean
sumi_step_edge (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  return sumi_step_begin (s, ev, x) || (s->sigma_next <= 0 && take_denoised (s, ev, x));
}

void
sumi_history_read (SumiStep *s, int limit, SumiHistory *history)
{
  const int n = (int) s->memory[0], newest = (int) s->memory[1];
  double last = s->sigma;

  history->n = 0;
  for (int i = 0; i < n; i++)
    {
      const int k = (newest + i) % limit;

      if (s->memory[2 + k] <= last * SAME)
        continue;
      last = history->sigma[history->n] = s->memory[2 + k];
      history->value[history->n++] = s->state[k];
    }
}

void
sumi_history_push (SumiStep *s, SumiEval *ev, const SumiTensor *value, int limit, SumiHistory *history)
{
  SumiHistory known, all = { 1 };
  int n = (int) s->memory[0], newest = (int) s->memory[1];

  /* those which are of no use any more leave the ring from its newest end, so what stays is in one piece */
  while (n > 0 && s->memory[2 + newest] <= s->sigma * SAME)
    {
      newest = (newest + 1) % limit;
      n--;
    }
  newest = (newest + limit - 1) % limit;
  n = MIN (n + 1, limit);
  s->memory[0] = n;
  s->memory[1] = newest;
  s->memory[2 + newest] = s->sigma;
  sumi_copy (ev, value, s->state[newest]);
  if (! history)
    return;
  all.sigma[0] = s->sigma;
  all.value[0] = s->state[newest];
  sumi_history_read (s, limit, &known); /* all but the newest, whose σ is this one */
  for (int i = 0; i < known.n && all.n < limit; i++, all.n++)
    {
      all.sigma[all.n] = known.sigma[i];
      all.value[all.n] = known.value[i];
    }
  *history = all;
}

SumiTensor *
sumi_step_noise_of (const SumiStep *s, SumiEval *ev, const SumiTensor *x, const SumiTensor *x0)
{
  return sumi_lincomb (ev, 1 / s->sigma, x, -1 / s->sigma, x0, 0, NULL, NULL);
}

double
sumi_lagrange (int n, const double *nodes, int j, double at)
{
  double product = 1;

  for (int k = 0; k < n; k++)
    if (k != j)
      product *= (at - nodes[k]) / (nodes[j] - nodes[k]);
  return product;
}

void
sumi_step_along (const SumiStep *s, SumiEval *ev, int n, const double *weights, SumiTensor *const *terms, SumiTensor *x)
{
  const double h = s->sigma_next - s->sigma;
  double all[1 + SUMI_HISTORY] = { 1 };
  SumiTensor *values[1 + SUMI_HISTORY] = { x };

  for (int i = 0; i < n; i++)
    {
      all[1 + i] = h * weights[i];
      values[1 + i] = terms[i];
    }
  sumi_mix (ev, 1 + n, all, values, x);
}

const double *
sumi_adams_bashforth (int n)
{
  static const double weights[4][4] = {
    { 1 },
    { 3 / 2.0, -1 / 2.0 },
    { 23 / 12.0, -16 / 12.0, 5 / 12.0 },
    { 55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0 },
  };

  return weights[n - 1];
}
