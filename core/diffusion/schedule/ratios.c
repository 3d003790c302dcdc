/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/schedule/ratios.h"

#include <math.h>

gboolean
sumi_schedule_ratios (int n, const SumiScheduleInput *input, double *sigmas, GError **error)
{
  const double sigma_min = input->sigma_min, sigma_max = input->sigma_max;

  for (int i = 0; i < n; i++)
    sigmas[i] = i == 0 ? sigma_max : i == n - 1 ? sigma_min : sigma_max * pow (sigma_min / sigma_max, i / (n - 1.0));
  sigmas[n] = 0;
  return TRUE;
}

void
sumi_karras_levels (int n, double rho, double sigma_min, double sigma_max, double *sigmas)
{
  const double a = pow (sigma_max, 1 / rho), b = pow (sigma_min, 1 / rho);

  for (int i = 0; i < n; i++)
    sigmas[i] = i == 0 ? sigma_max : i == n - 1 ? sigma_min : pow (a + (b - a) * i / (n - 1), rho);
}
