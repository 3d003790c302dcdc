/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Along channels; the first input may be enlarged, as by upsample-nearest, on the way. */
#include <string.h>

#include "core/base/error.h"
#include "core/ops/gradient.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"

static gboolean
concat_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  const SumiConcatParams *p = params;
  SumiDims dims = { 0 };

  if (! sumi_expect (ev, &dims, in[0], "N H W Ca", "concat: a") ||
      ! sumi_expect (ev, &dims, in[1], p->enlarge ? "N 2H 2W Cb" : "N H W Cb", "concat: b"))
    return FALSE;
  if (p->enlarge && (in[1]->shape[1] != 2 * in[0]->shape[1] || in[1]->shape[2] != 2 * in[0]->shape[2]))
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "concat: b is %d×%d, expected twice %d×%d", in[1]->shape[2],
                      in[1]->shape[1], in[0]->shape[2], in[0]->shape[1]);
      return FALSE;
    }
  *out = *in[1];
  out->shape[3] += in[0]->shape[3];
  return TRUE;
}

static void
concat_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const SumiConcatParams *p = params;
  const gsize a = (gsize) in[0]->shape[3], b = (gsize) in[1]->shape[3];
  const gsize rows = (gsize) out->shape[0] * (gsize) out->shape[1], width = (gsize) out->shape[2];
  const gsize scale = p->enlarge ? 2 : 1;
  float *y = sumi_tensor_f32 (out);

  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < width; j++, y += a + b)
      {
        memcpy (y, sumi_tensor_f32 (in[0]) + (i / scale * (width / scale) + j / scale) * a, a * sizeof (float));
        memcpy (y + a, sumi_tensor_f32 (in[1]) + (i * width + j) * b, b * sizeof (float));
      }
}

static void
concat_gradient (SumiEval *ev, const SumiBackward *b)
{
  const SumiConcatParams *p = b->params;

  if (b->grad[0])
    sumi_gradient_channels (ev, b->g, 0, p->enlarge, b->add[0], b->grad[0]);
  if (b->grad[1])
    sumi_gradient_channels (ev, b->g, b->in[0]->shape[3], FALSE, b->add[1], b->grad[1]);
}

static const SumiConcatParams concat_params[] = { { FALSE }, { TRUE } };

static const SumiOpCase concat_cases[] = {
  { .in = { { 1, 1, 1, 1 }, { 1, 1, 1, 1 } }, .params = &concat_params[0] },
  { .in = { { 2, 5, 7, 3 }, { 2, 5, 7, 4 } }, .params = &concat_params[0] },
  { .in = { { 1, 1, 1, 1 }, { 1, 2, 2, 1 } }, .params = &concat_params[1] },
  { .in = { { 2, 3, 5, 5 }, { 2, 6, 10, 17 } }, .params = &concat_params[1] },
};

const SumiOpClass sumi_op_concat = {
  .key = "concat",
  .n_in = 2,
  .shape = concat_shape,
  .reference = concat_reference,
  .cases = concat_cases,
  .n_cases = G_N_ELEMENTS (concat_cases),
  .tolerance = 0,
  .params_size = sizeof (SumiConcatParams),
  .gradient = concat_gradient,
};

SumiTensor *
sumi_concat (SumiEval *ev, const SumiTensor *a, const SumiTensor *b, SumiTensor *out)
{
  return sumi_op_call (ev, &sumi_op_concat, (const SumiTensor *const[]){ a, b }, &concat_params[0], out);
}

SumiTensor *
sumi_concat_enlarged (SumiEval *ev, const SumiTensor *a, const SumiTensor *b, SumiTensor *out)
{
  return sumi_op_call (ev, &sumi_op_concat, (const SumiTensor *const[]){ a, b }, &concat_params[1], out);
}
