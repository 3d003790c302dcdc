/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EDM preconditioning, for networks that know that it is theirs. Karras et al. 2022 (arXiv 2206.00364), table 1. */
#pragma once

#include "core/base/types.h"
#include "core/diffusion/precond.h"

G_BEGIN_DECLS

/* @sigma > 0; @sigma_data: the data's standard deviation. */
SumiPrecond sumi_precond_edm_at (double sigma, double sigma_data);

G_END_DECLS
