/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Equal steps in the time of the cosine process, ᾱ = cos² θ, θ linear in t: σ_i = tan θ_i, θ from atan σ_max to
 * atan σ_min, then 0. Nichol and Dhariwal 2021 (arXiv 2102.09672), eq. 17, whose offset s only moves the ends. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/schedule.h"

static gboolean
cosine_sigmas (int n, const SumiScheduleInput *input, double *sigmas, GError **error)
{
  const double top = atan (input->sigma_max), bottom = atan (input->sigma_min);

  for (int i = 0; i < n; i++)
    sigmas[i] = i == 0 ? input->sigma_max : i == n - 1 ? input->sigma_min : tan (top + (bottom - top) * i / (n - 1));
  sigmas[n] = 0;
  return TRUE;
}

const SumiScheduleClass sumi_schedule_cosine = {
  .key = "cosine",
  .label = N_ ("Cosine"),
  .blurb = N_ ("Most steps where noise and picture are equally strong (σ near 1); for data of unit deviation"),
  .paper = "Nichol and Dhariwal 2021, arXiv 2102.09672, eq. 17",
  .sigmas = cosine_sigmas,
};
