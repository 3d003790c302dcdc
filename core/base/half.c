/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/half.h"

#include <string.h>

#include "core/base/clones.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

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

/* NaNs become quiet, as the CPU's own conversion makes them. */
static void
half_to_float (const guint16 *in, float *out, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      guint32 sign = (guint32) (in[i] & 0x8000) << 16;
      guint32 mag = in[i] & 0x7fff;

      if (mag >= 0x7c00) /* infinity, NaN */
        out[i] = from_bits (sign | 0x7f800000 | (mag & 0x3ff) << 13 | (mag > 0x7c00 ? 0x400000 : 0));
      else if (mag >= 0x0400)
        out[i] = from_bits (sign | ((mag << 13) + (112u << 23)));
      else /* subnormal: mag · 2^-24 is exact */
        out[i] = from_bits (sign | to_bits ((float) mag * 0x1p-24f));
    }
}

#if defined(__x86_64__)

/* AVX needs the system's support too, which the compiler's function knows; F16C comes with it on the same CPUs. */
static gboolean
has_f16c (void)
{
  guint a, b, c, d;

  return __builtin_cpu_supports ("avx") && __get_cpuid (1, &a, &b, &c, &d) && (c & bit_F16C);
}

__attribute__ ((target ("avx,f16c"))) static void
half_to_float_f16c (const guint16 *in, float *out, gsize n)
{
  gsize i = 0;

  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps (out + i, _mm256_cvtph_ps (_mm_loadu_si128 ((const __m128i *) (in + i))));
  half_to_float (in + i, out + i, n - i);
}

#endif

void
sumi_half_to_float (const guint16 *in, float *out, gsize n)
{
#if defined(__x86_64__)
  static gsize checked = 0;

  if (g_once_init_enter (&checked))
    g_once_init_leave (&checked, has_f16c () ? 2 : 1);
  if (checked == 2)
    {
      half_to_float_f16c (in, out, n);
      return;
    }
#endif
  half_to_float (in, out, n);
}

void
sumi_e4m3_to_float (const guint8 *in, float *out, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      const guint32 sign = (guint32) (in[i] & 0x80) << 24, mag = in[i] & 0x7f;

      if (mag == 0x7f)
        out[i] = from_bits (sign | 0x7fc00000);
      else if (mag >= 0x08)
        out[i] = from_bits (sign | ((mag << 20) + (120u << 23)));
      else /* subnormal: mag · 2^-9 is exact */
        out[i] = from_bits (sign | to_bits ((float) mag * 0x1p-9f));
    }
}

void
sumi_e5m2_to_float (const guint8 *in, float *out, gsize n)
{
  guint16 half[256];

  for (gsize i = 0; i < n; i += G_N_ELEMENTS (half))
    {
      const gsize m = MIN (n - i, G_N_ELEMENTS (half));

      for (gsize k = 0; k < m; k++)
        half[k] = (guint16) (in[i + k] << 8);
      sumi_half_to_float (half, out + i, m);
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

SUMI_CLONES static void
float_to_bfloat (const float *in, guint16 *out, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      guint32 bits;

      memcpy (&bits, in + i, sizeof bits);
      out[i] =
          (guint16) ((bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
}

void
sumi_float_to_bfloat (const float *in, guint16 *out, gsize n)
{
  float_to_bfloat (in, out, n);
}
