/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dX = √(dσ²/dt) dw with σ(t) = 0.01·5000ᵗ: α = 1. Song et al. 2021 (arXiv 2011.13456), eq. 9 and 30; NCSN in
 * continuous time. As in its authors' code the noise at t is σ(t), the little that is there at t = 0 included. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/process.h"

#define VE_SIGMA_MIN 0.01
#define VE_SIGMA_MAX 50.0

static double
ve_alpha (double t)
{
  return 1;
}

static double
ve_sigma (double t)
{
  return VE_SIGMA_MIN * pow (VE_SIGMA_MAX / VE_SIGMA_MIN, t);
}

static double
ve_time (double sigma)
{
  return log (sigma / VE_SIGMA_MIN) / log (VE_SIGMA_MAX / VE_SIGMA_MIN);
}

static double
ve_drift (double t)
{
  return 0;
}

static double
ve_diffusion (double t)
{
  const double sigma = ve_sigma (t);

  return 2 * sigma * sigma * log (VE_SIGMA_MAX / VE_SIGMA_MIN);
}

const SumiProcessClass sumi_process_ve = {
  .key = "ve",
  .label = N_ ("Variance exploding"),
  .blurb = N_ ("Noise grows by equal ratios in time and the signal stays; for NCSN++ and predictor–corrector sampling"),
  .paper = "Song et al. 2021, arXiv 2011.13456, eq. 9",
  .t_min = 1e-5,
  .t_max = 1,
  .alpha = ve_alpha,
  .sigma = ve_sigma,
  .time = ve_time,
  .drift = ve_drift,
  .diffusion = ve_diffusion,
};
