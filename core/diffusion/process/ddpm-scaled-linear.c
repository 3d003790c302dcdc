/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "core/diffusion/process.h"
#include "core/diffusion/process/scaled-linear.h"

static void
scaled_linear_fill (double *b)
{
  sumi_table_sum (sumi_scaled_linear_beta, b);
}

SUMI_TABLE (scaled_linear_fill)

const SumiProcessClass sumi_process_ddpm_scaled_linear = {
  .key = "ddpm-scaled-linear",
  .label = N_ ("DDPM, scaled linear"),
  .blurb = N_ ("The 1000 steps of latent diffusion; for Stable Diffusion 1, 2 and XL"),
  .paper = "Rombach et al. 2022, arXiv 2112.10752",
  SUMI_TABLE_MEMBERS,
};
