/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Along channels. */
#include <string.h>

#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"

static gboolean
concat_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  SumiDims dims = { 0 };

  if (! sumi_expect (ev, &dims, in[0], "N H W Ca", "concat: a") ||
      ! sumi_expect (ev, &dims, in[1], "N H W Cb", "concat: b"))
    return FALSE;
  *out = *in[0];
  out->shape[3] += in[1]->shape[3];
  return TRUE;
}

static void
concat_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const gsize a = (gsize) in[0]->shape[3], b = (gsize) in[1]->shape[3];
  const gsize pixels = (gsize) out->shape[0] * (gsize) out->shape[1] * (gsize) out->shape[2];
  float *y = sumi_tensor_f32 (out);

  for (gsize i = 0; i < pixels; i++, y += a + b)
    {
      memcpy (y, sumi_tensor_f32 (in[0]) + i * a, a * sizeof (float));
      memcpy (y + a, sumi_tensor_f32 (in[1]) + i * b, b * sizeof (float));
    }
}

static const SumiOpCase concat_cases[] = {
  { .in = { { 1, 1, 1, 1 }, { 1, 1, 1, 1 } } },
  { .in = { { 2, 5, 7, 3 }, { 2, 5, 7, 4 } } },
};

const SumiOpClass sumi_op_concat = {
  .key = "concat",
  .n_in = 2,
  .shape = concat_shape,
  .reference = concat_reference,
  .cases = concat_cases,
  .n_cases = G_N_ELEMENTS (concat_cases),
  .tolerance = 0,
};

SumiTensor *
sumi_concat (SumiEval *ev, const SumiTensor *a, const SumiTensor *b, SumiTensor *out)
{
  return sumi_op_call (ev, &sumi_op_concat, (const SumiTensor *const[]){ a, b }, NULL, out);
}
