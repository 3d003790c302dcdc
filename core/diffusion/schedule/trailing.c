/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Times round (T − i·T/n) − 1, i = 0 … n − 1, last 0: begins at the top, always. diffusers' “trailing”, halves rounded
 * to even as there. It ends above σ_min. Lin et al. 2023 (arXiv 2305.08891), section 3.3.
 *
 * On continuous processes: t(σ_max) − i·(t(σ_max) − t(σ_min))/n. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/process.h"
#include "core/diffusion/schedule.h"
#include "core/diffusion/schedule/spacing.h"

static gboolean
trailing_sigmas (int n, const SumiScheduleInput *input, double *sigmas, GError **error)
{
  SumiTimes times;

  if (! sumi_times_init (&times, n, input, error))
    return FALSE;
  for (int i = 0; i < n; i++)
    {
      const double t = times.span - i * (times.span / n);

      sigmas[i] = input->process->sigma (times.first + (times.whole ? rint (t) - 1 : t));
    }
  if (! times.whole)
    sigmas[0] = input->sigma_max;
  sigmas[n] = 0;
  return TRUE;
}

const SumiScheduleClass sumi_schedule_trailing = {
  .key = "trailing",
  .label = N_ ("Trailing"),
  .blurb = N_ ("Equal steps in the process' time counted from the noisy end; better than leading at few steps"),
  .paper = "Lin et al. 2023, arXiv 2305.08891, section 3.3",
  .sigmas = trailing_sigmas,
};
