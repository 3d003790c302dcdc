/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every k-th time from the first one on, k = T/n rounded down: 0, k, …, (n − 1)·k, then backwards, and last 0: the
 * spacing of DDPM's and DDIM's code, diffusers' “leading”. It begins below σ_max. The setting offset is diffusers'
 * steps_offset, 0 there; Stable Diffusion's configurations say 1. As with diffusers' set_alpha_to_one the last step
 * goes to σ = 0, not to the table's first σ.
 *
 * On continuous processes k = (t(σ_max) − t(σ_min))/n, and there is no offset. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/option.h"
#include "core/diffusion/process.h"
#include "core/diffusion/schedule.h"
#include "core/diffusion/schedule/spacing.h"

typedef struct
{
  int offset;
} Leading;

static const SumiOption options[] = {
  {
      .key = "offset",
      .label = N_ ("_Offset"),
      .blurb = N_ ("Added to every time of a discrete table; Stable Diffusion's own code takes 1"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (Leading, offset),
      .max = 100,
  },
  { NULL },
};

static gboolean
leading_sigmas (int n, const SumiScheduleInput *input, double *sigmas, GError **error)
{
  const Leading *o = input->options;
  SumiTimes times;
  double step, offset = 0;

  if (! sumi_times_init (&times, n, input, error))
    return FALSE;
  step = times.span / n;
  if (times.whole)
    {
      step = floor (step);
      offset = MIN (o->offset, times.span - 1 - (n - 1) * step);
    }
  for (int i = 0; i < n; i++)
    sigmas[i] = input->process->sigma (times.first + (n - 1 - i) * step + offset);
  if (! times.whole && n > 1)
    sigmas[n - 1] = input->sigma_min;
  sigmas[n] = 0;
  return TRUE;
}

const SumiScheduleClass sumi_schedule_leading = {
  .key = "leading",
  .label = N_ ("Leading"),
  .blurb =
      N_ ("Every k-th time of the process counted from the clean end, as DDIM's code does; never quite reaches the "
          "top"),
  .paper = "Song, Meng and Ermon 2021, arXiv 2010.02502, appendix D.2",
  .options = options,
  .options_size = sizeof (Leading),
  .sigmas = leading_sigmas,
};
