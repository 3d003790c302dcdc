/* SPDX-License-Identifier: GPL-3.0-or-later */
/* β(t) = 0.1 + 19.9·t on [0, 1] and B(t) = ∫₀ᵗ β: what the VP and the sub-VP process have in common. Song et al. 2021
 * (arXiv 2011.13456), appendix C. */
#pragma once

#include <math.h>

#define SUMI_BETA_MIN 0.1
#define SUMI_BETA_MAX 20.0

static inline double
sumi_linear_beta (double t)
{
  return SUMI_BETA_MIN + t * (SUMI_BETA_MAX - SUMI_BETA_MIN);
}

static inline double
sumi_linear_beta_integral (double t)
{
  return t * (SUMI_BETA_MIN + t * (SUMI_BETA_MAX - SUMI_BETA_MIN) / 2);
}

/* The time of B = @b ≥ 0; this root of the quadratic does not cancel where @b is small. */
static inline double
sumi_linear_beta_time (double b)
{
  return 2 * b / (SUMI_BETA_MIN + sqrt (SUMI_BETA_MIN * SUMI_BETA_MIN + 2 * b * (SUMI_BETA_MAX - SUMI_BETA_MIN)));
}
