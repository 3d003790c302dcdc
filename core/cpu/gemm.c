/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The matrix product under linear and convolution: OpenBLAS when it was found, else a plain blocked loop that the
 * compiler vectorises. OpenBLAS is kept to one thread: our pool cuts the work, so results do not depend on how many. */
#include "core/cpu/backend.h"

#ifdef SUMI_HAVE_OPENBLAS

#include <cblas.h>

void
sumi_gemm (int m,
           int n,
           int k,
           const float *a,
           int lda,
           const float *b,
           int ldb,
           gboolean b_transposed,
           float *c,
           int ldc,
           gboolean accumulate)
{
  static gsize once = 0;

  if (g_once_init_enter (&once))
    {
      openblas_set_num_threads (1);
      g_once_init_leave (&once, 1);
    }
  cblas_sgemm (CblasRowMajor, CblasNoTrans, b_transposed ? CblasTrans : CblasNoTrans, m, n, k, 1, a, lda, b, ldb,
               accumulate ? 1 : 0, c, ldc);
}

#else

#include <string.h>

#define BLOCK_K 128
#define BLOCK_N 512

void
sumi_gemm (int m,
           int n,
           int k,
           const float *a,
           int lda,
           const float *b,
           int ldb,
           gboolean b_transposed,
           float *c,
           int ldc,
           gboolean accumulate)
{
  if (! accumulate)
    for (int i = 0; i < m; i++)
      memset (c + (gsize) i * (gsize) ldc, 0, sizeof (float) * (gsize) n);
  if (b_transposed)
    {
      for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++)
          {
            const float *x = a + (gsize) i * (gsize) lda, *y = b + (gsize) j * (gsize) ldb;
            float sum = 0;

            for (int l = 0; l < k; l++)
              sum += x[l] * y[l];
            c[(gsize) i * (gsize) ldc + (gsize) j] += sum;
          }
      return;
    }
  /* a block of B stays in the cache while every row of A passes over it */
  for (int n0 = 0; n0 < n; n0 += BLOCK_N)
    for (int k0 = 0; k0 < k; k0 += BLOCK_K)
      for (int i = 0; i < m; i++)
        {
          float *restrict y = c + (gsize) i * (gsize) ldc + n0;
          const int width = MIN (BLOCK_N, n - n0);

          for (int l = k0; l < MIN (k0 + BLOCK_K, k); l++)
            {
              const float factor = a[(gsize) i * (gsize) lda + (gsize) l];
              const float *x = b + (gsize) l * (gsize) ldb + n0;

              for (int j = 0; j < width; j++)
                y[j] += factor * x[j];
            }
        }
}

#endif
