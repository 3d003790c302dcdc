/* SPDX-License-Identifier: GPL-3.0-or-later */
/* √β in equal steps from √0.00085 to √0.012: latent diffusion's table (Rombach et al. 2022, arXiv 2112.10752, its
 * published configurations). */
#pragma once

#include <math.h>

#include "core/diffusion/process/table.h"

static inline double
sumi_scaled_linear_beta (int t)
{
  const double a = sqrt (0.00085), b = sqrt (0.012), root = a + (b - a) * t / (SUMI_TABLE_STEPS - 1);

  return root * root;
}
