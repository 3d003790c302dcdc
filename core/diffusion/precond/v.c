/* SPDX-License-Identifier: GPL-3.0-or-later */
/* F = E[v], v = α·noise − ασ·x0. Salimans and Ho 2022 (arXiv 2202.00512), section 4 and appendix D.
 *
 * With X = α·x0 + ασ·noise: α·X − ασ·v = α²·(1 + σ²)·x0, so D = (x − (σ/α)·F)/(1 + σ²). Where the process preserves
 * variance, α² = 1/(1 + σ²), that is the paper's D = α·X − ασ·F. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/precond.h"
#include "core/diffusion/process.h"

static void
v_at (const SumiPrecondInput *input, double sigma, SumiPrecond *at)
{
  const double t = input->process->time (sigma), alpha = input->process->alpha (t), all = 1 + sigma * sigma;

  *at = (SumiPrecond){ .c_skip = 1 / all, .c_out = -sigma / (alpha * all), .c_in = alpha, .c_noise = t };
}

const SumiPrecondClass sumi_precond_v = {
  .key = "v",
  .label = N_ ("Velocity (v)"),
  .blurb = N_ ("A mix of noise and picture that serves at every noise; Stable Diffusion 2, distilled models"),
  .paper = "Salimans and Ho 2022, arXiv 2202.00512, section 4",
  .needs_process = TRUE,
  .heads = 1,
  .at = v_at,
};
