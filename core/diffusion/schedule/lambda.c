/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Equal steps in λ = ln (α/σ), half the log of the signal-to-noise ratio, then 0: what DPM-Solver steps through. In
 * variance-exploding coordinates λ = −ln σ: the same list as exponential and geometric. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/schedule.h"
#include "core/diffusion/schedule/ratios.h"

const SumiScheduleClass sumi_schedule_lambda = {
  .key = "lambda",
  .label = N_ ("Log SNR"),
  .blurb =
      N_ ("Equal steps in the log of the signal-to-noise ratio, as DPM-Solver's authors take them; the same levels "
          "as exponential"),
  .paper = "Lu et al. 2022, arXiv 2206.00927, section 3.4",
  .sigmas = sumi_schedule_ratios,
};
