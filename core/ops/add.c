/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/error.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"

static gboolean
add_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  if (! sumi_tensor_same_shape (in[0], in[1]))
    {
      g_autofree char *a = sumi_tensor_describe (in[0]), *b = sumi_tensor_describe (in[1]);

      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "add: %s and %s differ in shape", a, b);
      return FALSE;
    }
  *out = *in[0];
  return TRUE;
}

static void
add_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const float *a = sumi_tensor_f32 (in[0]), *b = sumi_tensor_f32 (in[1]);
  float *y = sumi_tensor_f32 (out);

  for (gsize i = 0, n = sumi_tensor_count (out); i < n; i++)
    y[i] = a[i] + b[i];
}

static const SumiOpCase add_cases[] = {
  { .in = { { 1 }, { 1 } } },
  { .in = { { 2, 5, 7, 3 }, { 2, 5, 7, 3 } } },
  { .in = { { 1, 31, 17, 48 }, { 1, 31, 17, 48 } } },
};

const SumiOpClass sumi_op_add = {
  .key = "add",
  .n_in = 2,
  .shape = add_shape,
  .reference = add_reference,
  .cases = add_cases,
  .n_cases = G_N_ELEMENTS (add_cases),
  .tolerance = 0,
  .inplace = 1 << 0,
  .passes = 1 << 0 | 1 << 1,
};

SumiTensor *
sumi_add (SumiEval *ev, const SumiTensor *a, const SumiTensor *b, SumiTensor *out)
{
  return sumi_op_call (ev, &sumi_op_add, (const SumiTensor *const[]){ a, b }, NULL, out);
}
