/* SPDX-License-Identifier: GPL-3.0-or-later */
/* softmax (scale·q·kᵀ)·v, head by head (Vaswani et al. 2017, eq. 1). */
#include <float.h>
#include <math.h>

#include "core/base/arena.h"
#include "core/base/error.h"
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
