/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each group of neighbouring channels over all pixels of a picture: (x − mean)/√(variance + ε)·γ_c + β_c, then silu if
 * asked (Wu and He 2018). */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/ops/gradient.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"

static gboolean
group_norm_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  const SumiGroupNormParams *p = params;
  SumiDims dims = { 0 };

  if (! sumi_expect (ev, &dims, in[0], "N H W C", "group-norm: x") ||
      ! sumi_expect (ev, &dims, in[1], "C", "group-norm: gamma") ||
      ! sumi_expect (ev, &dims, in[2], "C", "group-norm: beta"))
    return FALSE;
  if (p->groups < 1 || in[0]->shape[3] % p->groups)
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "group-norm: %d channels cannot be cut into %d groups", in[0]->shape[3],
                      p->groups);
      return FALSE;
    }
  *out = *in[0];
  return TRUE;
}

static void
group_norm_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const SumiGroupNormParams *p = params;
  const gsize channels = (gsize) out->shape[3], width = channels / (gsize) p->groups;
  const gsize pixels = (gsize) out->shape[1] * (gsize) out->shape[2], count = pixels * width;
  const float *gamma = sumi_tensor_f32 (in[1]), *beta = sumi_tensor_f32 (in[2]);

  for (gsize n = 0; n < (gsize) out->shape[0]; n++)
    for (gsize start = 0; start < channels; start += width)
      {
        const float *x = sumi_tensor_f32 (in[0]) + n * pixels * channels;
        float *y = sumi_tensor_f32 (out) + n * pixels * channels;
        double mean = 0, variance = 0;

        for (gsize i = 0; i < pixels; i++)
          for (gsize c = start; c < start + width; c++)
            mean += x[i * channels + c];
        mean /= (double) count;
        for (gsize i = 0; i < pixels; i++)
          for (gsize c = start; c < start + width; c++)
            variance += (x[i * channels + c] - mean) * (x[i * channels + c] - mean);
        variance /= (double) count;
        for (gsize i = 0; i < pixels; i++)
          for (gsize c = start; c < start + width; c++)
            {
              const double v = (x[i * channels + c] - mean) / sqrt (variance + p->epsilon) * gamma[c] + beta[c];

              y[i * channels + c] = (float) (p->silu ? v / (1 + exp (-v)) : v);
            }
      }
}

/* ---- gradient --------------------------------------------------------- */

/* Of one group of one picture: sums over it of x and x², then of u and u·n (below). */
typedef struct
{
  double a, b;
} Sums;

typedef struct
{
  const SumiGroupNormParams *params;
  const float *x, *gamma, *beta, *g, *add; /* add: (nullable) */
  float *grad;
  gsize height, width, channels, groups, of_group; /* of_group: channels */
  Sums *rows;                                      /* [N·H, groups]: of each row, so no sum depends on the threads */
  Sums *moments, *means;                           /* [N, groups]: mean and 1/deviation; means of u and u·n */
} GradientJob;

static void
moments_row (gpointer data, int index, int thread)
{
  const GradientJob *job = data;
  const float *x = job->x + (gsize) index * job->width * job->channels;
  Sums *sums = job->rows + (gsize) index * job->groups;

  memset (sums, 0, sizeof (Sums) * job->groups);
  for (gsize i = 0; i < job->width; i++, x += job->channels)
    for (gsize c = 0; c < job->channels; c++)
      {
        sums[c / job->of_group].a += x[c];
        sums[c / job->of_group].b += (double) x[c] * x[c];
      }
}

/* n = (x − mean)/deviation; u: the gradient of n, through silu and γ */
static void
normalise (const GradientJob *job, const Sums *moments, gsize at, gsize c, double *n, double *u)
{
  *n = (job->x[at + c] - moments[c / job->of_group].a) * moments[c / job->of_group].b;
  *u = (double) job->g[at + c] * job->gamma[c] *
       (job->params->silu ? sumi_silu_slope (*n * job->gamma[c] + job->beta[c]) : 1);
}

static void
means_row (gpointer data, int index, int thread)
{
  const GradientJob *job = data;
  const Sums *moments = job->moments + (gsize) index / job->height * job->groups;
  Sums *sums = job->rows + (gsize) index * job->groups;
  double n, u;

  memset (sums, 0, sizeof (Sums) * job->groups);
  for (gsize i = 0; i < job->width; i++)
    for (gsize c = 0; c < job->channels; c++)
      {
        normalise (job, moments, ((gsize) index * job->width + i) * job->channels, c, &n, &u);
        sums[c / job->of_group].a += u;
        sums[c / job->of_group].b += u * n;
      }
}

static void
gradient_row (gpointer data, int index, int thread)
{
  const GradientJob *job = data;
  const Sums *moments = job->moments + (gsize) index / job->height * job->groups;
  const Sums *means = job->means + (gsize) index / job->height * job->groups;
  double n, u;

  for (gsize i = 0; i < job->width; i++)
    for (gsize c = 0; c < job->channels; c++)
      {
        const gsize at = ((gsize) index * job->width + i) * job->channels, k = c / job->of_group;

        normalise (job, moments, at, c, &n, &u);
        u = (u - means[k].a - n * means[k].b) * moments[k].b;
        job->grad[at + c] = (float) (u + (job->add ? job->add[at + c] : 0));
      }
}

