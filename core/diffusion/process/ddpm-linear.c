/* SPDX-License-Identifier: GPL-3.0-or-later */
/* β in equal steps from 10⁻⁴ to 0.02. Ho, Jain and Abbeel 2020 (arXiv 2006.11239), section 4. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/process.h"
#include "core/diffusion/process/table.h"

static double
linear_beta (int t)
{
  return 1e-4 + (0.02 - 1e-4) * t / (SUMI_TABLE_STEPS - 1);
}

static void
linear_fill (double *b)
{
  sumi_table_sum (linear_beta, b);
}

SUMI_TABLE (linear_fill)

const SumiProcessClass sumi_process_ddpm_linear = {
  .key = "ddpm-linear",
  .label = N_ ("DDPM, linear"),
  .blurb = N_ ("The 1000 steps of DDPM; for DDPM and guided-diffusion models"),
  .paper = "Ho, Jain and Abbeel 2020, arXiv 2006.11239, section 4",
  SUMI_TABLE_MEMBERS,
};
