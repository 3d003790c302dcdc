/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dX = −½·β(t)·X dt + √(β(t)·(1 − e^(−2B))) dw: the drift of VP with less noise; α = e^(−B/2), α·σ = 1 − e^(−B), so
 * σ = 2·sinh (B/2). Song et al. 2021 (arXiv 2011.13456), eq. 12 and 29. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/process.h"
#include "core/diffusion/process/linear-beta.h"

static double
subvp_alpha (double t)
{
  return exp (-sumi_linear_beta_integral (t) / 2);
}

static double
subvp_sigma (double t)
{
  return 2 * sinh (sumi_linear_beta_integral (t) / 2);
}

static double
subvp_time (double sigma)
{
  return sumi_linear_beta_time (2 * asinh (sigma / 2));
}

static double
subvp_drift (double t)
{
  return -sumi_linear_beta (t) / 2;
}

static double
subvp_diffusion (double t)
{
  return -sumi_linear_beta (t) * expm1 (-2 * sumi_linear_beta_integral (t));
}

const SumiProcessClass sumi_process_subvp = {
  .key = "subvp",
  .label = N_ ("Sub-VP"),
  .blurb = N_ ("Variance preserving with less noise on the way; for models made for likelihood"),
  .paper = "Song et al. 2021, arXiv 2011.13456, eq. 12",
  .t_min = 1e-5,
  .t_max = 1,
  .alpha = subvp_alpha,
  .sigma = subvp_sigma,
  .time = subvp_time,
  .drift = subvp_drift,
  .diffusion = subvp_diffusion,
};
