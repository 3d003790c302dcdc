/* SPDX-License-Identifier: GPL-3.0-or-later */
/* softmax (scale·q·kᵀ)·v, head by head (Vaswani et al. 2017, eq. 1). */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"

static gboolean
attention_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  const SumiAttentionParams *p = params;
  SumiDims dims = { 0 };

  if (! sumi_expect (ev, &dims, in[0], "N Tq D", "attention: q") ||
      ! sumi_expect (ev, &dims, in[1], "N Tk D", "attention: k") ||
      ! sumi_expect (ev, &dims, in[2], "N Tk D", "attention: v"))
    return FALSE;
  if (p->heads < 1 || in[0]->shape[2] % p->heads)
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "attention: %d values cannot be cut into %d heads", in[0]->shape[2],
                      p->heads);
      return FALSE;
    }
  if (in[1]->shape[1] < 1)
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "attention: there are no keys");
      return FALSE;
    }
  *out = *in[0];
  return TRUE;
}

/* One query of one head. */
static void
attend (const float *q,
        const float *k,
        const float *v,
        float *y,
        int keys,
        gsize d,
        gsize stride,
        double scale,
        double *w)
{
  double largest = -DBL_MAX, sum = 0;

  for (int t = 0; t < keys; t++)
    {
      w[t] = 0;
      for (gsize i = 0; i < d; i++)
        w[t] += (double) q[i] * k[(gsize) t * stride + i];
      w[t] *= scale;
      largest = MAX (largest, w[t]);
    }
  for (int t = 0; t < keys; t++)
    {
      w[t] = exp (w[t] - largest);
      sum += w[t];
    }
  for (gsize i = 0; i < d; i++)
    {
      double value = 0;

      for (int t = 0; t < keys; t++)
        value += w[t] * v[(gsize) t * stride + i];
      y[i] = (float) (value / sum);
    }
}

static void
attention_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const SumiAttentionParams *p = params;
  const gsize queries = (gsize) out->shape[1], keys = (gsize) in[1]->shape[1], stride = (gsize) out->shape[2];
  const gsize d = stride / (gsize) p->heads;
  const double scale = p->scale > 0 ? p->scale : 1 / sqrt ((double) d);
  const SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  double *w = sumi_arena_alloc (ev->scratch, keys * sizeof (double));

  if (! w)
    {
      sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "attention: no memory for %" G_GSIZE_FORMAT " scores", keys);
      return;
    }
  for (gsize n = 0; n < (gsize) out->shape[0]; n++)
    for (gsize t = 0; t < queries; t++)
      for (gsize h = 0; h < (gsize) p->heads; h++)
        {
          const gsize at = (n * queries + t) * stride + h * d, of_keys = n * keys * stride + h * d;

          attend (sumi_tensor_f32 (in[0]) + at, sumi_tensor_f32 (in[1]) + of_keys, sumi_tensor_f32 (in[2]) + of_keys,
                  sumi_tensor_f32 (out) + at, (int) keys, d, stride, scale, w);
        }
  sumi_arena_release (ev->scratch, mark);
}

/* ---- gradient --------------------------------------------------------- */

/* queries at a time: their scores are all that is ever stored of the matrix */
#define BLOCK 256

typedef struct
{
  const float *from, *add; /* add: (nullable) spaced like to */
  float *to;
  gsize columns, from_row, from_column, to_row, to_column;
  float factor;
} MoveJob;

static void
move_row (gpointer data, int index, int thread)
{
  const MoveJob *job = data;
  const float *from = job->from + (gsize) index * job->from_row;
  const gsize at = (gsize) index * job->to_row;

  for (gsize i = 0; i < job->columns; i++)
    job->to[at + i * job->to_column] =
        job->factor * from[i * job->from_column] + (job->add ? job->add[at + i * job->to_column] : 0);
}

/* A new [@columns, @rows], what is [@rows, @columns] at @from, rows @stride apart, or [@rows, @columns]. */
static SumiTensor *
take (SumiEval *ev, const float *from, int rows, int columns, gsize stride, gboolean turned)
{
  SumiTensor *t = sumi_eval_tensor (ev, 2, turned ? (const int[]){ columns, rows } : (const int[]){ rows, columns });
  MoveJob job = { .from = from, .to = sumi_tensor_f32 (t), .columns = (gsize) columns, .factor = 1 };

  job.from_row = stride;
  job.from_column = 1;
  job.to_row = turned ? 1 : (gsize) columns;
  job.to_column = turned ? (gsize) rows : 1;
  if (! ev->error)
    sumi_parallel_for (ev->pool, rows, move_row, &job);
  return t;
}

