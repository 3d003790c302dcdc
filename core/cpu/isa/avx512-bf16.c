/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AVX-512 with products of bf16 pairs (VDPBF16PS): twice the multiplications of f32. */
#include <immintrin.h>

#define LANES   16
#define ROWS    8
#define VECTORS 3

#include "core/cpu/attention.h"
#include "core/cpu/isa/kernels.inc"

static gboolean
usable (void)
{
  return __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512dq") &&
         __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512vl") &&
         __builtin_cpu_supports ("avx512bf16");
}

INLINE void
multiply_bf16 (const int m,
               const int nv,
               int k,
               const guint16 *a,
               gsize lda,
               const guint16 *b,
               float *c,
               gsize ldc,
               const float *bias,
               const float *add)
{
  const guint16 *row[3] = { a, a + 3 * lda, a + 6 * lda };
  Vector sum[8][3];

  start_sums (sum, m, nv, bias, add, ldc);
  for (int l = 0; l < k; l++)
    {
      __m512bh right[3];

      UNROLL (3)
      for (int j = 0; j < nv; j++)
        right[j] = (__m512bh) _mm512_loadu_si512 (b + 2 * j * LANES);
      UNROLL (8)
      for (int i = 0; i < m; i++)
        {
          gint32 pair;
          __m512bh left;

          memcpy (&pair, row[i / 3] + (gsize) (i % 3) * lda, sizeof pair);
          left = (__m512bh) _mm512_set1_epi32 (pair);
          UNROLL (3)
          for (int j = 0; j < nv; j++)
            sum[i][j] = (Vector) _mm512_dpbf16_ps ((__m512) sum[i][j], left, right[j]);
        }
      b += 2 * nv * LANES;
      UNROLL (3)
      for (int i = 0; i < 3; i++)
        row[i] += 2;
    }
  store_sums (sum, m, nv, c, ldc);
}

#define BF16_ARGS                                                                                                      \
  int k, const guint16 *a, gsize lda, const guint16 *b, float *c, gsize ldc, const float *bias, const float *add
#define BF16(m, nv)                                                                                                    \
  static void bf16_##m##_##nv (BF16_ARGS)                                                                              \
  {                                                                                                                    \
    multiply_bf16 (m, nv, k, a, lda, b, c, ldc, bias, add);                                                            \
  }
#define BF16_ROWS(m) BF16 (m, 1) BF16 (m, 2) BF16 (m, 3)

BF16_ROWS (1)
BF16_ROWS (2)
BF16_ROWS (3)
BF16_ROWS (4)
BF16_ROWS (5)
BF16_ROWS (6)
BF16_ROWS (7)
BF16_ROWS (8)

static void
product_bf16 (int m,
              int nv,
              int k,
              const guint16 *a,
              gsize lda,
              const guint16 *b,
              float *c,
              gsize ldc,
              const float *bias,
              const float *add)
{
  static void (*const tiles[][3]) (BF16_ARGS) = {
    PRODUCT_NAMES (bf16, 1), PRODUCT_NAMES (bf16, 2), PRODUCT_NAMES (bf16, 3), PRODUCT_NAMES (bf16, 4),
    PRODUCT_NAMES (bf16, 5), PRODUCT_NAMES (bf16, 6), PRODUCT_NAMES (bf16, 7), PRODUCT_NAMES (bf16, 8),
  };

  tiles[m - 1][nv - 1](k, a, lda, b, c, ldc, bias, add);
}

const SumiCpuIsa sumi_isa_avx512_bf16 = {
  .key = "avx512-bf16",
  .label = "AVX-512 with BF16",
  .usable = usable,
  KERNELS,
  .product_bf16 = product_bf16,
  .attention = &sumi_attention_avx512,
  .attention_bf16 = &sumi_attention_avx512_bf16,
};
