/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/arithmetic.h"

#include <math.h>

#include "core/base/parallel.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

void
sumi_copy (SumiEval *ev, const SumiTensor *from, SumiTensor *to)
{
  sumi_lincomb (ev, 1, from, 0, NULL, 0, NULL, to);
}

SumiTensor *
sumi_mix (SumiEval *ev, int n, const double *weights, SumiTensor *const *terms, SumiTensor *out)
{
  out = sumi_lincomb (ev, weights[0], terms[0], n > 1 ? weights[1] : 0, n > 1 ? terms[1] : NULL, n > 2 ? weights[2] : 0,
                      n > 2 ? terms[2] : NULL, out);
  for (int i = 3; i < n; i += 2)
    sumi_lincomb (ev, 1, out, weights[i], terms[i], i + 1 < n ? weights[i + 1] : 0, i + 1 < n ? terms[i + 1] : NULL,
                  out);
  return out;
}

/* ---- sums ---------------------------------------------------------------- */

#define PIECE 4096

typedef struct
{
  const SumiTensor *a, *b;
  gsize n;
  double *sums; /* one a piece, added up in order: the same for every thread count */
} DotJob;

static void
dot_piece (gpointer data, int index, int thread)
{
  const DotJob *j = data;
  double sum = 0;

  for (gsize i = (gsize) index * PIECE, end = MIN (j->n, i + PIECE); i < end; i++)
    sum += sumi_tensor_get (j->a, i) * sumi_tensor_get (j->b, i);
  j->sums[index] = sum;
}

double
sumi_dot (SumiEval *ev, const SumiTensor *a, const SumiTensor *b)
{
  const gsize n = sumi_tensor_count (a);
  const int pieces = (int) ((n + PIECE - 1) / PIECE);
  g_autofree double *sums = g_new0 (double, pieces + 1);
  DotJob job = { a, b, n, sums };
  double sum = 0;

  if (ev->error)
    return 0;
  sumi_parallel_for (ev->pool, pieces, dot_piece, &job);
  for (int i = 0; i < pieces; i++)
    sum += sums[i];
  return sum;
}

double
sumi_mean_norm (SumiEval *ev, const SumiTensor *a)
{
  const gsize size = a->shape[0] > 0 ? sumi_tensor_count (a) / (gsize) a->shape[0] : 0;
  double sum = 0;

  if (ev->error || size == 0)
    return 0;
  if (a->shape[0] == 1)
    return sqrt (sumi_dot (ev, a, a));
  for (gsize n = 0; n < (gsize) a->shape[0]; n++)
    {
      double square = 0;

      for (gsize i = n * size; i < (n + 1) * size; i++)
        square += sumi_tensor_get (a, i) * sumi_tensor_get (a, i);
      sum += sqrt (square);
    }
  return sum / a->shape[0];
}

/* ---- maps ---------------------------------------------------------------- */

typedef struct
{
  const SumiTensor *map, *a, *b;
  SumiTensor *out;
} BlendJob;

static void
blend_row (gpointer data, int index, int thread)
{
  const BlendJob *j = data;
  const gsize width = (gsize) j->map->shape[2], channels = (gsize) j->a->shape[3];

  for (gsize p = (gsize) index * width, end = p + width; p < end; p++)
    {
      const double m = sumi_tensor_get (j->map, p);

      for (gsize i = p * channels; i < (p + 1) * channels; i++)
        {
          const double b = j->b && m < 1 ? (1 - m) * sumi_tensor_get (j->b, i) : 0;

          sumi_tensor_put (j->out, i, (m > 0 ? m * sumi_tensor_get (j->a, i) : 0) + b);
        }
    }
}

SumiTensor *
sumi_blend (SumiEval *ev, const SumiTensor *map, const SumiTensor *a, const SumiTensor *b, SumiTensor *out)
{
  SumiDims dims = { 0 };
  BlendJob job = { map, a, b, out ? out : sumi_eval_tensor_like (ev, a) };

  if (! sumi_expect (ev, &dims, a, "N H W C", "what to blend") || ! sumi_expect (ev, &dims, map, "N H W 1", "a map") ||
      (b && ! sumi_expect (ev, &dims, b, "N H W C", "what to blend with")))
    return sumi_eval_nothing (ev);
  sumi_parallel_for (ev->pool, a->shape[0] * a->shape[1], blend_row, &job);
  return job.out;
}

gboolean
sumi_is_finite (const SumiTensor *t)
{
  const gsize n = sumi_tensor_count (t);
  double sum = 0; /* 0·x is 0 for finite x alone */

  if (t->dtype == SUMI_DTYPE_F32)
    {
      const float *x = t->data;

      for (gsize i = 0; i < n; i += 1024)
        {
          float part = 0;

          for (gsize k = i; k < MIN (n, i + 1024); k++)
            part += 0 * x[k];
          sum += part;
        }
    }
  else
    for (gsize i = 0; i < n; i++)
      sum += 0 * sumi_tensor_get (t, i);
  return sum == 0;
}
