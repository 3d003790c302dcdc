/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vectorised along the channels: for some pixels that stay in the first-level cache the squares are summed in LANES
 * partial sums, whose order is the same on every instruction set, then they are scaled, shifted and put through silu.
 * Gain, scale and shift are brought together once per picture. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/cpu/fast.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define LANES 16
/* floats of a piece, about */
#define PIECE 32768
/* pixels whose roots are taken side by side */
#define GROUP 16

typedef float Lanes __attribute__ ((vector_size (LANES * sizeof (float)), aligned (sizeof (float)), may_alias));

typedef struct
{
  const float *x;
  const float *factor, *shift; /* [N, padded], of zeros behind the channels */
  float *y;
  int channels, padded;
  int pieces; /* per picture */
  gsize span, plane;
} Job;

/* Σ x² */
static inline float
sum_squares (const float *x, int n)
{
  Lanes sum = { 0 };
  float part[LANES], total = 0;
  int i = 0;

  for (; i + LANES <= n; i += LANES)
    {
      const Lanes v = *(const Lanes *) (x + i);

      sum += v * v;
    }
  for (; i < n; i++)
    total += x[i] * x[i];
  *(Lanes *) part = sum;
  for (int l = 0; l < 8; l++)
    part[l] += part[l + 8];
  for (int l = 0; l < 4; l++)
    part[l] += part[l + 4];
  return total + ((part[0] + part[2]) + (part[1] + part[3]));
}

/* LANES channels; the values between tell the compiler that reading @x and writing @y do not depend on each other */
static inline void
affine_silu (const float *x, float scale, const float *factor, const float *shift, float *y)
{
  float v[LANES];

  for (int l = 0; l < LANES; l++)
    v[l] = x[l] * scale * factor[l] + shift[l];
  for (int l = 0; l < LANES; l++)
    y[l] = sumi_fast_silu (v[l]);
}

/* @x, @y: [n, channels], which may be the same; @factor, @shift: [channels], padded to LANES; @n ≤ GROUP */
SUMI_CLONES static void
rms_silu_group (const float *x, const float *factor, const float *shift, float *y, int channels, int n)
{
  const int whole = channels / LANES * LANES;
  const gsize rest = (gsize) (channels - whole) * sizeof (float);
  float scale[GROUP] = { 0 }, last[LANES] = { 0 };

  for (int p = 0; p < n; p++)
    scale[p] = sum_squares (x + (gsize) p * (gsize) channels, channels);
  for (int p = 0; p < GROUP; p++)
    scale[p] = 1 / sqrtf (scale[p] / (float) channels + (float) SUMI_RMS_EPSILON);
  for (int p = 0; p < n; p++, x += channels, y += channels)
    {
      for (int c = 0; c < whole; c += LANES)
        affine_silu (x + c, scale[p], factor + c, shift + c, y + c);
      if (rest == 0)
        continue;
      memcpy (last, x + whole, rest);
      affine_silu (last, scale[p], factor + whole, shift + whole, last);
      memcpy (y + whole, last, rest);
    }
}

static void
rms_silu_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize n = (gsize) (index / j->pieces), start = (gsize) (index % j->pieces) * j->span;
  const gsize at = (n * j->plane + start) * (gsize) j->channels;
  const float *factor = j->factor + n * (gsize) j->padded, *shift = j->shift + n * (gsize) j->padded;
  const gsize pixels = MIN (j->plane - start, j->span);

  for (gsize i = 0; i < pixels; i += GROUP)
    rms_silu_group (j->x + at + i * (gsize) j->channels, factor, shift, j->y + at + i * (gsize) j->channels,
                    j->channels, (int) MIN (pixels - i, GROUP));
}

static void
rms_silu_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  const int n = out->shape[0], channels = out->shape[3], padded = (channels + LANES - 1) / LANES * LANES;
  const gsize count = (gsize) n * (gsize) padded;
  const float *g = sumi_tensor_f32 (in[1]), *ac = in[2] ? sumi_tensor_f32 (in[2]) : NULL;
  float *factor = sumi_arena_alloc (ev->scratch, sizeof (float) * count);
  float *shift = sumi_arena_alloc (ev->scratch, sizeof (float) * count);
  Job job = {
    .x = sumi_tensor_f32 (in[0]),
    .factor = factor,
    .shift = shift,
    .y = sumi_tensor_f32 (out),
    .channels = channels,
    .padded = padded,
    .span = MAX (PIECE / MAX (channels, 1), 1),
    .plane = (gsize) out->shape[1] * (gsize) out->shape[2],
  };

  if (! factor || ! shift)
    sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "no memory for the scales of %d channels", channels);
  else
    {
      memset (factor, 0, sizeof (float) * count);
      memset (shift, 0, sizeof (float) * count);
      for (int i = 0; i < n; i++)
        for (int c = 0; c < channels; c++)
          {
            factor[i * padded + c] = ac ? g[c] * (1 + ac[2 * i * channels + c]) : g[c];
            shift[i * padded + c] = ac ? ac[(2 * i + 1) * channels + c] : 0;
          }
      job.pieces = (int) ((job.plane + job.span - 1) / job.span);
      sumi_parallel_for (ev->pool, n * job.pieces, rms_silu_piece, &job);
    }
  sumi_arena_release (ev->scratch, mark);
}

const SumiCpuKernel sumi_cpu_rms_silu = { "rms-silu", rms_silu_run };
