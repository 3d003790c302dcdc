/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loops for AVX2 and AVX-512. 512-bit instructions take 4 cycles and start at most two a cycle, so 8 chains would
 * do; 16 leave room. */
#include "core/bench/peak.h"

#include <cpuid.h>
#include <immintrin.h>

#define CHAINS 16

#define AVX2   __attribute__ ((target ("avx2,fma")))
#define AVXV   __attribute__ ((target ("avx2,avxvnni")))
#define AVX512 __attribute__ ((target ("avx512f")))
#define BF16   __attribute__ ((target ("avx512f,avx512bf16")))
#define VNNI   __attribute__ ((target ("avx512f,avx512vnni")))

/* ---- AVX2 ------------------------------------------------------------- */

/* of 16 registers two are operands */
#define CHAINS_AVX2 12

AVX2 static float
avx2_fma (gint64 n)
{
  const __m256 scale = _mm256_set1_ps (0.9f), step = _mm256_set1_ps (0.1f);
  __m256 sum[CHAINS_AVX2];
  float lanes[8], all = 0;

  for (int c = 0; c < CHAINS_AVX2; c++)
    sum[c] = _mm256_set1_ps ((float) c);
  for (gint64 i = 0; i < n; i++)
#pragma GCC unroll 12
    for (int c = 0; c < CHAINS_AVX2; c++)
      sum[c] = _mm256_fmadd_ps (sum[c], scale, step);
  for (int c = 0; c < CHAINS_AVX2; c++)
    {
      _mm256_storeu_ps (lanes, sum[c]);
      all += lanes[0] + lanes[7];
    }
  return all;
}

AVXV static float
avx2_int8 (gint64 n)
{
  const __m256i a = _mm256_set1_epi8 (1), b = _mm256_set1_epi8 (2);
  __m256i sum[CHAINS_AVX2];
  int all = 0;

  for (int c = 0; c < CHAINS_AVX2; c++)
    sum[c] = _mm256_set1_epi32 (c);
  for (gint64 i = 0; i < n; i++)
#pragma GCC unroll 12
    for (int c = 0; c < CHAINS_AVX2; c++)
      sum[c] = _mm256_dpbusd_avx_epi32 (sum[c], a, b);
  for (int c = 0; c < CHAINS_AVX2; c++)
    all ^= _mm256_extract_epi32 (sum[c], 0) ^ _mm256_extract_epi32 (sum[c], 7);
  return (float) all;
}

AVX2 static float
avx2_read (const float *data, gsize size)
{
  __m256 sum[8];
  float lanes[8], all = 0;

  for (int c = 0; c < 8; c++)
    sum[c] = _mm256_setzero_ps ();
  for (gsize i = 0; i < size / 4; i += 64)
#pragma GCC unroll 8
    for (int c = 0; c < 8; c++)
      sum[c] = _mm256_add_ps (sum[c], _mm256_load_ps (data + i + 8 * c));
  for (int c = 0; c < 8; c++)
    {
      _mm256_storeu_ps (lanes, sum[c]);
      all += lanes[0] + lanes[7];
    }
  return all;
}

/* ---- AVX-512 ---------------------------------------------------------- */

AVX512 static float
avx512_fma (gint64 n)
{
  const __m512 scale = _mm512_set1_ps (0.9f), step = _mm512_set1_ps (0.1f);
  __m512 sum[CHAINS];
  float all = 0;

  for (int c = 0; c < CHAINS; c++)
    sum[c] = _mm512_set1_ps ((float) c);
  for (gint64 i = 0; i < n; i++)
#pragma GCC unroll 16
    for (int c = 0; c < CHAINS; c++)
      sum[c] = _mm512_fmadd_ps (sum[c], scale, step);
  for (int c = 0; c < CHAINS; c++)
    all += _mm512_reduce_add_ps (sum[c]);
  return all;
}

BF16 static float
avx512_bf16 (gint64 n)
{
  const __m512bh a = _mm512_cvtne2ps_pbh (_mm512_set1_ps (0.5f), _mm512_set1_ps (-0.5f));
  const __m512bh b = _mm512_cvtne2ps_pbh (_mm512_set1_ps (0.25f), _mm512_set1_ps (0.75f));
  __m512 sum[CHAINS];
  float all = 0;

  for (int c = 0; c < CHAINS; c++)
    sum[c] = _mm512_set1_ps ((float) c);
  for (gint64 i = 0; i < n; i++)
#pragma GCC unroll 16
    for (int c = 0; c < CHAINS; c++)
      sum[c] = _mm512_dpbf16_ps (sum[c], a, b);
  for (int c = 0; c < CHAINS; c++)
    all += _mm512_reduce_add_ps (sum[c]);
  return all;
}

VNNI static float
avx512_int8 (gint64 n)
{
  const __m512i a = _mm512_set1_epi32 (0x01010101), b = _mm512_set1_epi32 (0x02020202);
  __m512i sum[CHAINS];
  int all = 0;

  for (int c = 0; c < CHAINS; c++)
    sum[c] = _mm512_set1_epi32 (c);
  for (gint64 i = 0; i < n; i++)
#pragma GCC unroll 16
    for (int c = 0; c < CHAINS; c++)
      sum[c] = _mm512_dpbusd_epi32 (sum[c], a, b);
  for (int c = 0; c < CHAINS; c++)
    all ^= _mm512_reduce_or_epi32 (sum[c]);
  return (float) all;
}

AVX512 static float
avx512_read (const float *data, gsize size)
{
  __m512 sum[8];
  float all = 0;

  for (int c = 0; c < 8; c++)
    sum[c] = _mm512_setzero_ps ();
  for (gsize i = 0; i < size / 4; i += 128)
#pragma GCC unroll 8
    for (int c = 0; c < 8; c++)
      sum[c] = _mm512_add_ps (sum[c], _mm512_load_ps (data + i + 16 * c));
  for (int c = 0; c < 8; c++)
    all += _mm512_reduce_add_ps (sum[c]);
  return all;
}

/* clang 14 does not know this one by name */
static gboolean
has_avx_vnni (void)
{
  unsigned a = 0, b, c, d;

  return __get_cpuid_count (7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}

const SumiBenchPeak *
sumi_bench_peak_x86 (void)
{
  static SumiBenchPeak best;

  if (__builtin_cpu_supports ("avx512f"))
    best = (SumiBenchPeak){ .key = "AVX-512",
                            .fma = avx512_fma,
                            .bf16 = __builtin_cpu_supports ("avx512bf16") ? avx512_bf16 : NULL,
                            .int8 = __builtin_cpu_supports ("avx512vnni") ? avx512_int8 : NULL,
                            .fma_ops = 2 * 16 * CHAINS,
                            .bf16_ops = 2 * 32 * CHAINS,
                            .int8_ops = 2 * 64 * CHAINS,
                            .read = avx512_read };
  else if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    best = (SumiBenchPeak){ .key = "AVX2",
                            .fma = avx2_fma,
                            .int8 = has_avx_vnni () ? avx2_int8 : NULL,
                            .fma_ops = 2 * 8 * CHAINS_AVX2,
                            .int8_ops = 2 * 32 * CHAINS_AVX2,
                            .read = avx2_read };
  return best.key ? &best : NULL;
}
