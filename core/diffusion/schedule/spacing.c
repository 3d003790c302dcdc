/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/schedule/spacing.h"

#include <math.h>

#include "core/base/error.h"
#include "core/diffusion/process.h"

#define SLACK 1e-6 /* of a whole time: σ that were rounded still mean their own */

gboolean
sumi_times_init (SumiTimes *times, int n, const SumiScheduleInput *input, GError **error)
{
  const SumiProcessClass *p = input->process;
  const double bottom = p->time (input->sigma_min), top = p->time (input->sigma_max);

  *times = (SumiTimes){ bottom, top - bottom, p->n_steps > 0 };
  if (! times->whole)
    return TRUE;
  times->first = MAX (ceil (bottom - SLACK), 0);
  times->span = MIN (floor (top + SLACK), p->n_steps - 1) - times->first + 1;
  if (times->span >= n)
    return TRUE;
  g_set_error (
      error, SUMI_ERROR, SUMI_ERROR_OPTION,
      "the process “%s” has %d steps of σ from %g to %g, fewer than the %d of this run; ask for at most %d, or take "
      "the schedule “uniform”",
      p->key, (int) MAX (times->span, 0), input->sigma_min, input->sigma_max, n, (int) MAX (times->span, 0));
  return FALSE;
}
