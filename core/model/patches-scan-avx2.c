/* SPDX-License-Identifier: GPL-3.0-or-later */
#if defined(__x86_64__)
#include <immintrin.h>

#define SCAN_OWN
#define TARGET __attribute__ ((target ("avx2")))
#include "core/model/patches-scan-body.h"

/* The order of the plain one. */
static INLINE float
add_up (__m256i low, __m256i high)
{
  const __m256 a = _mm256_add_ps (_mm256_cvtepi32_ps (low), _mm256_cvtepi32_ps (high));
  const __m128 b = _mm_add_ps (_mm256_castps256_ps128 (a), _mm256_extractf128_ps (a, 1));
  const __m128 c = _mm_add_ps (b, _mm_movehl_ps (b, b));

  return _mm_cvtss_f32 (_mm_add_ss (c, _mm_movehdup_ps (c)));
}

static INLINE __m256i
add_half_row (__m256i sum, const guint8 *p, const gint16 *y, const gint16 *scale)
{
  const __m256i pixels = _mm256_cvtepu8_epi16 (_mm_loadu_si128 ((const __m128i *) p));
  const __m256i d = _mm256_mullo_epi16 (_mm256_sub_epi16 (_mm256_loadu_si256 ((const __m256i *) y), pixels),
                                        _mm256_loadu_si256 ((const __m256i *) scale));

  return _mm256_add_epi32 (sum, _mm256_madd_epi16 (d, d));
}

static INLINE float
scan_distance (const PatchesQuery *q, const guint8 *base, int source, float limit)
{
  const guint8 *p = base + 4 * (gssize) source + q->offset;
  __m256i low = _mm256_setzero_si256 (), high = low;

  for (int j = 0; j < q->side; j++, p += q->stride)
    {
      const gint16 *y = q->y + j * PATCHES_ROW, *scale = q->scale + j * PATCHES_ROW;

      low = add_half_row (low, p, y, scale);
      high = add_half_row (high, p + 16, y + 16, scale + 16);
      if (j == 1 || j == 3)
        {
          const float so_far = add_up (low, high);

          if (so_far >= limit)
            return so_far;
        }
    }
  return add_up (low, high);
}

static INLINE int
scan_lanes (void)
{
  return 16;
}

static INLINE __m256i
add_pixel (__m256i sum, __m256i pixel, __m256i y, __m256i scale)
{
  const __m256i d = _mm256_mullo_epi16 (_mm256_sub_epi16 (y, pixel), scale);

  return _mm256_add_epi32 (sum, _mm256_madd_epi16 (d, d));
}

static INLINE guint32
scan_filter (const PatchesQuery *q, const guint8 *base, int source, float limit)
{
  const guint8 *p = base + 4 * (gssize) source + q->offset;
  const __m256i bytes = _mm256_set1_epi16 (255);
  const __m256i most = _mm256_set1_epi32 (patches_scan_limit (limit) / 2);
  __m256i low0 = _mm256_setzero_si256 (), high0 = low0, low1 = low0, high1 = low0;

  for (int j = 0; j < 2; j++, p += q->stride)
    for (int i = 0; i < q->side; i++)
      {
        const gint32 *pair = q->pairs[j * q->side + i];
        const __m256i y0 = _mm256_set1_epi32 (pair[0]), y1 = _mm256_set1_epi32 (pair[1]);
        const __m256i s0 = _mm256_set1_epi32 (pair[2]), s1 = _mm256_set1_epi32 (pair[3]);
        const __m256i a = _mm256_loadu_si256 ((const __m256i *) (p + 4 * i)),
                      b = _mm256_loadu_si256 ((const __m256i *) (p + 4 * i + 32));

        low0 = add_pixel (low0, _mm256_and_si256 (a, bytes), y0, s0);
        high0 = add_pixel (high0, _mm256_and_si256 (b, bytes), y0, s0);
        low1 = add_pixel (low1, _mm256_srli_epi16 (a, 8), y1, s1);
        high1 = add_pixel (high1, _mm256_srli_epi16 (b, 8), y1, s1);
      }
  /* halves, so that the sum of both fits */
  low0 = _mm256_add_epi32 (_mm256_srli_epi32 (low0, 1), _mm256_srli_epi32 (low1, 1));
  high0 = _mm256_add_epi32 (_mm256_srli_epi32 (high0, 1), _mm256_srli_epi32 (high1, 1));
  return (guint32) _mm256_movemask_ps (_mm256_castsi256_ps (_mm256_cmpgt_epi32 (most, low0))) |
         (guint32) _mm256_movemask_ps (_mm256_castsi256_ps (_mm256_cmpgt_epi32 (most, high0))) << 8;
}

static gboolean
usable (void)
{
  return __builtin_cpu_supports ("avx2") != 0;
}

const PatchesScanClass patches_scan_avx2 = { "avx2", usable, scan_sweep, scan_exact };
#endif
