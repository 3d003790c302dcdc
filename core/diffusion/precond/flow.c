/* SPDX-License-Identifier: GPL-3.0-or-later */
/* F = E[noise − x0], the velocity of X = (1 − t)·x0 + t·noise: σ = t/(1 − t), α = 1 − t = 1/(1 + σ), and D = X − t·F.
 * Its time is t of [0, 1); networks that count a thousand of it multiply. Liu, Gong and Liu 2022 (arXiv 2209.03003),
 * and Lipman et al. 2022 (arXiv 2210.02747), whose time runs the other way round. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/precond.h"

static void
flow_at (const SumiPrecondInput *input, double sigma, SumiPrecond *at)
{
  const double alpha = 1 / (1 + sigma), t = sigma / (1 + sigma);

  *at = (SumiPrecond){ .c_skip = alpha, .c_out = -t, .c_in = alpha, .c_noise = t };
}

const SumiPrecondClass sumi_precond_flow = {
  .key = "flow",
  .label = N_ ("Rectified flow"),
  .blurb = N_ ("The straight way from picture to noise; Stable Diffusion 3 and Flux"),
  .paper = "Liu, Gong and Liu 2022, arXiv 2209.03003",
  .heads = 1,
  .at = flow_at,
};
