/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ln σ_i = ln σ_min + (1 − i/(n − 1))^ρ·(ln σ_max − ln σ_min), then 0: exponential bent by ρ, as in k-diffusion. ρ = 1
 * is exponential. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/option.h"
#include "core/diffusion/schedule.h"

typedef struct
{
  double rho;
} Polyexponential;

static const SumiOption options[] = {
  {
      .key = "rho",
      .label = N_ ("_Rho"),
      .blurb = N_ ("Bend of the polyexponential schedule; more than 1 puts more steps at low noise, less at high"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Polyexponential, rho),
      .min = 0.05,
      .max = 20,
      .value = 1,
  },
  { NULL },
};

static gboolean
polyexponential_sigmas (int n, const SumiScheduleInput *input, double *sigmas, GError **error)
{
  const Polyexponential *o = input->options;
  const double low = log (input->sigma_min), range = log (input->sigma_max) - low;

  for (int i = 0; i < n; i++)
    sigmas[i] = i == 0     ? input->sigma_max :
                i == n - 1 ? input->sigma_min :
                             exp (low + range * pow (1 - i / (n - 1.0), o->rho));
  sigmas[n] = 0;
  return TRUE;
}

const SumiScheduleClass sumi_schedule_polyexponential = {
  .key = "polyexponential",
  .label = N_ ("Polyexponential"),
  .blurb = N_ ("Exponential with a bend (rho): between exponential and Karras, to try by hand"),
  .paper = "k-diffusion's get_sigmas_polyexponential",
  .options = options,
  .options_size = sizeof (Polyexponential),
  .sigmas = polyexponential_sigmas,
};