/* @t [rows, columns], times @factor, plus @add, to @grad, both from element @at on with rows @stride apart. */
static void
put (SumiEval *ev, const SumiTensor *t, double factor, const SumiTensor *add, SumiTensor *grad, gsize at, gsize stride)
{
  MoveJob job = { .from = sumi_tensor_f32 (t), .to = sumi_tensor_f32 (grad) + at, .factor = (float) factor };

  job.columns = job.from_row = (gsize) t->shape[1];
  job.from_column = job.to_column = 1;
  job.to_row = stride;
  job.add = add ? sumi_tensor_f32 (add) + at : NULL;
  if (! ev->error)
    sumi_parallel_for (ev->pool, t->shape[0], move_row, &job);
}

typedef struct
{
  SumiTensor *p, *s; /* [queries, keys]: q·kᵀ, then the weights; (nullable) g·vᵀ, then the gradient of the scores */
  double scale;
} SoftmaxJob;

static void
softmax_row (gpointer data, int index, int thread)
{
  const SoftmaxJob *job = data;
  const int keys = job->p->shape[1];
  float *p = sumi_tensor_f32 (job->p) + (gsize) index * (gsize) keys;
  float *s = job->s ? sumi_tensor_f32 (job->s) + (gsize) index * (gsize) keys : NULL;
  double largest = -DBL_MAX, total = 0, mean = 0;

  for (int t = 0; t < keys; t++)
    largest = MAX (largest, job->scale * p[t]);
  for (int t = 0; t < keys; t++)
    {
      p[t] = expf ((float) (job->scale * p[t] - largest));
      total += p[t];
    }
  for (int t = 0; t < keys; t++)
    p[t] = (float) (p[t] / total);
  for (int t = 0; s && t < keys; t++)
    mean += (double) p[t] * s[t];
  for (int t = 0; s && t < keys; t++)
    s[t] = (float) (p[t] * (s[t] - mean));
}

/* One head of one picture: what its gradients are made of. */
typedef struct
{
  const SumiBackward *b;
  gsize at, at_keys, stride; /* of the head in q and in k and v; from row to row */
  int queries, keys, d;
  double scale;
} Head;

/* Sums a product up. */
static void
gather (SumiEval *ev, SumiTensor *rows, SumiTensor *columns, gboolean first, SumiTensor *sum)
{
  if (first)
    sumi_linear (ev, rows, columns, NULL, sum);
  else
    sumi_add (ev, sum, sumi_linear (ev, rows, columns, NULL, NULL), sum);
}

/* With P = softmax (scale·Q·Kᵀ) and dS = P∘(G·Vᵀ − row sums of P∘(G·Vᵀ)): dQ = scale·dS·K, dK = scale·dSᵀ·Q, dV = Pᵀ·G.
 * Products are linear layers, so the fast kernels do them. */
static void
head_gradient (SumiEval *ev, const Head *h)
{
  const SumiBackward *b = h->b;
  const float *q = sumi_tensor_f32 (b->in[0]) + h->at, *g = sumi_tensor_f32 (b->g) + h->at;
  SumiTensor *k = take (ev, sumi_tensor_f32 (b->in[1]) + h->at_keys, h->keys, h->d, h->stride, FALSE);
  SumiTensor *k_turned = take (ev, sumi_tensor_f32 (b->in[1]) + h->at_keys, h->keys, h->d, h->stride, TRUE);
  SumiTensor *v = take (ev, sumi_tensor_f32 (b->in[2]) + h->at_keys, h->keys, h->d, h->stride, FALSE);
  SumiTensor *dk = sumi_eval_tensor_like (ev, k), *dv = sumi_eval_tensor_like (ev, k);
  const gboolean scores = b->grad[0] || b->grad[1];

  for (int first = 0; first < h->queries && ! ev->error; first += BLOCK)
    {
      const SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      const int n = MIN (BLOCK, h->queries - first);
      const gsize start = (gsize) first * h->stride;
      SumiTensor *rows = take (ev, q + start, n, h->d, h->stride, FALSE);
      SumiTensor *of_g = take (ev, g + start, n, h->d, h->stride, FALSE);
      SoftmaxJob job = { sumi_linear (ev, rows, k, NULL, NULL), scores ? sumi_linear (ev, of_g, v, NULL, NULL) : NULL,
                         h->scale };

      if (! ev->error)
        sumi_parallel_for (ev->pool, n, softmax_row, &job);
      if (b->grad[0])
        put (ev, sumi_linear (ev, job.s, k_turned, NULL, NULL), h->scale, b->add[0], b->grad[0], h->at + start,
             h->stride);
      if (b->grad[1] && ! ev->error)
        gather (ev, take (ev, sumi_tensor_f32 (job.s), n, h->keys, (gsize) h->keys, TRUE),
                take (ev, sumi_tensor_f32 (rows), n, h->d, (gsize) h->d, TRUE), first == 0, dk);
      if (b->grad[2] && ! ev->error)
        gather (ev, take (ev, sumi_tensor_f32 (job.p), n, h->keys, (gsize) h->keys, TRUE),
                take (ev, sumi_tensor_f32 (of_g), n, h->d, (gsize) h->d, TRUE), first == 0, dv);
      sumi_arena_release (ev->scratch, mark);
    }
  if (b->grad[1])
    put (ev, dk, h->scale, b->add[1], b->grad[1], h->at_keys, h->stride);
  if (b->grad[2])
    put (ev, dv, 1, b->add[2], b->grad[2], h->at_keys, h->stride);
}

