/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For some pixels that stay in the first-level cache the squares are summed in LANES partial sums each, which a
 * transposing tree brings together, in the same order on every instruction set; then they are scaled, shifted and put
 * through silu. Gain, scale, shift and the log2 e of silu are brought together once per picture. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/fast.h"
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define LANES 16
/* floats of a piece, about */
#define PIECE 32768
/* pixels whose roots are taken side by side: as many as LANES for the transposing */
#define GROUP 16

typedef float Lanes __attribute__ ((vector_size (LANES * sizeof (float)), aligned (sizeof (float)), may_alias));
typedef gint32 Mask __attribute__ ((vector_size (LANES * sizeof (gint32))));

typedef struct
{
  const float *x;
  const float *factor, *shift; /* [N, padded], at least LANES, of zeros behind the channels */
  float *y;
  int channels, padded;
  int pieces; /* per picture */
  gsize span, plane;
} Job;

/* Of each 4 lanes: sums of pairs of a's, then of b's. Macros, as vectors are handed over differently per set. */
#define ADD_PAIRS(a, b)                                                                                                \
  (__builtin_shufflevector (a, b, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30) +                         \
   __builtin_shufflevector (a, b, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31))
/* Sums of fours of a's lanes, then of b's. */
#define ADD_FOURS(a, b)                                                                                                \
  (__builtin_shufflevector (a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +                          \
   __builtin_shufflevector (a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31))

/* @total: [GROUP], the sum of each vector's lanes. */
static inline void
add_across (const Lanes sums[GROUP], float *total)
{
  Lanes fours[4];

  for (int i = 0; i < 4; i++)
    {
      const Lanes a = ADD_PAIRS (sums[4 * i], sums[4 * i + 1]), b = ADD_PAIRS (sums[4 * i + 2], sums[4 * i + 3]);

      fours[i] = ADD_PAIRS (a, b);
    }
  fours[0] = ADD_FOURS (fours[0], fours[1]);
  fours[2] = ADD_FOURS (fours[2], fours[3]);
  *(Lanes *) total = ADD_FOURS (fours[0], fours[2]);
}

/* LANES channels; the values between tell the compiler that reading @x and writing @y do not depend on each other */
static inline void
affine_silu (const float *x, float scale, const float *factor, const float *shift, float *y)
{
  float v[LANES];

  for (int l = 0; l < LANES; l++)
    v[l] = sumi_fast_silu_log2 (x[l] * scale * factor[l] + shift[l]);
  memcpy (y, v, sizeof v);
}

/* @x, @y: [n, channels], which may be the same; @factor, @shift: [channels]; @n ≤ GROUP, channels ≥ LANES, of which
 * @counted are not padding. The last LANES channels may overlap those before: they are read before anything is written,
 * and come out the same. */
SUMI_CLONES static void
rms_silu_group (const float *x, const float *factor, const float *shift, float *y, int channels, int counted, int n)
{
  const int whole = channels / LANES * LANES, tail = channels - LANES, overlap = whole - tail;
  const float count = (float) counted;
  Lanes sums[GROUP] = { 0 };
  float scale[GROUP];
  Mask behind;

  for (int l = 0; l < LANES; l++)
    behind[l] = l < overlap ? 0 : -1;
  for (int p = 0; p < n; p++)
    {
      const float *at = x + (gsize) p * (gsize) channels;
      Lanes sum = { 0 };

      for (int c = 0; c < whole; c += LANES)
        sum += *(const Lanes *) (at + c) * *(const Lanes *) (at + c);
      if (overlap < LANES)
        {
          const Lanes last = (Lanes) ((Mask) * (const Lanes *) (at + tail) & behind);

          sum += last * last;
        }
      sums[p] = sum;
    }
  add_across (sums, scale);
  for (int p = 0; p < GROUP; p++)
    scale[p] = 1 / sqrtf (scale[p] / count + (float) SUMI_RMS_EPSILON);
  for (int p = 0; p < n; p++, x += channels, y += channels)
    {
      float last[LANES];

      if (overlap < LANES)
        affine_silu (x + tail, scale[p], factor + tail, shift + tail, last);
      for (int c = 0; c < whole; c += LANES)
        affine_silu (x + c, scale[p], factor + c, shift + c, y + c);
      if (overlap < LANES)
        memcpy (y + tail, last, sizeof last);
    }
}

/* Fewer channels than lanes: the group's pixels are spread to LANES values, zeros behind. */
static void
rms_silu_narrow (const float *x, const float *factor, const float *shift, float *y, int channels, int n)
{
  float values[GROUP * LANES] = { 0 };

  for (int p = 0; p < n; p++)
    for (int c = 0; c < channels; c++)
      values[p * LANES + c] = x[p * channels + c];
  rms_silu_group (values, factor, shift, values, LANES, channels, n);
  for (int p = 0; p < n; p++)
    memcpy (y + p * channels, values + p * LANES, sizeof (float) * (gsize) channels);
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
    {
      const int group = (int) MIN (pixels - i, GROUP);
      const float *x = j->x + at + i * (gsize) j->channels;
      float *y = j->y + at + i * (gsize) j->channels;

      if (j->channels < LANES)
        rms_silu_narrow (x, factor, shift, y, j->channels, group);
      else
        rms_silu_group (x, factor, shift, y, j->channels, j->channels, group);
    }
}

static void
rms_silu_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  const int n = out->shape[0], channels = out->shape[3], padded = MAX (channels, LANES);
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
            factor[i * padded + c] = SUMI_MINUS_LOG2_E * (ac ? g[c] * (1 + ac[2 * i * channels + c]) : g[c]);
            shift[i * padded + c] = SUMI_MINUS_LOG2_E * (ac ? ac[(2 * i + 1) * channels + c] : 0);
          }
      job.pieces = (int) ((job.plane + job.span - 1) / job.span);
      sumi_parallel_for (ev->pool, n * job.pieces, rms_silu_piece, &job);
    }
  sumi_arena_release (ev->scratch, mark);
}

const SumiCpuKernel sumi_cpu_rms_silu = { "rms-silu", rms_silu_run };
