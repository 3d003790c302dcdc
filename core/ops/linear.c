/* SPDX-License-Identifier: GPL-3.0-or-later */
/* y = x·wᵀ + b, as torch.nn.functional.linear. */
#include "core/base/error.h"
#include "core/ops/gradient.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"

static gboolean
linear_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  SumiDims dims = { 0 };

  if (! sumi_expect (ev, &dims, in[0], "N Di", "linear: x") ||
      ! sumi_expect (ev, &dims, in[1], "Do Di", "linear: weight") ||
      (in[2] && ! sumi_expect (ev, &dims, in[2], "Do", "linear: bias")))
    return FALSE;
  if (sumi_tensor_count (in[1]) == 0)
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "linear: the weight is empty: [%d, %d]", in[1]->shape[0], in[1]->shape[1]);
      return FALSE;
    }
  out->n_dims = 2;
  out->shape[0] = in[0]->shape[0];
  out->shape[1] = in[1]->shape[0];
  return TRUE;
}

static void
linear_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const int n = out->shape[0], d_out = out->shape[1], d_in = in[0]->shape[1];
  const SumiTensor *weight = sumi_tensor_to_f32 (ev->scratch, in[1]);

  if (! weight)
    {
      sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "linear: no memory for the weights");
      return;
    }
  for (int i = 0; i < n; i++)
    for (int o = 0; o < d_out; o++)
      {
        const float *x = sumi_tensor_f32 (in[0]) + (gsize) i * (gsize) d_in;
        const float *w = sumi_tensor_f32 (weight) + (gsize) o * (gsize) d_in;
        double sum = in[2] ? sumi_tensor_f32 (in[2])[o] : 0;

        for (int k = 0; k < d_in; k++)
          sum += (double) x[k] * w[k];
        sumi_tensor_f32 (out)[(gsize) i * (gsize) d_out + (gsize) o] = (float) sum;
      }
}

/* [Do, Di] → [Di, Do] */
static void
transpose (const SumiTensor *w, const SumiTensor *out)
{
  const gsize d_out = (gsize) w->shape[0], d_in = (gsize) w->shape[1];

  for (gsize o = 0; o < d_out; o++)
    for (gsize i = 0; i < d_in; i++)
      sumi_gradient_element (w, o * d_in + i, out, i * d_out + o);
}

/* g·w */
static void
linear_gradient (SumiEval *ev, const SumiBackward *b)
{
  const SumiTensor *w = b->in[1];
  const int shape[] = { w->shape[1], w->shape[0] };
  const SumiTensor *turned = sumi_tape_derive (ev, b->tape, w, "linear-transposed", 2, shape, transpose);

  if (turned)
    sumi_gradient_finish (ev, b, sumi_linear (ev, b->g, turned, NULL, sumi_gradient_place (b)));
}

static const SumiOpCase linear_cases[] = {
  { .in = { { 1, 1 }, { 1, 1 }, { 1 } } },
  { .in = { { 3, 7 }, { 5, 7 } } },
  { .in = { { 1, 192 }, { 256, 192 }, { 256 } } },
  { .in = { { 5, 31 }, { 17, 31 }, { 17 } } },
};

const SumiOpClass sumi_op_linear = {
  .key = "linear",
  .n_in = 3,
  .optional = 1 << 2,
  .weights = 1 << 1,
  .shape = linear_shape,
  .reference = linear_reference,
  .cases = linear_cases,
  .n_cases = G_N_ELEMENTS (linear_cases),
  .tolerance = 1e-12,
  .gradient = linear_gradient,
  .fixed = 1 << 1 | 1 << 2,
};

/* Kernels see rows only: [N, T, Di] is [N·T, Di] to them. */
static SumiTensor *
linear_3d (SumiEval *ev, const SumiTensor *x, const SumiTensor *w, const SumiTensor *b, SumiTensor *out)
{
  const int shape[] = { x->shape[0], x->shape[1], w ? w->shape[0] : 0 };
  SumiTensor x_rows = *x, y_rows;

  if (! out)
    out = sumi_eval_tensor (ev, 3, shape);
  if (out->n_dims != 3 || out->shape[0] != shape[0] || out->shape[1] != shape[1])
    {
      g_autofree char *got = sumi_tensor_describe (out);

      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "linear: the output is %s, expected [%d, %d, %d]", got, shape[0], shape[1],
                      shape[2]);
      return sumi_eval_nothing (ev);
    }
  y_rows = *out;
  x_rows.n_dims = y_rows.n_dims = 2;
  x_rows.shape[0] = y_rows.shape[0] = shape[0] * shape[1];
  x_rows.shape[1] = x->shape[2];
  y_rows.shape[1] = out->shape[2];
  x_rows.shape[2] = y_rows.shape[2] = 1;
  sumi_op_call (ev, &sumi_op_linear, (const SumiTensor *const[]){ &x_rows, w, b }, NULL, &y_rows);
  return ev->error ? sumi_eval_nothing (ev) : out;
}

SumiTensor *
sumi_linear (SumiEval *ev, const SumiTensor *x, const SumiTensor *w, const SumiTensor *b, SumiTensor *out)
{
  if (x && x->n_dims == 3)
    return linear_3d (ev, x, w, b, out);
  return sumi_op_call (ev, &sumi_op_linear, (const SumiTensor *const[]){ x, w, b }, NULL, out);
}
