/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gelu(x) = x·Φ(x) = x·erfc(−x/√2)/2: the exact form (Hendrycks and Gimpel 2016), not the tanh approximation. */
#include <math.h>

#include "core/ops/gradient.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"

static gboolean
gelu_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  *out = *in[0];
  return TRUE;
}

static void
gelu_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const float *x = sumi_tensor_f32 (in[0]);
  float *y = sumi_tensor_f32 (out);

  for (gsize i = 0, n = sumi_tensor_count (out); i < n; i++)
    y[i] = (float) (0.5 * x[i] * erfc (-x[i] * G_SQRT2 / 2));
}

static void
gelu_gradient (SumiEval *ev, const SumiBackward *b)
{
  sumi_gradient_pointwise (ev, b, sumi_gelu_slope);
}

static const SumiOpCase gelu_cases[] = {
  { .in = { { 1 } } },
  { .in = { { 3, 7 } } },
  { .in = { { 2, 33, 31, 16 } } },
};

const SumiOpClass sumi_op_gelu = {
  .key = "gelu",
  .n_in = 1,
  .shape = gelu_shape,
  .reference = gelu_reference,
  .cases = gelu_cases,
  .n_cases = G_N_ELEMENTS (gelu_cases),
  .tolerance = 1e-13,
  .inplace = 1 << 0,
  .gradient = gelu_gradient,
  .over = 1 << 0,
  .keeps = 1 << 0,
};

SumiTensor *
sumi_gelu (SumiEval *ev, const SumiTensor *x, SumiTensor *out)
{
  return sumi_op_call (ev, &sumi_op_gelu, (const SumiTensor *const[]){ x }, NULL, out);
}
