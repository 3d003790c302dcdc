/* SPDX-License-Identifier: GPL-3.0-or-later */
/* At each pixel, over channels: y_c = x_c / √(mean x² + ε)·g_c, then silu (y_c·(1 + a_c) + k_c); a = k = 0 without @ac.
 * models/restore.md, "F": rms and silu, with the block's scale and shift between them. */
#include <math.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/fast.h"
#include "core/base/parallel.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"

static gboolean
rms_silu_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  SumiDims dims = { 0 };

  if (! sumi_expect (ev, &dims, in[0], "N H W C", "rms-silu: x") ||
      ! sumi_expect (ev, &dims, in[1], "C", "rms-silu: g") ||
      (in[2] && ! sumi_expect (ev, &dims, in[2], "N 2C", "rms-silu: scale and shift")))
    return FALSE;
  if (in[2] && in[2]->shape[1] != 2 * in[0]->shape[3])
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "rms-silu: scale and shift have %d values, expected 2·%d", in[2]->shape[1],
                      in[0]->shape[3]);
      return FALSE;
    }
  *out = *in[0];
  return TRUE;
}

static void
rms_silu_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const int channels = out->shape[3];
  const gsize pixels = (gsize) out->shape[1] * (gsize) out->shape[2];
  const float *x = sumi_tensor_f32 (in[0]), *g = sumi_tensor_f32 (in[1]);
  float *y = sumi_tensor_f32 (out);

  for (gsize n = 0; n < (gsize) out->shape[0]; n++)
    {
      const float *ac = in[2] ? sumi_tensor_f32 (in[2]) + n * (gsize) (2 * channels) : NULL;

      for (gsize i = 0; i < pixels; i++, x += channels, y += channels)
        {
          double sum = 0, scale;

          for (int c = 0; c < channels; c++)
            sum += (double) x[c] * x[c];
          scale = 1 / sqrt (sum / channels + SUMI_RMS_EPSILON);
          for (int c = 0; c < channels; c++)
            {
              double v = x[c] * scale * g[c];

              if (ac)
                v = v * (1 + (double) ac[c]) + ac[channels + c];
              y[c] = (float) (v / (1 + exp (-v)));
            }
        }
    }
}

/* ---- gradient --------------------------------------------------------- */

#define LANES 16
/* floats of a piece, about */
#define PIECE 16384

typedef struct
{
  const float *x, *g, *add;    /* [N, H, W, C]; add: (nullable) */
  const float *factor, *shift; /* [N, C]: the gain with the scale, (1 + a)·g; k */
  float *room;                 /* [threads, C] */
  float *grad;
  int channels;
  gsize plane, span; /* pixels of a picture, of a piece */
  int pieces;        /* per picture */
} GradientJob;

/* Σ a·b, in LANES sums: in one order on all threads, and fast. */
static inline float
dot (const float *a, const float *b, int n)
{
  float sums[LANES] = { 0 }, sum = 0;
  int i = 0;

  for (; i + LANES <= n; i += LANES)
    for (int l = 0; l < LANES; l++)
      sums[l] += a[i + l] * b[i + l];
  for (; i < n; i++)
    sum += a[i] * b[i];
  for (int l = 0; l < LANES; l++)
    sum += sums[l];
  return sum;
}

/* With scale s = 1/√(mean x² + ε), v = s·x·f + k and u = g·silu'(v)·f: s·u − x·s³·mean (u·x). The exponential is good
 * to 2 ulp. */
SUMI_CLONES static void
gradient_pixels (const float *x,
                 const float *g,
                 const float *add,
                 const float *factor,
                 const float *shift,
                 float *u,
                 float *grad,
                 int channels,
                 gsize n)
{
  const float count = (float) channels;

  for (gsize p = 0; p < n; p++, x += channels, g += channels, grad += channels)
    {
      const float s = 1 / sqrtf (dot (x, x, channels) / count + (float) SUMI_RMS_EPSILON);
      float back;

      for (int c = 0; c < channels; c++)
        {
          const float v = s * x[c] * factor[c] + shift[c], sigmoid = 1 / (1 + sumi_fast_exp (-v));

          u[c] = g[c] * factor[c] * (sigmoid * (1 + v * (1 - sigmoid)));
        }
      back = s * s * s * dot (u, x, channels) / count;
      if (add)
        for (int c = 0; c < channels; c++)
          grad[c] = add[p * (gsize) channels + (gsize) c] + (s * u[c] - back * x[c]);
      else
        for (int c = 0; c < channels; c++)
          grad[c] = s * u[c] - back * x[c];
    }
}

