/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a list of noise levels costs, by how well a model denoises at each (SumiErrorTable in schedule.h). */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* E (x0 − D)² at @sigma > 0: ln error linear in ln σ between the table's levels, beyond its top as at the top, and
 * below its bottom falling as σ², as every good denoiser's does. > 0. */
double sumi_error_at (const SumiErrorTable *table, double sigma);

/* The variational bound's part that depends on the steps, in nats per value: Σ ½·(1/σ_{i+1}² − 1/σ_i²)·error (σ_i) over
 * the steps between the @n levels of @sigmas [n], falling. See schedule/dp.c. */
double sumi_error_cost (const SumiErrorTable *table, const double *sigmas, int n);

G_END_DECLS
