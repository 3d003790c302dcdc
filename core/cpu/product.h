/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Products with packed weights: what linear and convolution come down to. Arrays are row-major. */
#pragma once

#include "core/cpu/isa.h"

G_BEGIN_DECLS

/* A right factor Bᵀ [n, k] in panels (isa.h). */
typedef struct
{
  const SumiCpuIsa *isa;
  int n, k;
  gboolean bf16;
  gconstpointer panels;
} SumiPacked;

/* Elements from row to row of a left factor packed for @p: k, made even for bf16. */
gsize sumi_packed_depth (const SumiPacked *p);
/* @w: [n, k/@taps, @taps] of any type; its row is taken as [@taps, k/@taps]: a convolution's channels are innermost.
 * Fills in the panels, prepared once if @w keeps prepared forms. Returns: FALSE after sumi_eval_fail(). */
gboolean sumi_packed_prepare (SumiEval *ev, SumiPacked *p, const SumiTensor *w, int taps);

/* C[@m, the columns of panels @from to @to − 1] ← A·B + @bias + @add, in the calling thread. @a: [m, k] f32, or bf16
 * [m, 2·⌈k/2⌉] when @b is, rows @lda elements apart; @bias: (nullable) [n]; @add: (nullable) spaced like @c, which it
 * may be;
 * @c: rows @ldc apart. Each element of C is the same sum in the same order however m and the panels are cut. */
void sumi_product (const SumiPacked *b,
                   int from,
                   int to,
                   int m,
                   gconstpointer a,
                   gsize lda,
                   const float *bias,
                   const float *add,
                   float *c,
                   gsize ldc);

G_END_DECLS
