/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The CPU backend: fast twins of ops, named like them; an op without one runs its reference. */
#pragma once

#include "core/tensor/backend.h"

G_BEGIN_DECLS

/* A row of the table: kernel for the op of that key. */
typedef struct
{
  const char *op;
  SumiKernel run;
} SumiCpuKernel;

const SumiBackend *sumi_backend_cpu (void);

/* C ← A·B (+ C if @accumulate), row-major f32, in the calling thread. @a: [m, k], rows @lda apart; @b: [k, n], or [n,
 * k] when @b_transposed; @c: [m, n]. */
void sumi_gemm (int m,
                int n,
                int k,
                const float *a,
                int lda,
                const float *b,
                int ldb,
                gboolean b_transposed,
                float *c,
                int ldc,
                gboolean accumulate);

G_END_DECLS
