/* SPDX-License-Identifier: GPL-3.0-or-later */
/* σ_i = (σ_max^(1/ρ) + i/(n − 1)·(σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ, ρ = 7, then 0. Karras et al. 2022, eq. 5. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/sampler.h"

static void
karras_sigmas (int n, double sigma_min, double sigma_max, double *sigmas)
{
  const double rho = 7, a = pow (sigma_max, 1 / rho), b = pow (sigma_min, 1 / rho);

  for (int i = 0; i < n; i++)
    sigmas[i] = i == 0 ? sigma_max : i == n - 1 ? sigma_min : pow (a + (b - a) * i / (n - 1), rho);
  sigmas[n] = 0;
}

const SumiScheduleClass sumi_schedule_karras = {
  .key = "karras",
  .label = N_ ("Karras"),
  .sigmas = karras_sigmas,
};