static void
attention_gradient (SumiEval *ev, const SumiBackward *b)
{
  const SumiAttentionParams *p = b->params;
  const int queries = b->g->shape[1], keys = b->in[1]->shape[1], d = b->g->shape[2] / p->heads;
  const gsize stride = (gsize) b->g->shape[2];
  const double scale = p->scale > 0 ? p->scale : 1 / sqrt ((double) d);

  for (int i = 1; i < 3 && queries == 0; i++) /* nobody asked the keys */
    if (b->grad[i] && ! b->add[i])
      memset (b->grad[i]->data, 0, sizeof (float) * sumi_tensor_count (b->grad[i]));
  for (int n = 0; n < b->g->shape[0] && queries && d; n++)
    for (int i = 0; i < p->heads && sumi_eval_ok (ev); i++)
      {
        const SumiArenaMark mark = sumi_arena_mark (ev->scratch);
        const gsize slice = (gsize) i * (gsize) d;

        head_gradient (ev, &(Head){ b, (gsize) n * (gsize) queries * stride + slice,
                                    (gsize) n * (gsize) keys * stride + slice, stride, queries, keys, d, scale });
        sumi_arena_release (ev->scratch, mark);
      }
}

/* ---- cases ------------------------------------------------------------ */

static const SumiAttentionParams params_1 = { .heads = 1 }, params_2 = { .heads = 2 }, params_3 = { .heads = 3 };
static const SumiAttentionParams params_scale = { .heads = 1, .scale = 0.5 };
static const SumiOpCase attention_cases[] = {
  { .in = { { 1, 1, 1 }, { 1, 1, 1 }, { 1, 1, 1 } }, .params = &params_1 },
  { .in = { { 1, 1, 6 }, { 1, 5, 6 }, { 1, 5, 6 } }, .params = &params_2 },
  { .in = { { 2, 67, 33 }, { 2, 131, 33 }, { 2, 131, 33 } }, .params = &params_3 },
  { .in = { { 1, 130, 80 }, { 1, 77, 80 }, { 1, 77, 80 } }, .params = &params_2 },
  { .in = { { 2, 64, 320 }, { 2, 64, 320 }, { 2, 64, 320 } }, .params = &params_2 },
  { .in = { { 1, 37, 514 }, { 1, 200, 514 }, { 1, 200, 514 } }, .params = &params_1 },
  { .in = { { 1, 100, 17 }, { 1, 1, 17 }, { 1, 1, 17 } }, .params = &params_scale },
};

/* In f32 the scores are good to about 2^-22 of the largest product, and their error is the weights' relative one:
 * scores of thousands, which the tests give, cost as much. */
const SumiOpClass sumi_op_attention = {
  .key = "attention",
  .n_in = 3,
  .shape = attention_shape,
  .reference = attention_reference,
  .cases = attention_cases,
  .n_cases = G_N_ELEMENTS (attention_cases),
  .tolerance = 1e-8,
  .params_size = sizeof (SumiAttentionParams),
  .gradient = attention_gradient,
  .keeps = 1 << 0 | 1 << 1 | 1 << 2,
};

SumiTensor *
sumi_attention (SumiEval *ev,
                const SumiTensor *q,
                const SumiTensor *k,
                const SumiTensor *v,
                int heads,
                double scale,
                SumiTensor *out)
{
  const SumiAttentionParams params = { heads, scale };

  return sumi_op_call (ev, &sumi_op_attention, (const SumiTensor *const[]){ q, k, v }, &params, out);
}
