/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the mean towards a sampled answer, where there is something to see: small models speckle even ground, which the
 * mean shows to be even. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Pixels around one that its result depends on. */
#define SUMI_DETAIL_MARGIN 6

/* @mean: 3 channels, changed in place: mean + @amount · v/(v + τ²) · (sample − mean), v the variance of the mean's
 *   luminance over 13 × 13 pixels, τ = 0.03
 * @sample: the same size
 * @amount: [0, 1] */
gboolean sumi_mix_detail (SumiPool *pool, SumiImage *mean, const SumiImage *sample, double amount, GError **error);

G_END_DECLS
