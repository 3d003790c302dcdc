/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Equal steps in ln σ, then 0: the geometric sequence of NCSN (Song and Ermon 2019) and of the VE SDE. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/sampler.h"

static void
exponential_sigmas (int n, double sigma_min, double sigma_max, double *sigmas)
{
  for (int i = 0; i < n; i++)
    sigmas[i] = i == 0 ? sigma_max : i == n - 1 ? sigma_min : sigma_max * pow (sigma_min / sigma_max, i / (n - 1.0));
  sigmas[n] = 0;
}

const SumiScheduleClass sumi_schedule_exponential = {
  .key = "exponential",
  .label = N_ ("Exponential"),
  .sigmas = exponential_sigmas,
};
