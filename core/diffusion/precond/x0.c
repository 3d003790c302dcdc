/* SPDX-License-Identifier: GPL-3.0-or-later */
/* F = E[x0] = D. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/precond.h"
#include "core/diffusion/process.h"

static void
x0_at (const SumiPrecondInput *input, double sigma, SumiPrecond *at)
{
  const double t = input->process->time (sigma);

  *at = (SumiPrecond){ .c_skip = 0, .c_out = 1, .c_in = input->process->alpha (t), .c_noise = t };
}

const SumiPrecondClass sumi_precond_x0 = {
  .key = "x0",
  .label = N_ ("Clean picture (x0)"),
  .blurb = N_ ("The clean picture itself; distilled and consistency models"),
  .paper = "Salimans and Ho 2022, arXiv 2202.00512, section 4",
  .needs_process = TRUE,
  .heads = 1,
  .at = x0_at,
};
