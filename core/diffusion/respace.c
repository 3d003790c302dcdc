/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/respace.h"

#include <math.h>

#include "core/base/error.h"
#include "core/diffusion/process.h"

/* The @i-th kept time from the clean end: equal steps, rounded, halves to even. One alone is the last. */
static int
kept (const SumiProcessClass *p, int n, int i)
{
  return (int) (n > 1 ? rint (i * (p->n_steps - 1.0) / (n - 1)) : p->n_steps - 1);
}

static SumiRespacedStep
make_step (const SumiProcessClass *p, int n, int i)
{
  const int time = kept (p, n, i);
  const double sigma = p->sigma (time), next = i > 0 ? p->sigma (kept (p, n, i - 1)) : 0;
  const double fall = (sigma - next) * (sigma + next);
  const double large = (1 + next * next) * fall / (1 + sigma * sigma), small = next * next * fall / (sigma * sigma);

  return (SumiRespacedStep){
    .time = time,
    .sigma = sigma,
    .sigma_next = next,
    .beta = fall / (1 + sigma * sigma), /* 1 − ᾱ/ᾱ' */
    .keep = next * next / (sigma * sigma),
    .log_large = log (large),
    .log_small = log (small), /* −∞ in the last step */
  };
}

SumiRespaced *
sumi_respaced_new (const SumiProcessClass *process, int n, GError **error)
{
  SumiRespaced *self;

  if (process->n_steps == 0)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                   "the process “%s” is continuous: only tables of steps, as “ddpm-linear”, can be respaced",
                   process->key);
      return NULL;
    }
  if (n < 1 || n > process->n_steps)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "%d steps of the %d of the process “%s”: ask for 1 to %d", n,
                   process->n_steps, process->key, process->n_steps);
      return NULL;
    }
  self = g_new0 (SumiRespaced, 1);
  self->n = n;
  self->steps = g_new0 (SumiRespacedStep, n);
  for (int i = 0; i < n; i++)
    self->steps[n - 1 - i] = make_step (process, n, i);
  return self;
}

void
sumi_respaced_free (SumiRespaced *self)
{
  if (self)
    g_free (self->steps);
  g_free (self);
}

double
sumi_respaced_deviation (const SumiRespacedStep *step, double v)
{
  const double share = CLAMP (v, 0, 1);

  if (step->sigma_next <= 0)
    return 0;
  return exp ((share * step->log_large + (1 - share) * step->log_small) / 2);
}