/* Sums of pictures' rows to @means [N, groups]. */
static void
gather (const GradientJob *job, gsize pictures, Sums *means)
{
  const double count = (double) (job->height * job->width * job->of_group);

  for (gsize n = 0; n < pictures; n++)
    for (gsize k = 0; k < job->groups; k++)
      {
        Sums sum = { 0 };

        for (gsize i = 0; i < job->height; i++)
          {
            sum.a += job->rows[(n * job->height + i) * job->groups + k].a;
            sum.b += job->rows[(n * job->height + i) * job->groups + k].b;
          }
        means[n * job->groups + k] = (Sums){ sum.a / count, sum.b / count };
      }
}

/* (u − mean (u) − n·mean (u·n))/deviation, means over the group */
static void
group_norm_gradient (SumiEval *ev, const SumiBackward *b)
{
  const SumiGroupNormParams *p = b->params;
  const gsize pictures = (gsize) b->g->shape[0], rows = pictures * (gsize) b->g->shape[1], groups = (gsize) p->groups;
  GradientJob job = {
    .params = p,
    .x = sumi_tensor_f32 (b->in[0]),
    .gamma = sumi_tensor_f32 (b->in[1]),
    .beta = sumi_tensor_f32 (b->in[2]),
    .g = sumi_tensor_f32 (b->g),
    .add = b->add[0] ? sumi_tensor_f32 (b->add[0]) : NULL,
    .grad = sumi_tensor_f32 (b->grad[0]),
    .height = (gsize) b->g->shape[1],
    .width = (gsize) b->g->shape[2],
    .channels = (gsize) b->g->shape[3],
    .groups = groups,
    .of_group = (gsize) b->g->shape[3] / groups,
    .rows = sumi_arena_alloc (ev->scratch, sizeof (Sums) * rows * groups),
    .moments = sumi_arena_alloc (ev->scratch, sizeof (Sums) * pictures * groups),
    .means = sumi_arena_alloc (ev->scratch, sizeof (Sums) * pictures * groups),
  };

  if (! job.rows || ! job.moments || ! job.means)
    {
      sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "group-norm: no memory for the sums of %d groups", p->groups);
      return;
    }
  sumi_parallel_for (ev->pool, (int) rows, moments_row, &job);
  gather (&job, pictures, job.moments);
  for (gsize i = 0; i < pictures * groups; i++)
    job.moments[i].b = 1 / sqrt (MAX (job.moments[i].b - job.moments[i].a * job.moments[i].a, 0) + p->epsilon);
  sumi_parallel_for (ev->pool, (int) rows, means_row, &job);
  gather (&job, pictures, job.means);
  sumi_parallel_for (ev->pool, (int) rows, gradient_row, &job);
}

/* ---- cases ------------------------------------------------------------ */

static const SumiGroupNormParams params_one = { .groups = 1, .epsilon = 1e-5 };
static const SumiGroupNormParams params_5 = { .groups = 5, .epsilon = 1e-6, .silu = TRUE };
static const SumiGroupNormParams params_32 = { .groups = 32, .epsilon = 1e-5, .silu = TRUE };
static const SumiGroupNormParams params_plain = { .groups = 32, .epsilon = 1e-6 };
static const SumiOpCase group_norm_cases[] = {
  { .in = { { 1, 1, 1, 1 }, { 1 }, { 1 } }, .params = &params_one },
  { .in = { { 2, 31, 67, 1 }, { 1 }, { 1 } }, .params = &params_one },
  { .in = { { 1, 3, 7, 35 }, { 35 }, { 35 } }, .params = &params_5 },
  { .in = { { 2, 17, 19, 64 }, { 64 }, { 64 } }, .params = &params_32 },
  { .in = { { 1, 9, 16, 960 }, { 960 }, { 960 } }, .params = &params_32 },
  { .in = { { 1, 16, 33, 96 }, { 96 }, { 96 } }, .params = &params_plain },
};

const SumiOpClass sumi_op_group_norm = {
  .key = "group-norm",
  .n_in = 3,
  .shape = group_norm_shape,
  .reference = group_norm_reference,
  .cases = group_norm_cases,
  .n_cases = G_N_ELEMENTS (group_norm_cases),
  .tolerance = 1e-12,
  .inplace = 1 << 0,
  .params_size = sizeof (SumiGroupNormParams),
  .gradient = group_norm_gradient,
  .over = 1 << 0,
  .keeps = 1 << 0 | 1 << 1 | 1 << 2,
  .fixed = 1 << 1 | 1 << 2,
};

SumiTensor *
sumi_group_norm (SumiEval *ev,
                 const SumiTensor *x,
                 const SumiTensor *gamma,
                 const SumiTensor *beta,
                 int groups,
                 double epsilon,
                 gboolean silu,
                 SumiTensor *out)
{
  const SumiGroupNormParams params = { groups, epsilon, silu };

  return sumi_op_call (ev, &sumi_op_group_norm, (const SumiTensor *const[]){ x, gamma, beta }, &params, out);
}
