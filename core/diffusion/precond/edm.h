/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EDM preconditioning: D(x; σ) = c_skip·x + c_out·F(c_in·x; c_noise). Karras et al. 2022 (arXiv 2206.00364), table 1.
 */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef struct
{
  double c_skip, c_out, c_in, c_noise;
} SumiPrecond;

/* @sigma > 0; @sigma_data: the data's standard deviation. */
SumiPrecond sumi_precond_edm (double sigma, double sigma_data);

G_END_DECLS
