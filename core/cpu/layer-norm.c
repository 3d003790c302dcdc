/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows are shared out; a row stays in the first-level cache for its three passes: mean, variance about it, result. Sums
 * run in LANES parts, so that they are vectors and the same on every machine's vector width. */
#include <math.h>

#include "core/base/fast.h"
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define PIECE 16384
#define LANES 64

typedef struct
{
  const float *x, *gamma, *beta;
  float *y;
  gsize rows, width, span; /* span: rows of a piece */
  double epsilon;
} Job;

/* Σ (x − pivot), Σ (x − pivot)² */
SUMI_CLONES static void
row_sums (const float *restrict x, gsize n, float pivot, double sums[2])
{
  float sum[LANES] = { 0 }, square[LANES] = { 0 };
  gsize i = 0;

  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++)
      {
        const float d = x[i + (gsize) k] - pivot;

        sum[k] += d;
        square[k] += d * d;
      }
  for (int k = 0; i < n; i++, k++)
    {
      const float d = x[i] - pivot;

      sum[k] += d;
      square[k] += d * d;
    }
  for (int half = LANES / 2; half >= 4; half /= 2)
    for (int k = 0; k < half; k++)
      {
        sum[k] += sum[k + half];
        square[k] += square[k + half];
      }
  sums[0] = ((double) sum[0] + sum[1]) + ((double) sum[2] + sum[3]);
  sums[1] = ((double) square[0] + square[1]) + ((double) square[2] + square[3]);
}

SUMI_CLONES static void
row_scale (const float *x,
           const float *gamma,
           const float *beta,
           float mean,
           float scale,
           float shift,
           float *y,
           gsize n)
{
  for (gsize i = 0; i < n; i++)
    y[i] = ((x[i] - mean) * scale + shift) * gamma[i] + beta[i];
}

/* For values whose squares leave the range of floats. */
static void
row_moments_wide (const float *x, gsize n, double *mean, double *variance)
{
  *mean = *variance = 0;
  for (gsize i = 0; i < n; i++)
    *mean += x[i] / (double) n;
  for (gsize i = 0; i < n; i++)
    *variance += (x[i] - *mean) * (x[i] - *mean) / (double) n;
}

static void
layer_norm_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize start = (gsize) index * j->span, end = MIN (start + j->span, j->rows);
  const double n = (double) j->width;

  for (gsize r = start; r < end; r++)
    {
      const float *x = j->x + r * j->width;
      double sums[2], mean, variance, scale;

      row_sums (x, j->width, 0, sums);
      mean = sums[0] / n;
      /* about the rounded mean: then only the rounding's square is missing */
      row_sums (x, j->width, (float) mean, sums);
      mean = (float) mean + sums[0] / n;
      variance = MAX (0, sums[1] / n - sums[0] / n * (sums[0] / n));
      if (! isfinite (variance))
        row_moments_wide (x, j->width, &mean, &variance);
      scale = 1 / sqrt (variance + j->epsilon);
      row_scale (x, j->gamma, j->beta, (float) mean, (float) scale, (float) (((float) mean - mean) * scale),
                 j->y + r * j->width, j->width);
    }
}

static void
layer_norm_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const SumiLayerNormParams *p = params;
  Job job = {
    .x = sumi_tensor_f32 (in[0]),
    .gamma = sumi_tensor_f32 (in[1]),
    .beta = sumi_tensor_f32 (in[2]),
    .y = sumi_tensor_f32 (out),
    .width = (gsize) out->shape[out->n_dims - 1],
    .epsilon = p->epsilon,
  };

  job.rows = job.width ? sumi_tensor_count (out) / job.width : 0;
  job.span = MAX (1, PIECE / MAX (1, job.width));
  sumi_parallel_for (ev->pool, (int) ((job.rows + job.span - 1) / job.span), layer_norm_piece, &job);
}

const SumiCpuKernel sumi_cpu_layer_norm = { "layer-norm", layer_norm_run };
