/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What several schedules are under different names: levels of equal ratios. Equal steps in ln σ are equal steps in
 * λ = ln (α/σ) = −ln σ (variance-exploding), half the log of the signal-to-noise ratio. */
#pragma once

#include "core/diffusion/schedule.h"

G_BEGIN_DECLS

/* SumiScheduleClass.sigmas: from σ_max to σ_min by equal ratios, then 0. */
gboolean sumi_schedule_ratios (int n, const SumiScheduleInput *input, double *sigmas, GError **error);

/* The @n levels of Karras et al. 2022 (arXiv 2206.00364), eq. 5, without the 0. */
void sumi_karras_levels (int n, double rho, double sigma_min, double sigma_max, double *sigmas);

G_END_DECLS
