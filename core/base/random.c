/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Philox 4×32-10: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
 * Normals by Box and Muller. */
#include "core/base/random.h"

#include <math.h>

void
sumi_random_bits (guint64 seed, guint32 stream, const guint32 counter[3], guint32 out[4])
{
  guint32 c[4] = { counter[0], counter[1], counter[2], stream };
  guint32 k0 = (guint32) seed, k1 = (guint32) (seed >> 32);

  for (int round = 0; round < 10; round++)
    {
      guint64 p0 = (guint64) 0xD2511F53u * c[0], p1 = (guint64) 0xCD9E8D57u * c[2];
      guint32 n[4] = { (guint32) (p1 >> 32) ^ c[1] ^ k0, (guint32) p1, (guint32) (p0 >> 32) ^ c[3] ^ k1, (guint32) p0 };

      for (int i = 0; i < 4; i++)
        c[i] = n[i];
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
  for (int i = 0; i < 4; i++)
    out[i] = c[i];
}

void
sumi_random_normal (guint64 seed, guint32 stream, int x, int y, guint32 c, float out[2])
{
  guint32 bits[4];
  double u, r, angle;

  sumi_random_bits (seed, stream, (const guint32[]){ (guint32) x, (guint32) y, c }, bits);
  /* (0, 1]: the logarithm stays finite; 53 bits so that the tails are right */
  u = ((double) (((guint64) bits[0] << 21) ^ (bits[1] >> 11)) + 1) * 0x1p-53;
  angle = 2 * G_PI * (double) bits[2] * 0x1p-32;
  r = sqrt (-2 * log (u));
  out[0] = (float) (r * cos (angle));
  out[1] = (float) (r * sin (angle));
}

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014) over the three words. */
static guint64
mix (guint64 z)
{
  z = (z ^ z >> 30) * G_GUINT64_CONSTANT (0xBF58476D1CE4E5B9);
  z = (z ^ z >> 27) * G_GUINT64_CONSTANT (0x94D049BB133111EB);
  return z ^ z >> 31;
}

guint64
sumi_random_hash (guint64 a, guint64 b, guint64 c)
{
  const guint64 golden = G_GUINT64_CONSTANT (0x9E3779B97F4A7C15);

  return mix (mix (mix (a + golden) + b + golden) + c + golden);
}
