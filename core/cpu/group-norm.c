/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two passes over memory. The first sums each channel over blocks of pixels, in f32 about the block's first pixel; the
 * blocks' sums meet in double, in order, so threads do not change them. The second scales, shifts and applies silu. */
#include <math.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/fast.h"
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define BLOCK_VALUES 32768

typedef struct
{
  const float *x, *gamma, *beta;
  float *y;
  gsize channels, pixels;
  gsize block; /* pixels of a block */
  int blocks;  /* per picture */
  const SumiGroupNormParams *params;
  float *sums;                 /* [N, blocks, 2, C]: Σ (x − pivot), Σ (x − pivot)² */
  float *mean, *scale, *shift; /* [N, C]: y = (x − mean)·scale + shift */
} Job;

SUMI_CLONES static void
block_sums (const float *restrict x, gsize pixels, gsize channels, float *restrict sum, float *restrict square)
{
  gsize i = 0;

  memset (sum, 0, channels * sizeof (float));
  memset (square, 0, channels * sizeof (float));
  for (; i + 4 <= pixels; i += 4)
    for (gsize c = 0; c < channels; c++)
      {
        const float *at = x + i * channels + c;
        const float d0 = at[0] - x[c], d1 = at[channels] - x[c], d2 = at[2 * channels] - x[c],
                    d3 = at[3 * channels] - x[c];

        sum[c] += (d0 + d1) + (d2 + d3);
        square[c] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
      }
  for (; i < pixels; i++)
    for (gsize c = 0; c < channels; c++)
      {
        const float d = x[i * channels + c] - x[c];

        sum[c] += d;
        square[c] += d * d;
      }
}

SUMI_CLONES static void
block_scale (const float *x,
             const float *restrict mean,
             const float *restrict scale,
             const float *restrict shift,
             float *y,
             gsize n,
             gsize channels)
{
  for (gsize i = 0; i < n; i++)
    for (gsize c = 0; c < channels; c++)
      y[i * channels + c] = (x[i * channels + c] - mean[c]) * scale[c] + shift[c];
}

SUMI_CLONES static void
block_scale_silu (const float *x,
                  const float *restrict mean,
                  const float *restrict scale,
                  const float *restrict shift,
                  float *y,
                  gsize n,
                  gsize channels)
{
  for (gsize i = 0; i < n; i++)
    for (gsize c = 0; c < channels; c++)
      y[i * channels + c] = sumi_fast_silu ((x[i * channels + c] - mean[c]) * scale[c] + shift[c]);
}

static gsize
block_pixels (const Job *j, int index)
{
  return MIN (j->block, j->pixels - (gsize) (index % j->blocks) * j->block);
}

static gsize
block_start (const Job *j, int index)
{
  return ((gsize) (index / j->blocks) * j->pixels + (gsize) (index % j->blocks) * j->block) * j->channels;
}

static void
sums_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  float *sums = j->sums + (gsize) index * 2 * j->channels;

  block_sums (j->x + block_start (j, index), block_pixels (j, index), j->channels, sums, sums + j->channels);
}

/* For values whose squares leave the range of floats. */
static void
moments_wide (const float *x, gsize pixels, gsize channels, gsize width, double *mean, double *variance)
{
  const double count = (double) pixels * (double) width;

  *mean = *variance = 0;
  for (gsize i = 0; i < pixels; i++)
    for (gsize c = 0; c < width; c++)
      *mean += x[i * channels + c] / count;
  for (gsize i = 0; i < pixels; i++)
    for (gsize c = 0; c < width; c++)
      *variance += (x[i * channels + c] - *mean) * (x[i * channels + c] - *mean) / count;
}

/* One group of one picture. */
static void
group_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize n = (gsize) (index / j->params->groups), width = j->channels / (gsize) j->params->groups;
  const gsize start = (gsize) (index % j->params->groups) * width;
  const double count = (double) j->pixels * (double) width;
  /* moments about the group's first value: far from zero, those about zero would cancel */
  const double origin = j->x[n * j->pixels * j->channels + start];
  double sum = 0, square = 0, mean, variance;

  for (int b = 0; b < j->blocks; b++)
    {
      const int block = (int) n * j->blocks + b;
      const float *pivot = j->x + block_start (j, block);
      const float *d = j->sums + (gsize) block * 2 * j->channels, *d2 = d + j->channels;
      const double pixels = (double) block_pixels (j, block);

      for (gsize c = start; c < start + width; c++)
        {
          const double p = pivot[c] - origin;

          sum += d[c] + pixels * p;
          square += d2[c] + (2 * d[c] + pixels * p) * p;
        }
    }
  mean = sum / count;
  variance = MAX (0, square / count - mean * mean);
  mean += origin;
  if (! isfinite (variance))
    moments_wide (j->x + n * j->pixels * j->channels + start, j->pixels, j->channels, width, &mean, &variance);
  for (gsize c = start; c < start + width; c++)
    {
      const double scale = j->gamma[c] / sqrt (variance + j->params->epsilon);

      /* the mean's rounding goes to the shift, so that nothing cancels */
      j->mean[n * j->channels + c] = (float) mean;
      j->scale[n * j->channels + c] = (float) scale;
      j->shift[n * j->channels + c] = (float) (j->beta[c] + ((float) mean - mean) * scale);
    }
}

static void
scale_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize at = block_start (j, index), n = (gsize) (index / j->blocks) * j->channels;

  (j->params->silu ? block_scale_silu : block_scale) (j->x + at, j->mean + n, j->scale + n, j->shift + n, j->y + at,
                                                      block_pixels (j, index), j->channels);
}

static void
group_norm_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const int pictures = out->shape[0];
  const SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  Job job = {
    .x = sumi_tensor_f32 (in[0]),
    .gamma = sumi_tensor_f32 (in[1]),
    .beta = sumi_tensor_f32 (in[2]),
    .y = sumi_tensor_f32 (out),
    .channels = (gsize) out->shape[3],
    .pixels = (gsize) out->shape[1] * (gsize) out->shape[2],
    .params = params,
  };
  gsize values;

  if (! sumi_tensor_count (out))
    return;
  job.block = CLAMP (BLOCK_VALUES / job.channels, 16, 256);
  job.blocks = (int) ((job.pixels + job.block - 1) / job.block);
  values = (gsize) pictures * job.channels;
  job.sums = sumi_arena_alloc (ev->scratch, values * (gsize) (2 * job.blocks + 3) * sizeof (float));
  if (! job.sums)
    {
      sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "group-norm: no memory for the sums; allow less with --memory");
      return;
    }
  job.mean = job.sums + values * (gsize) (2 * job.blocks);
  job.scale = job.mean + values;
  job.shift = job.scale + values;
  sumi_parallel_for (ev->pool, pictures * job.blocks, sums_piece, &job);
  sumi_parallel_for (ev->pool, pictures * job.params->groups, group_piece, &job);
  sumi_parallel_for (ev->pool, pictures * job.blocks, scale_piece, &job);
  sumi_arena_release (ev->scratch, mark);
}

const SumiCpuKernel sumi_cpu_group_norm = { "group-norm", group_norm_run };
