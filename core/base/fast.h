/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Helpers of the SIMD kernels: an exponential and what is made of it, which the compiler vectorises. */
#pragma once

#include <glib.h>
#include <math.h>
#include <string.h>

#include "core/base/clones.h"

/* e^x to 2 ulp: 2^n·p(r), r = x − n·ln 2, with the Taylor polynomial of degree 7 on |r| ≤ ln 2 / 2. Clamped to
 * [−87, 88], where the result is a normal number. */
static inline float
sumi_fast_exp (float x)
{
  const float y = MIN (MAX (x, -87.0f), 88.0f);
  const float n = __builtin_rintf (y * 1.44269504f);
  const float r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
  const float p =
      1 +
      r * (1 + r * (0.5f + r * (1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r * (1.0f / 720 + r * (1.0f / 5040)))))));
  const gint32 bits = ((gint32) n + 127) << 23;
  float scale;

  memcpy (&scale, &bits, sizeof scale);
  return p * scale;
}

/* silu (x), from t = −x·log2 e: x/(1 + 2^t) = t/(c + c·2^t), c = −log2 e; c·2^t = 2^n·p(t − n), where t + 3·2^22 has n
 * in its last bits and p is a minimax fit of degree 5 on ±½, 1.5e-7 relative with its rounding. Below 3e-7·|x| off; not
 * a number stays one. |t| is kept to 126, as an integer: of comparisons of floats the compiler would make branches. */
#define SUMI_MINUS_LOG2_E -1.44269504f
static inline float
sumi_fast_silu_log2 (float t)
{
  float near = t, shifted, r, p;
  guint32 n, bits;

  memcpy (&bits, &t, sizeof bits);
  bits = MIN (bits & 0x7fffffff, 0x42fc0000) | (bits & 0x80000000);
  memcpy (&near, &bits, sizeof near);
  shifted = near + 12582912.0f;
  r = near - (shifted - 12582912.0f);
  p = -1.442695141f +
      r * (-0.999999702f + r * (-0.346565932f + r * (-0.08007986844f + r * (-0.01395885553f + r * -0.001915390021f))));
  memcpy (&n, &shifted, sizeof n);
  memcpy (&bits, &p, sizeof bits);
  bits += n << 23;
  memcpy (&p, &bits, sizeof p);
  return t / (p + SUMI_MINUS_LOG2_E);
}

static inline float
sumi_fast_silu (float x)
{
  return sumi_fast_silu_log2 (x * SUMI_MINUS_LOG2_E);
}

/* x·Φ(x), the exact (erf) gelu, as max (x, 0) − |x|·Φ(−|x|) with Φ(−z) = e^(−z²/2)·p(t), t = 1/(1 + z/4): p is a
 * minimax fit of ½·erfcx(z/√2) on 0 ≤ z ≤ 14, 8e-9 relative. As 1 + erf cancels nowhere, the error in f32 is below
 * 3e-7·|x|, and falls with Φ for negative x. */
static inline float
sumi_fast_gelu (float x)
{
  const float z = fabsf (x), t = 1 / (1 + 0.25f * z);
  const float p =
      t * (0.09974790398f +
           t * (0.09949254920f +
                t * (0.09551577144f +
                     t * (0.07199921692f +
                          t * (0.08665736774f +
                               t * (0.01271112831f +
                                    t * (0.02843650833f +
                                         t * (0.05165195417f + t * (-0.06279202607f + t * 0.01657963007f)))))))));

  return MAX (x, 0.0f) - z * (p * sumi_fast_exp (-0.5f * z * z));
}
