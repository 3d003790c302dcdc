/* SPDX-License-Identifier: GPL-3.0-or-later */
/* F = E[noise]: D = x − σ·F. Ho, Jain and Abbeel 2020 (arXiv 2006.11239), eq. 15. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/precond.h"
#include "core/diffusion/process.h"

static void
epsilon_at (const SumiPrecondInput *input, double sigma, SumiPrecond *at)
{
  const double t = input->process->time (sigma);

  *at = (SumiPrecond){ .c_skip = 1, .c_out = -sigma, .c_in = input->process->alpha (t), .c_noise = t };
}

const SumiPrecondClass sumi_precond_epsilon = {
  .key = "epsilon",
  .label = N_ ("Noise (ε)"),
  .blurb = N_ ("The noise in the picture; DDPM, guided-diffusion, Stable Diffusion 1 and XL"),
  .paper = "Ho, Jain and Abbeel 2020, arXiv 2006.11239, eq. 15",
  .needs_process = TRUE,
  .heads = 1,
  .at = epsilon_at,
};
