/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dynamic dual output: a head for the noise, one for the picture, and a map r of how much the second is worth: D =
 * r·F₂ + (1 − r)·(x − σ·F₁). The noise is good at low noise, the picture at high. Benny and Wolf 2022
 * (arXiv 2203.04304), who blend the means of a step, which is the same: the mean is linear in x0. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/precond.h"
#include "core/diffusion/process.h"

static void
dual_at (const SumiPrecondInput *input, double sigma, SumiPrecond *at)
{
  const double t = input->process->time (sigma), alpha = input->process->alpha (t);

  at[0] = (SumiPrecond){ .c_skip = 1, .c_out = -sigma, .c_in = alpha, .c_noise = t };
  at[1] = (SumiPrecond){ .c_skip = 0, .c_out = 1, .c_in = alpha, .c_noise = t };
}

const SumiPrecondClass sumi_precond_dual = {
  .key = "dual",
  .label = N_ ("Dual output"),
  .blurb = N_ ("Noise, clean picture and a map that blends the two"),
  .paper = "Benny and Wolf 2022, arXiv 2203.04304",
  .needs_process = TRUE,
  .heads = 2,
  .at = dual_at,
};
