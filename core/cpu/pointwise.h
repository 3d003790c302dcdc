/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ops that take one number to one number. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Calls @span on parts of @x and @out (which may be the same) until all elements are done. */
void
sumi_cpu_pointwise (SumiEval *ev, const SumiTensor *x, SumiTensor *out, void (*span) (const float *x, float *y, int n));

G_END_DECLS
