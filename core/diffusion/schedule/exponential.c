/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Equal steps in ln σ, then 0: k-diffusion's name for it. The same list as lambda and geometric. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/schedule.h"
#include "core/diffusion/schedule/ratios.h"

const SumiScheduleClass sumi_schedule_exponential = {
  .key = "exponential",
  .label = N_ ("Exponential"),
  .blurb = N_ ("Equal ratios of noise from step to step"),
  .paper = "k-diffusion's get_sigmas_exponential",
  .sigmas = sumi_schedule_ratios,
};
