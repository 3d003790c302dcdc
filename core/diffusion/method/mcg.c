/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Manifold constrained gradients (Chung et al. 2022, arXiv 2206.00941, algorithm 1): the gradient of dps, weighted as
 * there, and after each step a projection on the observation noised to the level reached.
 *
 * Mean off by 0.02 to 0.13, variance × 0.74 to 0.98; of noisy blurs 0.02 to 0.09 and × 0.47 to 0.65 (figures as in
 * replacement.c). */
#include <glib/gi18n-lib.h>

#include "core/diffusion/method/posterior.h"
#include "core/diffusion/method/range.h"

static const SumiOption options[] = { SUMI_POSTERIOR_SCALE (0.5), { NULL } };

const SumiMethodClass sumi_method_mcg = {
  .key = "mcg",
  .label = N_ ("MCG"),
  .blurb = N_ ("Gradient through the denoiser and projection on the observation after every step; meets exact "
               "observations exactly"),
  .paper = "Chung et al. 2022, arXiv 2206.00941, algorithm 1",
  .needs_gradient = TRUE,
  .options = options,
  .options_size = sizeof (SumiPosterior),
  .denoise = sumi_posterior_denoise,
  .after = sumi_range_project,
};
