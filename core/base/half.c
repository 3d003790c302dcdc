/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/half.h"

#include <string.h>

static float
from_bits (guint32 bits)
{
  float f;

  memcpy (&f, &bits, sizeof f);
  return f;
}

static guint32
to_bits (float f)
{
  guint32 bits;

  memcpy (&bits, &f, sizeof bits);
  return bits;
}

void
sumi_half_to_float (const guint16 *in, float *out, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      guint32 sign = (guint32) (in[i] & 0x8000) << 16;
      guint32 mag = in[i] & 0x7fff;

      if (mag >= 0x7c00) /* infinity, NaN */
        out[i] = from_bits (sign | 0x7f800000 | (mag & 0x3ff) << 13);
      else if (mag >= 0x0400)
        out[i] = from_bits (sign | ((mag << 13) + (112u << 23)));
      else /* subnormal: mag · 2^-24 is exact */
        out[i] = from_bits (sign | to_bits ((float) mag * 0x1p-24f));
    }
}

void
sumi_bfloat_to_float (const guint16 *in, float *out, gsize n)
{
  for (gsize i = 0; i < n; i++)
    out[i] = from_bits ((guint32) in[i] << 16);
}

void
sumi_float_to_half (const float *in, guint16 *out, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      guint32 bits = to_bits (in[i]);
      guint32 sign = bits >> 16 & 0x8000;
      guint32 mag = bits & 0x7fffffff;
      guint32 half;

      if (mag > 0x7f800000)
        half = 0x7e00; /* NaN */
      else if (mag >= 0x477ff000)
        half = 0x7c00; /* 65520 and more round to infinity */
      else if (mag >= 0x38800000)
        half = (mag - (112u << 23) + 0xfff + (mag >> 13 & 1)) >> 13;
      else
        {
          /* adding 2^-1 · 2^… makes the FPU round the subnormal to nearest even */
          half = to_bits (from_bits (mag) + 0.5f) - to_bits (0.5f);
        }
      out[i] = (guint16) (sign | half);
    }
}

void
sumi_float_to_bfloat (const float *in, guint16 *out, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      guint32 bits = to_bits (in[i]);

      if ((bits & 0x7fffffff) > 0x7f800000)
        out[i] = (guint16) (bits >> 16 | 0x40);
      else
        out[i] = (guint16) ((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
}
