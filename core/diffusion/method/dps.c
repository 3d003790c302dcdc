/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Diffusion posterior sampling (Chung et al. 2023, arXiv 2209.14687, algorithm 1): p(y | x) is taken as that of y given
 * x̂0 = D(x), so that its gradient goes back through the denoiser.
 *
 * The paper moves x by ζ'·∇|y − A·D| after each of 1000 steps, which makes the right ζ' depend on the number of steps
 * and of pixels. Here the same gradient of |y − A·D|² enters D itself, weighted by scale·σ²/v with v the mean square of
 * what y − A·D still lacks: free of both, and open to every sampler; 1/‖A‖² bounds the weight, with which an
 * observation is met at once where D = x. Biased: the variance of x0 given x counts as the same in all directions.
 *
 * Mean off by 0.03 to 0.15, variance × 0.83 to 0.96; where A's singular values differ much (noisy blurs, known pixels
 * with the grey of others) 0.06 to 0.23 and × 0.55 to 2.3 (figures as in replacement.c). */
#include <glib/gi18n-lib.h>

#include "core/diffusion/method/posterior.h"

static const SumiOption options[] = { SUMI_POSTERIOR_SCALE (2), { NULL } };

const SumiMethodClass sumi_method_dps = {
  .key = "dps",
  .label = N_ ("DPS"),
  .blurb = N_ ("Follows the gradient of the observation through the denoiser; for observations that other methods "
               "cannot invert"),
  .paper = "Chung et al. 2023, arXiv 2209.14687, algorithm 1",
  .needs_gradient = TRUE,
  .options = options,
  .options_size = sizeof (SumiPosterior),
  .denoise = sumi_posterior_denoise,
};
