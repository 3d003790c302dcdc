/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dX = −½·β(t)·X dt + √β(t) dw: α = e^(−B/2), α²·σ² = 1 − e^(−B), B = ∫β. Song et al. 2021 (arXiv 2011.13456), eq. 11
 * and 33; DDPM in continuous time. t_min is the training's; its authors' samplers stop at 10⁻³. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/process.h"
#include "core/diffusion/process/linear-beta.h"

static double
vp_alpha (double t)
{
  return exp (-sumi_linear_beta_integral (t) / 2);
}

static double
vp_sigma (double t)
{
  return sqrt (expm1 (sumi_linear_beta_integral (t)));
}

static double
vp_time (double sigma)
{
  return sumi_linear_beta_time (log1p (sigma * sigma));
}

static double
vp_drift (double t)
{
  return -sumi_linear_beta (t) / 2;
}

const SumiProcessClass sumi_process_vp = {
  .key = "vp",
  .label = N_ ("Variance preserving"),
  .blurb = N_ (
      "The signal shrinks as the noise grows, DDPM in continuous time; for DDPM++ and as a base line of SDE solvers"),
  .paper = "Song et al. 2021, arXiv 2011.13456, eq. 11",
  .t_min = 1e-5,
  .t_max = 1,
  .alpha = vp_alpha,
  .sigma = vp_sigma,
  .time = vp_time,
  .drift = vp_drift,
  .diffusion = sumi_linear_beta,
};
