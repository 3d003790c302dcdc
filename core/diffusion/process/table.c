/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/process/table.h"

#include <math.h>

static const double *
log_sigmas (SumiTable *self)
{
  if (g_once_init_enter (&self->once))
    {
      self->fill (self->log_sigma);
      /* σ² = (1 − ᾱ)/ᾱ = e^b − 1 */
      for (int t = 0; t < SUMI_TABLE_STEPS; t++)
        self->log_sigma[t] = log (expm1 (self->log_sigma[t])) / 2;
      g_once_init_leave (&self->once, 1);
    }
  return self->log_sigma;
}

/* The entry that the line around @t begins with. */
static int
line_of (double t)
{
  return (int) CLAMP (floor (t), 0, SUMI_TABLE_STEPS - 2);
}

/* d ln σ/dt. */
static double
slope (SumiTable *self, double t)
{
  const int i = line_of (t);

  return log_sigmas (self)[i + 1] - log_sigmas (self)[i];
}

double
sumi_table_sigma (SumiTable *self, double t)
{
  const double *l = log_sigmas (self);
  const int i = line_of (t);
  const double w = t - i;

  /* weights, not the slope: exact at both ends */
  return exp ((1 - w) * l[i] + w * l[i + 1]);
}

double
sumi_table_alpha (SumiTable *self, double t)
{
  return 1 / hypot (1, sumi_table_sigma (self, t));
}

double
sumi_table_time (SumiTable *self, double sigma)
{
  const double *l = log_sigmas (self), wanted = log (sigma);
  int low = 0, high = SUMI_TABLE_STEPS - 1;

  while (high - low > 1)
    {
      const int middle = (low + high) / 2;

      if (l[middle] <= wanted)
        low = middle;
      else
        high = middle;
    }
  return low + (wanted - l[low]) / (l[high] - l[low]);
}

/* f = d ln α/dt = −½·d ln (1 + σ²)/dt = −α²·σ²·d ln σ/dt */
double
sumi_table_drift (SumiTable *self, double t)
{
  return -sumi_table_diffusion (self, t) / 2;
}

/* g² = α²·dσ²/dt = 2·α²·σ²·d ln σ/dt */
double
sumi_table_diffusion (SumiTable *self, double t)
{
  const double sigma = sumi_table_sigma (self, t);

  return 2 * slope (self, t) / (1 + 1 / (sigma * sigma));
}

void
sumi_table_sum (double (*beta) (int t), double *b)
{
  double sum = 0;

  for (int t = 0; t < SUMI_TABLE_STEPS; t++)
    b[t] = sum -= log1p (-beta (t));
}
