/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each pixel four times: torch.nn.functional.interpolate (x, scale_factor=2, mode='nearest'). */
#include <string.h>

#include "core/ops/gradient.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"

static gboolean
upsample_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  SumiDims dims = { 0 };

  if (! sumi_expect (ev, &dims, in[0], "N H W C", "upsample-nearest: x"))
    return FALSE;
  *out = *in[0];
  out->shape[1] *= 2;
  out->shape[2] *= 2;
  return TRUE;
}

static void
upsample_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const gsize rows = (gsize) in[0]->shape[0] * (gsize) in[0]->shape[1]; /* of all pictures */
  const gsize width = (gsize) in[0]->shape[2], channels = (gsize) in[0]->shape[3];
  const float *x = sumi_tensor_f32 (in[0]);
  float *y = sumi_tensor_f32 (out);

  for (gsize i = 0; i < 2 * rows; i++)
    for (gsize j = 0; j < 2 * width; j++, y += channels)
      memcpy (y, x + (i / 2 * width + j / 2) * channels, channels * sizeof (float));
}

static void
upsample_gradient (SumiEval *ev, const SumiBackward *b)
{
  sumi_gradient_channels (ev, b->g, 0, TRUE, b->add[0], b->grad[0]);
}

static const SumiOpCase upsample_cases[] = {
  { .in = { { 1, 1, 1, 1 } } },
  { .in = { { 2, 5, 7, 3 } } },
};

const SumiOpClass sumi_op_upsample_nearest = {
  .key = "upsample-nearest",
  .n_in = 1,
  .shape = upsample_shape,
  .reference = upsample_reference,
  .cases = upsample_cases,
  .n_cases = G_N_ELEMENTS (upsample_cases),
  .tolerance = 0,
  .gradient = upsample_gradient,
};

SumiTensor *
sumi_upsample_nearest (SumiEval *ev, const SumiTensor *x, SumiTensor *out)
{
  return sumi_op_call (ev, &sumi_op_upsample_nearest, (const SumiTensor *const[]){ x }, NULL, out);
}
