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

#include "core/cpu/fast.h"

/* A tile of C of ROWS × COLS stays in registers (12 of AVX2's 16) while a packed panel of B [BLOCK_K, COLS], 16 KB,
 * stays in the first-level cache and serves every row of A. */
#define ROWS    6
#define COLS    16
#define BLOCK_K 256

typedef float Vector __attribute__ ((vector_size (COLS * sizeof (float)), aligned (sizeof (float))));

/* C[@rows, COLS] += A[@rows, @k]·@panel; the last rows of A are read again where there are less than ROWS. */
SUMI_CLONES static void
multiply_tile (const float *a, int lda, const float *panel, int k, int rows, float *c, int ldc)
{
  const float *row[ROWS];
  Vector sum[ROWS] = { { 0 } };

  for (int i = 0; i < ROWS; i++)
    row[i] = a + (gsize) MIN (i, rows - 1) * (gsize) lda;
  for (int l = 0; l < k; l++)
    {
      const Vector b = *(const Vector *) (panel + l * COLS);

      for (int i = 0; i < ROWS; i++)
        sum[i] += row[i][l] * b;
    }
  for (int i = 0; i < rows; i++)
    *(Vector *) (c + (gsize) i * (gsize) ldc) += sum[i];
}

/* The same into fewer than COLS columns. */
static void
multiply_edge (const float *a, int lda, const float *panel, int k, int rows, float *c, int ldc, int cols)
{
  float tile[ROWS * COLS] = { 0 };

  multiply_tile (a, lda, panel, k, rows, tile, COLS);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++)
      c[(gsize) i * (gsize) ldc + (gsize) j] += tile[i * COLS + j];
}

static void
multiply_transposed (int m, int n, int k, const float *a, int lda, const float *b, int ldb, float *c, int ldc)
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
}

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
  float panel[BLOCK_K * COLS];

  if (! accumulate)
    for (int i = 0; i < m; i++)
      memset (c + (gsize) i * (gsize) ldc, 0, sizeof (float) * (gsize) n);
  if (b_transposed)
    {
      multiply_transposed (m, n, k, a, lda, b, ldb, c, ldc);
      return;
    }
  for (int k0 = 0; k0 < k; k0 += BLOCK_K)
    for (int n0 = 0; n0 < n; n0 += COLS)
      {
        const int depth = MIN (BLOCK_K, k - k0), cols = MIN (COLS, n - n0);

        if (cols < COLS)
          memset (panel, 0, sizeof panel);
        for (int l = 0; l < depth; l++)
          memcpy (panel + l * COLS, b + (gsize) (k0 + l) * (gsize) ldb + n0, sizeof (float) * (gsize) cols);
        for (int i = 0; i < m; i += ROWS)
          {
            const float *from = a + (gsize) i * (gsize) lda + k0;
            float *to = c + (gsize) i * (gsize) ldc + n0;

            if (cols == COLS)
              multiply_tile (from, lda, panel, depth, MIN (ROWS, m - i), to, ldc);
            else
              multiply_edge (from, lda, panel, depth, MIN (ROWS, m - i), to, ldc, cols);
          }
      }
}

#endif
