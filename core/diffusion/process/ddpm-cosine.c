/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ᾱ(u) = cos² ((u + s)/(1 + s)·π/2), s = 0.008, u = t/T; β_t = 1 − ᾱ(t/T)/ᾱ((t − 1)/T), at most 0.999. Nichol and
 * Dhariwal 2021 (arXiv 2102.09672), eq. 17; t counts from 1 there. The bound is met in the last step only, whose σ is
 * 2·10⁴. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/diffusion/process.h"
#include "core/diffusion/process/table.h"

#define OFFSET 0.008

static double
alpha_bar (double u)
{
  const double c = cos ((u + OFFSET) / (1 + OFFSET) * G_PI / 2);

  return c * c;
}

static double
cosine_beta (int t)
{
  const double n = SUMI_TABLE_STEPS;

  return MIN (1 - alpha_bar ((t + 1) / n) / alpha_bar (t / n), 0.999);
}

static void
cosine_fill (double *b)
{
  sumi_table_sum (cosine_beta, b);
}

SUMI_TABLE (cosine_fill)

const SumiProcessClass sumi_process_ddpm_cosine = {
  .key = "ddpm-cosine",
  .label = N_ ("DDPM, cosine"),
  .blurb = N_ ("1000 steps that lose the picture evenly; for improved-DDPM models and small pictures"),
  .paper = "Nichol and Dhariwal 2021, arXiv 2102.09672, eq. 17",
  SUMI_TABLE_MEMBERS,
};
