/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Statistics of each of the N samples of a state [N, H, W, C], f32 or f64, into @out [N], which a sticky error leaves
 * as it is or at 0. The same bytes for every thread count. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Σ a·b */
void sumi_samples_dot (SumiEval *ev, const SumiTensor *a, const SumiTensor *b, double *out);

/* √(mean of (a − its mean)²) */
void sumi_samples_std (SumiEval *ev, const SumiTensor *a, double *out);

/* The value that the share @q of all |a − @middle| is not above; between two values linear, as numpy.quantile.
 * @q: [0, 1] */
void sumi_samples_quantile (SumiEval *ev, const SumiTensor *a, double middle, double q, double *out);

/* a + factors[n]·b, @a nullable (0), into @out, nullable, which may be a or b. */
SumiTensor *
sumi_samples_scale (SumiEval *ev, const SumiTensor *a, const double *factors, const SumiTensor *b, SumiTensor *out);

G_END_DECLS
