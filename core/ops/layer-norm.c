/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each row of the last dimension: (x − mean)/√(variance + ε)·γ + β (Ba, Kiros and Hinton 2016). */
#include <math.h>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"

static gboolean
layer_norm_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  SumiDims dims = { 0 };

  if (in[0]->n_dims < 1)
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "layer-norm: x has no dimensions, expected [..., C]");
      return FALSE;
    }
  dims = (SumiDims){ .dims = { { "C", in[0]->shape[in[0]->n_dims - 1] } }, .n = 1 };
  if (! sumi_expect (ev, &dims, in[1], "C", "layer-norm: gamma") ||
      ! sumi_expect (ev, &dims, in[2], "C", "layer-norm: beta"))
    return FALSE;
  *out = *in[0];
  return TRUE;
}

static void
layer_norm_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const SumiLayerNormParams *p = params;
  const gsize width = (gsize) out->shape[out->n_dims - 1], rows = width ? sumi_tensor_count (out) / width : 0;
  const float *gamma = sumi_tensor_f32 (in[1]), *beta = sumi_tensor_f32 (in[2]);

  for (gsize r = 0; r < rows; r++)
    {
      const float *x = sumi_tensor_f32 (in[0]) + r * width;
      float *y = sumi_tensor_f32 (out) + r * width;
      double mean = 0, variance = 0;

      for (gsize i = 0; i < width; i++)
        mean += x[i];
      mean /= (double) width;
      for (gsize i = 0; i < width; i++)
        variance += (x[i] - mean) * (x[i] - mean);
      variance /= (double) width;
      for (gsize i = 0; i < width; i++)
        y[i] = (float) ((x[i] - mean) / sqrt (variance + p->epsilon) * gamma[i] + beta[i]);
    }
}

typedef struct
{
  const float *x, *gamma, *g, *add; /* add: (nullable) */
  float *grad;
  gsize width;
  double epsilon;
} GradientJob;

/* With n = (x − mean)/deviation and u = g·γ: (u − mean (u) − n·mean (u·n))/deviation. */
static void
layer_norm_gradient_row (gpointer data, int index, int thread)
{
  const GradientJob *job = data;
  const gsize at = (gsize) index * job->width;
  const float *x = job->x + at, *g = job->g + at, *add = job->add ? job->add + at : NULL;
  const double count = (double) job->width;
  double mean = 0, variance = 0, mean_u = 0, mean_un = 0, scale;

  for (gsize i = 0; i < job->width; i++)
    mean += x[i] / count;
  for (gsize i = 0; i < job->width; i++)
    variance += (x[i] - mean) * (x[i] - mean) / count;
  scale = 1 / sqrt (variance + job->epsilon);
  for (gsize i = 0; i < job->width; i++)
    {
      const double u = (double) g[i] * job->gamma[i];

      mean_u += u / count;
      mean_un += u * (x[i] - mean) * scale / count;
    }
  for (gsize i = 0; i < job->width; i++)
    {
      const double u = (double) g[i] * job->gamma[i], n = (x[i] - mean) * scale;

      job->grad[at + i] = (float) ((u - mean_u - n * mean_un) * scale + (add ? add[i] : 0));
    }
}

static void
layer_norm_gradient (SumiEval *ev, const SumiBackward *b)
{
  GradientJob job = {
    .x = sumi_tensor_f32 (b->in[0]),
    .gamma = sumi_tensor_f32 (b->in[1]),
    .g = sumi_tensor_f32 (b->g),
    .add = b->add[0] ? sumi_tensor_f32 (b->add[0]) : NULL,
    .grad = sumi_tensor_f32 (b->grad[0]),
    .width = (gsize) b->g->shape[b->g->n_dims - 1],
    .epsilon = ((const SumiLayerNormParams *) b->params)->epsilon,
  };

  if (job.width)
    sumi_parallel_for (ev->pool, (int) (sumi_tensor_count (b->g) / job.width), layer_norm_gradient_row, &job);
}

static const SumiLayerNormParams params_clip = { 1e-5 };
static const SumiOpCase layer_norm_cases[] = {
  { .in = { { 1 }, { 1 }, { 1 } }, .params = &params_clip },
  { .in = { { 3, 7 }, { 7 }, { 7 } }, .params = &params_clip },
  { .in = { { 2, 77, 320 }, { 320 }, { 320 } }, .params = &params_clip },
  { .in = { { 1, 3, 5, 33 }, { 33 }, { 33 } }, .params = &params_clip },
};

const SumiOpClass sumi_op_layer_norm = {
  .key = "layer-norm",
  .n_in = 3,
  .shape = layer_norm_shape,
  .reference = layer_norm_reference,
  .cases = layer_norm_cases,
  .n_cases = G_N_ELEMENTS (layer_norm_cases),
  .tolerance = 1e-12,
  .inplace = 1 << 0,
  .params_size = sizeof (SumiLayerNormParams),
  .gradient = layer_norm_gradient,
  .over = 1 << 0,
  .keeps = 1 << 0 | 1 << 1,
  .fixed = 1 << 1 | 1 << 2,
};

SumiTensor *
sumi_layer_norm (SumiEval *ev,
                 const SumiTensor *x,
                 const SumiTensor *gamma,
                 const SumiTensor *beta,
                 double epsilon,
                 SumiTensor *out)
{
  const SumiLayerNormParams params = { epsilon };

  return sumi_op_call (ev, &sumi_op_layer_norm, (const SumiTensor *const[]){ x, gamma, beta }, &params, out);
}