static void
gradient_piece (gpointer data, int index, int thread)
{
  const GradientJob *job = data;
  const gsize n = (gsize) (index / job->pieces), start = (gsize) (index % job->pieces) * job->span;
  const gsize channels = (gsize) job->channels, at = (n * job->plane + start) * channels;

  gradient_pixels (job->x + at, job->g + at, job->add ? job->add + at : NULL, job->factor + n * channels,
                   job->shift + n * channels, job->room + (gsize) thread * channels, job->grad + at, job->channels,
                   MIN (job->plane - start, job->span));
}

static void
rms_silu_gradient (SumiEval *ev, const SumiBackward *b)
{
  const gsize pictures = (gsize) b->g->shape[0], channels = (gsize) b->g->shape[3];
  const float *gain = sumi_tensor_f32 (b->in[1]), *ac = b->in[2] ? sumi_tensor_f32 (b->in[2]) : NULL;
  float *factor = sumi_arena_alloc (ev->scratch, sizeof (float) * pictures * channels);
  float *shift = sumi_arena_alloc (ev->scratch, sizeof (float) * pictures * channels);
  GradientJob job = {
    .x = sumi_tensor_f32 (b->in[0]),
    .g = sumi_tensor_f32 (b->g),
    .add = b->add[0] ? sumi_tensor_f32 (b->add[0]) : NULL,
    .factor = factor,
    .shift = shift,
    .room = sumi_arena_alloc (ev->scratch, sizeof (float) * channels * (gsize) sumi_pool_get_n_threads (ev->pool)),
    .grad = sumi_tensor_f32 (b->grad[0]),
    .channels = (int) channels,
    .plane = (gsize) b->g->shape[1] * (gsize) b->g->shape[2],
    .span = MAX (PIECE / MAX (channels, 1), 1),
  };

  if (! factor || ! shift || ! job.room)
    {
      sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "no memory for the scales of %d channels", job.channels);
      return;
    }
  for (gsize n = 0; n < pictures; n++)
    for (gsize c = 0; c < channels; c++)
      {
        factor[n * channels + c] = ac ? gain[c] * (1 + ac[2 * n * channels + c]) : gain[c];
        shift[n * channels + c] = ac ? ac[(2 * n + 1) * channels + c] : 0;
      }
  job.pieces = (int) ((job.plane + job.span - 1) / job.span);
  sumi_parallel_for (ev->pool, (int) pictures * job.pieces, gradient_piece, &job);
}

/* ---- cases ------------------------------------------------------------ */

static const SumiOpCase rms_silu_cases[] = {
  { .in = { { 1, 1, 1, 1 }, { 1 } } },
  { .in = { { 1, 3, 7, 5 }, { 5 } } },
  { .in = { { 1, 5, 9, 16 }, { 16 } } },
  { .in = { { 2, 3, 11, 31 }, { 31 }, { 2, 62 } } },
  { .in = { { 2, 16, 20, 48 }, { 48 }, { 2, 96 } } },
  { .in = { { 1, 31, 67, 33 }, { 33 }, { 1, 66 } } },
};

const SumiOpClass sumi_op_rms_silu = {
  .key = "rms-silu",
  .n_in = 3,
  .optional = 1 << 2,
  .shape = rms_silu_shape,
  .reference = rms_silu_reference,
  .cases = rms_silu_cases,
  .n_cases = G_N_ELEMENTS (rms_silu_cases),
  .tolerance = 1e-11,
  .inplace = 1 << 0,
  .gradient = rms_silu_gradient,
  .over = 1 << 0,
  .keeps = 1 << 0 | 1 << 1 | 1 << 2,
  .fixed = 1 << 1 | 1 << 2,
};

SumiTensor *
sumi_rms_silu (SumiEval *ev, const SumiTensor *x, const SumiTensor *g, const SumiTensor *ac, SumiTensor *out)
{
  return sumi_op_call (ev, &sumi_op_rms_silu, (const SumiTensor *const[]){ x, g, ac }, NULL, out);
}
