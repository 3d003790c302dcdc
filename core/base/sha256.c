/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/sha256.h"

#include <string.h>

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

static const guint32 rounds[64] = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static gboolean
has_sha (void)
{
  guint a, b, c, d;

  return __builtin_cpu_supports ("sse4.1") && __get_cpuid_count (7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* @state: a to h. The instructions keep it as (a b e f) and (c d g h), and do four rounds in two steps. */
__attribute__ ((target ("sha,sse4.1"))) static void
hash_blocks (guint32 state[8], const guint8 *data, gsize n_blocks)
{
  const __m128i swap = _mm_set_epi64x (0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  const __m128i abcd = _mm_loadu_si128 ((const __m128i *) state),
                efgh = _mm_loadu_si128 ((const __m128i *) (state + 4));
  const __m128i badc = _mm_shuffle_epi32 (abcd, 0xb1), hgfe = _mm_shuffle_epi32 (efgh, 0x1b);
  __m128i abef = _mm_alignr_epi8 (badc, hgfe, 8), cdgh = _mm_blend_epi16 (hgfe, badc, 0xf0);
  __m128i feba, dchg;

  for (; n_blocks > 0; n_blocks--, data += 64)
    {
      const __m128i old_abef = abef, old_cdgh = cdgh;
      __m128i w[4];

      for (int i = 0; i < 4; i++)
        w[i] = _mm_shuffle_epi8 (_mm_loadu_si128 ((const __m128i *) (data + 16 * i)), swap);
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++)
        {
          const __m128i now = w[i % 4];
          const __m128i sum = _mm_add_epi32 (now, _mm_loadu_si128 ((const __m128i *) (rounds + 4 * i)));

          cdgh = _mm_sha256rnds2_epu32 (cdgh, abef, sum);
          abef = _mm_sha256rnds2_epu32 (abef, cdgh, _mm_shuffle_epi32 (sum, 0x0e));
          /* four more words of the message from the last sixteen, of which @now are the oldest */
          if (i < 12)
            {
              const __m128i w1 = w[(i + 1) % 4], w2 = w[(i + 2) % 4], w3 = w[(i + 3) % 4];

              w[i % 4] = _mm_sha256msg2_epu32 (
                  _mm_add_epi32 (_mm_sha256msg1_epu32 (now, w1), _mm_alignr_epi8 (w3, w2, 4)), w3);
            }
        }
      abef = _mm_add_epi32 (abef, old_abef);
      cdgh = _mm_add_epi32 (cdgh, old_cdgh);
    }
  feba = _mm_shuffle_epi32 (abef, 0x1b);
  dchg = _mm_shuffle_epi32 (cdgh, 0xb1);
  _mm_storeu_si128 ((__m128i *) state, _mm_blend_epi16 (feba, dchg, 0xf0));
  _mm_storeu_si128 ((__m128i *) (state + 4), _mm_alignr_epi8 (dchg, feba, 8));
}

static char *
dup_hex (const guint8 *data, gsize size)
{
  guint32 state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
  const gsize rest = size % 64, end = rest < 56 ? 64 : 128;
  guint8 last[128] = { 0 };
  char *hex = g_malloc (65);

  hash_blocks (state, data, size / 64);
  if (rest)
    memcpy (last, data + size - rest, rest);
  last[rest] = 0x80;
  for (int i = 0; i < 8; i++)
    last[end - 1 - (gsize) i] = (guint8) ((guint64) size * 8 >> (8 * i));
  hash_blocks (state, last, end / 64);
  for (int i = 0; i < 8; i++)
    g_snprintf (hex + 8 * i, 9, "%08x", state[i]);
  return hex;
}

#endif

char *
sumi_sha256_dup_hex (gconstpointer data, gsize size)
{
#if defined(__x86_64__)
  if (has_sha ())
    return dup_hex (data, size);
#endif
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, size);
}
