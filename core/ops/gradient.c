/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/ops/gradient.h"

#include <math.h>

#include "core/base/parallel.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"

/* elements at a time */
#define PIECE 4096

double
sumi_silu_slope (double x)
{
  const double s = 1 / (1 + exp (-x));

  return s * (1 + x * (1 - s));
}

double
sumi_gelu_slope (double x)
{
  return 0.5 * erfc (-x * G_SQRT2 / 2) + x * exp (-0.5 * x * x) / sqrt (2 * G_PI);
}

typedef struct
{
  const float *x, *g, *add; /* add: (nullable) */
  float *y;
  gsize n;
  double (*slope) (double x);
} PointwiseJob;

static void
pointwise_piece (gpointer data, int index, int thread)
{
  const PointwiseJob *job = data;
  const gsize start = (gsize) index * PIECE, end = MIN (job->n, start + PIECE);

  for (gsize i = start; i < end; i++)
    job->y[i] = (float) (job->g[i] * job->slope (job->x[i]) + (job->add ? job->add[i] : 0));
}

void
sumi_gradient_pointwise (SumiEval *ev, const SumiBackward *b, double (*slope) (double x))
{
  PointwiseJob job = {
    .x = sumi_tensor_f32 (b->in[0]),
    .g = sumi_tensor_f32 (b->g),
    .add = b->add[0] ? sumi_tensor_f32 (b->add[0]) : NULL,
    .y = sumi_tensor_f32 (b->grad[0]),
    .n = sumi_tensor_count (b->g),
    .slope = slope,
  };

  sumi_parallel_for (ev->pool, (int) ((job.n + PIECE - 1) / PIECE), pointwise_piece, &job);
}

typedef struct
{
  const float *g, *add; /* add: (nullable) */
  float *out;
  gsize width, channels, stride, from; /* width, channels: of out; stride: channels of g */
  gboolean shrink;
} ChannelsJob;

/* One row of @out. */
static void
channels_row (gpointer data, int index, int thread)
{
  const ChannelsJob *job = data;
  const gsize at = (gsize) index * job->width * job->channels;
  const gsize row = (job->shrink ? 2 : 1) * job->width * job->stride; /* of g */
  const float *add = job->add ? job->add + at : NULL;
  float *to = job->out + at;

  for (gsize j = 0; j < job->width; j++, to += job->channels)
    {
      const float *p =
          job->g +
          (job->shrink ? 2 * (gsize) index * row + 2 * j * job->stride : (gsize) index * row + j * job->stride) +
          job->from;

      for (gsize c = 0; c < job->channels; c++)
        {
          float sum = p[c];

          if (job->shrink)
            sum = (p[c] + p[job->stride + c]) + (p[row + c] + p[row + job->stride + c]);
          to[c] = add ? sum + add[j * job->channels + c] : sum;
        }
    }
}

void
sumi_gradient_channels (SumiEval *ev,
                        const SumiTensor *g,
                        int from,
                        gboolean shrink,
                        const SumiTensor *add,
                        SumiTensor *out)
{
  ChannelsJob job = {
    .g = sumi_tensor_f32 (g),
    .add = add ? sumi_tensor_f32 (add) : NULL,
    .out = sumi_tensor_f32 (out),
    .width = (gsize) out->shape[2],
    .channels = (gsize) out->shape[3],
    .stride = (gsize) g->shape[3],
    .from = (gsize) from,
    .shrink = shrink,
  };

  sumi_parallel_for (ev->pool, out->shape[0] * out->shape[1], channels_row, &job);
}

SumiTensor *
sumi_gradient_place (const SumiBackward *b)
{
  return b->add[0] ? NULL : b->grad[0];
}

void
sumi_gradient_finish (SumiEval *ev, const SumiBackward *b, SumiTensor *t)
{
  if (b->add[0])
    sumi_add (ev, b->add[0], t, b->grad[0]);
}
