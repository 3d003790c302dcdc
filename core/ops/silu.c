/* SPDX-License-Identifier: GPL-3.0-or-later */
/* silu(x) = x·sigmoid(x) = x / (1 + e^(−x)). The exemplar of an op: a shape rule, a plain reference kernel in double,
 * the cases that every other kernel of this op is tested on, and the function of ops.h. */
#include <math.h>

#include "core/ops/gradient.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"

static gboolean
silu_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  *out = *in[0];
  return TRUE;
}

static void
silu_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const float *x = sumi_tensor_f32 (in[0]);
  float *y = sumi_tensor_f32 (out);

  for (gsize i = 0, n = sumi_tensor_count (out); i < n; i++)
    y[i] = (float) (x[i] / (1 + exp (-(double) x[i])));
}

static void
silu_gradient (SumiEval *ev, const SumiBackward *b)
{
  sumi_gradient_pointwise (ev, b, sumi_silu_slope);
}

static const SumiOpCase silu_cases[] = {
  { .in = { { 1 } } },
  { .in = { { 3, 7 } } },
  { .in = { { 1, 9, 11, 5 } } },
  { .in = { { 2, 33, 31, 16 } } },
};

const SumiOpClass sumi_op_silu = {
  .key = "silu",
  .n_in = 1,
  .shape = silu_shape,
  .reference = silu_reference,
  .cases = silu_cases,
  .n_cases = G_N_ELEMENTS (silu_cases),
  .tolerance = 1e-11,
  .inplace = 1 << 0,
  .gradient = silu_gradient,
  .over = 1 << 0,
  .keeps = 1 << 0,
};

SumiTensor *
sumi_silu (SumiEval *ev, const SumiTensor *x, SumiTensor *out)
{
  return sumi_op_call (ev, &sumi_op_silu, (const SumiTensor *const[]){ x }, NULL, out);
}
