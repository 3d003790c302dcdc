/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/errors.h"

#include <math.h>

#include "core/diffusion/schedule.h"

#define LEAST 1e-30 /* an error of 0 has no logarithm */

double
sumi_error_at (const SumiErrorTable *table, double sigma)
{
  const int last = table->n - 1;
  int low = 0, high = last;
  double w;

  if (sigma >= table->sigma[last])
    return MAX (table->error[last], LEAST);
  if (sigma <= table->sigma[0])
    return MAX (table->error[0] * pow (sigma / table->sigma[0], 2), LEAST);
  while (high - low > 1)
    {
      const int middle = (low + high) / 2;

      if (table->sigma[middle] <= sigma)
        low = middle;
      else
        high = middle;
    }
  w = log (sigma / table->sigma[low]) / log (table->sigma[high] / table->sigma[low]);
  return exp ((1 - w) * log (MAX (table->error[low], LEAST)) + w * log (MAX (table->error[high], LEAST)));
}

double
sumi_error_cost (const SumiErrorTable *table, const double *sigmas, int n)
{
  double sum = 0;

  for (int i = 0; i + 1 < n; i++)
    sum += (1 / (sigmas[i + 1] * sigmas[i + 1]) - 1 / (sigmas[i] * sigmas[i])) * sumi_error_at (table, sigmas[i]) / 2;
  return sum;
}
