/* SPDX-License-Identifier: GPL-3.0-or-later */
/* σ_i = (σ_max^(1/ρ) + i/(n − 1)·(σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ, ρ = 7 unless set, then 0. Karras et al. 2022, eq. 5.
 */
#include <glib/gi18n-lib.h>

#include "core/base/option.h"
#include "core/diffusion/schedule.h"
#include "core/diffusion/schedule/ratios.h"

typedef struct
{
  double rho;
} Karras;

static const SumiOption options[] = {
  {
      .key = "rho",
      .label = N_ ("_Rho"),
      .blurb = N_ ("Exponent of the Karras schedule; more puts more steps at low noise"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Karras, rho),
      .min = 1,
      .max = 100,
      .value = 7,
  },
  { NULL },
};

static gboolean
karras_sigmas (int n, const SumiScheduleInput *input, double *sigmas, GError **error)
{
  const Karras *o = input->options;

  sumi_karras_levels (n, o->rho, input->sigma_min, input->sigma_max, sigmas);
  sigmas[n] = 0;
  return TRUE;
}

const SumiScheduleClass sumi_schedule_karras = {
  .key = "karras",
  .label = N_ ("Karras"),
  .blurb = N_ ("Spends most steps at low noise; good with every sampler at few steps"),
  .paper = "Karras et al. 2022, arXiv 2206.00364, eq. 5",
  .options = options,
  .options_size = sizeof (Karras),
  .sigmas = karras_sigmas,
};
