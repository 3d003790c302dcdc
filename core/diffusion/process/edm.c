/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dX = √(2t) dw: α = 1, σ(t) = t. Karras et al. 2022, arXiv 2206.00364, table 1. The exemplar of a process. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/process.h"

static double
edm_alpha (double t)
{
  return 1;
}

static double
edm_same (double t)
{
  return t;
}

static double
edm_drift (double t)
{
  return 0;
}

static double
edm_diffusion (double t)
{
  return 2 * t;
}

const SumiProcessClass sumi_process_edm = {
  .key = "edm",
  .label = N_ ("EDM"),
  .blurb = N_ ("Noise grows by itself, time is σ; both shipped models use it"),
  .paper = "Karras et al. 2022, arXiv 2206.00364, table 1",
  .t_min = 0.002,
  .t_max = 80,
  .alpha = edm_alpha,
  .sigma = edm_same,
  .time = edm_same,
  .drift = edm_drift,
  .diffusion = edm_diffusion,
};
