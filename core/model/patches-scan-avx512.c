/* SPDX-License-Identifier: GPL-3.0-or-later */
#if defined(__x86_64__)
#include <immintrin.h>

#define SCAN_OWN
#define TARGET __attribute__ ((target ("avx512f,avx512bw,avx512vl,avx512dq")))
#include "core/model/patches-scan-body.h"

/* The order of the plain one. */
static INLINE float
add_up (__m512i lanes)
{
  const __m512 f = _mm512_cvtepi32_ps (lanes);
  const __m256 a = _mm256_add_ps (_mm512_castps512_ps256 (f), _mm512_extractf32x8_ps (f, 1));
  const __m128 b = _mm_add_ps (_mm256_castps256_ps128 (a), _mm256_extractf128_ps (a, 1));
  const __m128 c = _mm_add_ps (b, _mm_movehl_ps (b, b));

  return _mm_cvtss_f32 (_mm_add_ss (c, _mm_movehdup_ps (c)));
}

static INLINE float
distance_of (const PatchesQuery *q, const guint8 *p, int side, float limit)
{
  __m512i sum = _mm512_setzero_si512 ();

  for (int j = 0; j < side; j++, p += q->stride)
    {
      const __m512i pixels = _mm512_cvtepu8_epi16 (_mm256_loadu_si256 ((const __m256i *) p));
      const __m512i d = _mm512_mullo_epi16 (_mm512_sub_epi16 (_mm512_loadu_si512 (q->y + j * PATCHES_ROW), pixels),
                                            _mm512_loadu_si512 (q->scale + j * PATCHES_ROW));

      sum = _mm512_add_epi32 (sum, _mm512_madd_epi16 (d, d));
      if (j == 1 || j == 3)
        {
          const float so_far = add_up (sum);

          if (so_far >= limit)
            return so_far;
        }
    }
  return add_up (sum);
}

static INLINE float
scan_distance (const PatchesQuery *q, const guint8 *base, int source, float limit)
{
  const guint8 *p = base + 4 * (gssize) source + q->offset;

  return q->side == PATCHES_SIDE ? distance_of (q, p, PATCHES_SIDE, limit) : distance_of (q, p, q->side, limit);
}

static INLINE int
scan_lanes (void)
{
  return 32;
}

static INLINE __m512i
add_pixel (__m512i sum, __m512i pixel, __m512i y, __m512i scale)
{
  const __m512i d = _mm512_mullo_epi16 (_mm512_sub_epi16 (y, pixel), scale);

  return _mm512_add_epi32 (sum, _mm512_madd_epi16 (d, d));
}

static INLINE guint32
scan_filter (const PatchesQuery *q, const guint8 *base, int source, float limit)
{
  const guint8 *p = base + 4 * (gssize) source + q->offset;
  const __m512i bytes = _mm512_set1_epi16 (255);
  const __m512i most = _mm512_set1_epi32 (patches_scan_limit (limit) / 2);
  __m512i low0 = _mm512_setzero_si512 (), high0 = low0, low1 = low0, high1 = low0;

  for (int j = 0; j < 2; j++, p += q->stride)
    for (int i = 0; i < q->side; i++)
      {
        const gint32 *pair = q->pairs[j * q->side + i];
        const __m512i y0 = _mm512_set1_epi32 (pair[0]), y1 = _mm512_set1_epi32 (pair[1]);
        const __m512i s0 = _mm512_set1_epi32 (pair[2]), s1 = _mm512_set1_epi32 (pair[3]);
        const __m512i a = _mm512_loadu_si512 (p + 4 * i), b = _mm512_loadu_si512 (p + 4 * i + 64);

        low0 = add_pixel (low0, _mm512_and_si512 (a, bytes), y0, s0);
        high0 = add_pixel (high0, _mm512_and_si512 (b, bytes), y0, s0);
        low1 = add_pixel (low1, _mm512_srli_epi16 (a, 8), y1, s1);
        high1 = add_pixel (high1, _mm512_srli_epi16 (b, 8), y1, s1);
      }
  /* halves, so that the sum of both fits */
  low0 = _mm512_add_epi32 (_mm512_srli_epi32 (low0, 1), _mm512_srli_epi32 (low1, 1));
  high0 = _mm512_add_epi32 (_mm512_srli_epi32 (high0, 1), _mm512_srli_epi32 (high1, 1));
  return (guint32) _mm512_cmplt_epi32_mask (low0, most) | (guint32) _mm512_cmplt_epi32_mask (high0, most) << 16;
}

static gboolean
usable (void)
{
  return __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512vl") &&
         __builtin_cpu_supports ("avx512dq");
}

const PatchesScanClass patches_scan_avx512 = { "avx512", usable, scan_sweep, scan_exact };
#endif
