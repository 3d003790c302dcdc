/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arithmetic on states that lincomb alone does not have; f32 and f64. Everything follows SumiEval's sticky error, and
 * gives the same bytes for every thread count. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* @to = @from. */
void sumi_copy (SumiEval *ev, const SumiTensor *from, SumiTensor *to);

/* Σ weights[i]·terms[i], n ≥ 1, into @out, nullable, which may be terms[0] but no other. */
SumiTensor *sumi_mix (SumiEval *ev, int n, const double *weights, SumiTensor *const *terms, SumiTensor *out);

/* Mean over the samples n of @a [N, H, W, C] of √(Σ a²): the norm that score-SDE's step rules take. */
double sumi_mean_norm (SumiEval *ev, const SumiTensor *a);

/* Σ a·b over everything, in double. */
double sumi_dot (SumiEval *ev, const SumiTensor *a, const SumiTensor *b);

/* map·a + (1 − map)·b, b nullable (0), into @out, nullable, which may be a or b. @map: [N, H, W, 1]. */
SumiTensor *sumi_blend (SumiEval *ev, const SumiTensor *map, const SumiTensor *a, const SumiTensor *b, SumiTensor *out);

/* Whether every value is a finite number. */
gboolean sumi_is_finite (const SumiTensor *t);

G_END_DECLS
