/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input and target of unit variance at every σ. Karras et al. 2022 (arXiv 2206.00364), table 1. */
#include "core/diffusion/precond/edm.h"

#include <glib/gi18n-lib.h>
#include <math.h>

SumiPrecond
sumi_precond_edm_at (double sigma, double sigma_data)
{
  const double s2 = sigma * sigma, d2 = sigma_data * sigma_data;

  return (SumiPrecond){
    .c_skip = d2 / (s2 + d2),
    .c_out = sigma * sigma_data / sqrt (s2 + d2),
    .c_in = 1 / sqrt (s2 + d2),
    .c_noise = log (sigma) / 4,
  };
}

static void
edm_at (const SumiPrecondInput *input, double sigma, SumiPrecond *at)
{
  *at = sumi_precond_edm_at (sigma, input->sigma_data);
}

const SumiPrecondClass sumi_precond_edm = {
  .key = "edm",
  .label = N_ ("EDM"),
  .blurb = N_ ("The residual of Karras et al., of unit variance at every noise; EDM models and Sumi's own"),
  .paper = "Karras et al. 2022, arXiv 2206.00364, table 1",
  .heads = 1,
  .at = edm_at,
};
