/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Equal steps in the process' time from t(σ_max) to t(σ_min), both kept, then 0. On a discrete table that is diffusers'
 * “linspace” without its rounding to whole times, k-diffusion's get_sigmas(). */
#include <glib/gi18n-lib.h>

#include "core/diffusion/process.h"
#include "core/diffusion/schedule.h"

static gboolean
uniform_sigmas (int n, const SumiScheduleInput *input, double *sigmas, GError **error)
{
  const SumiProcessClass *p = input->process;
  const double top = p->time (input->sigma_max), bottom = p->time (input->sigma_min);

  for (int i = 0; i < n; i++)
    sigmas[i] = i == 0     ? input->sigma_max :
                i == n - 1 ? input->sigma_min :
                             p->sigma (top + (bottom - top) * i / (n - 1));
  sigmas[n] = 0;
  return TRUE;
}

const SumiScheduleClass sumi_schedule_uniform = {
  .key = "uniform",
  .label = N_ ("Uniform"),
  .blurb = N_ ("Equal steps in the process' time, as the SDE solvers take them"),
  .paper = "Song et al. 2021, arXiv 2011.13456",
  .sigmas = uniform_sigmas,
};
