/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scaled-linear table with √ᾱ shifted to end in 0 and scaled to begin as it did. Lin et al. 2023 (arXiv
 * 2305.08891), algorithm 1.
 *
 * Its last σ is infinite. As in the public libraries ᾱ_T is 2⁻²⁴ instead, the least that a half float holds: σ = 4096.
 * A sampler that starts there takes 4096·noise for x; its first call then sees noise alone, as the paper wants, and
 * D = −v up to 1/4096. An ε model cannot say anything there: this table is for v and x0 models. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/process.h"
#include "core/diffusion/process/scaled-linear.h"

#define LAST_ALPHA_BAR (1.0 / (1 << 24))

static void
zero_snr_fill (double *b)
{
  double first, last;

  sumi_table_sum (sumi_scaled_linear_beta, b);
  first = exp (-b[0] / 2);
  last = exp (-b[SUMI_TABLE_STEPS - 1] / 2);
  for (int t = 1; t < SUMI_TABLE_STEPS - 1; t++)
    b[t] = -2 * log ((exp (-b[t] / 2) - last) * first / (first - last));
  b[SUMI_TABLE_STEPS - 1] = -log (LAST_ALPHA_BAR);
}

SUMI_TABLE (zero_snr_fill)

const SumiProcessClass sumi_process_ddpm_zero_snr = {
  .key = "ddpm-zero-snr",
  .label = N_ ("DDPM, zero terminal SNR"),
  .blurb = N_ ("Scaled linear, ending in pure noise: true blacks and whites; for v-prediction models trained so"),
  .paper = "Lin et al. 2023, arXiv 2305.08891, algorithm 1",
  SUMI_TABLE_MEMBERS,
};
