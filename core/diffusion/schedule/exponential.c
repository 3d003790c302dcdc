/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Equal steps in ln σ, then 0: the geometric sequence of NCSN (Song and Ermon 2019) and of the VE SDE. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/schedule.h"

static gboolean
exponential_sigmas (int n, const SumiScheduleInput *input, double *sigmas, GError **error)
{
  const double sigma_min = input->sigma_min, sigma_max = input->sigma_max;

  for (int i = 0; i < n; i++)
    sigmas[i] = i == 0 ? sigma_max : i == n - 1 ? sigma_min : sigma_max * pow (sigma_min / sigma_max, i / (n - 1.0));
  sigmas[n] = 0;
  return TRUE;
}

const SumiScheduleClass sumi_schedule_exponential = {
  .key = "exponential",
  .label = N_ ("Exponential"),
  .blurb = N_ ("Equal ratios of noise from step to step"),
  .paper = "Song and Ermon 2019, arXiv 1907.05600, section 4.3",
  .sigmas = exponential_sigmas,
};
