/* SPDX-License-Identifier: GPL-3.0-or-later */
/* F = ∇ ln p(X), the score of the process' own state X = α·x: ∇ over x is α times that, and D = x + σ²·∇ₓ ln p
 * (Miyasawa; Vincent 2011), so D = x + α·σ²·F. Networks whose output is divided by σ, as NCSNv2's, divide before. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/precond.h"
#include "core/diffusion/process.h"

static void
score_at (const SumiPrecondInput *input, double sigma, SumiPrecond *at)
{
  const double t = input->process->time (sigma), alpha = input->process->alpha (t);

  *at = (SumiPrecond){ .c_skip = 1, .c_out = alpha * sigma * sigma, .c_in = alpha, .c_noise = t };
}

const SumiPrecondClass sumi_precond_score = {
  .key = "score",
  .label = N_ ("Score"),
  .blurb = N_ ("The gradient of the noisy pictures' log density; NCSN and score-SDE models"),
  .paper = "Song et al. 2021, arXiv 2011.13456, eq. 7",
  .needs_process = TRUE,
  .heads = 1,
  .at = score_at,
};
