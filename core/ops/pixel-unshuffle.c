/* SPDX-License-Identifier: GPL-3.0-or-later */
/* torch.nn.functional.pixel_unshuffle (x, 2): channel c·4 + dy·2 + dx holds the pixels (2i + dy, 2j + dx) of channel c.
 */
#include "core/base/error.h"
#include "core/ops/gradient.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"

static gboolean
unshuffle_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  SumiDims dims = { 0 };

  if (! sumi_expect (ev, &dims, in[0], "N H W C", "pixel-unshuffle: x"))
    return FALSE;
  if (in[0]->shape[1] % 2 || in[0]->shape[2] % 2)
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "pixel-unshuffle: x is %d×%d, expected even sides", in[0]->shape[2],
                      in[0]->shape[1]);
      return FALSE;
    }
  *out = *in[0];
  out->shape[1] /= 2;
  out->shape[2] /= 2;
  out->shape[3] *= 4;
  return TRUE;
}

static void
unshuffle_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const gsize rows = (gsize) out->shape[0] * (gsize) out->shape[1]; /* of all pictures */
  const gsize width = (gsize) out->shape[2], channels = (gsize) in[0]->shape[3];
  const float *x = sumi_tensor_f32 (in[0]);
  float *y = sumi_tensor_f32 (out);

  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < width; j++)
      for (gsize c = 0; c < channels; c++)
        for (gsize d = 0; d < 4; d++)
          *y++ = x[((2 * i + d / 2) * 2 * width + 2 * j + d % 2) * channels + c];
}

static void
unshuffle_gradient (SumiEval *ev, const SumiBackward *b)
{
  sumi_gradient_finish (ev, b, sumi_pixel_shuffle (ev, b->g, sumi_gradient_place (b)));
}

static const SumiOpCase unshuffle_cases[] = {
  { .in = { { 1, 2, 2, 1 } } },
  { .in = { { 2, 6, 10, 3 } } },
};

const SumiOpClass sumi_op_pixel_unshuffle = {
  .key = "pixel-unshuffle",
  .n_in = 1,
  .shape = unshuffle_shape,
  .reference = unshuffle_reference,
  .cases = unshuffle_cases,
  .n_cases = G_N_ELEMENTS (unshuffle_cases),
  .tolerance = 0,
  .gradient = unshuffle_gradient,
};

SumiTensor *
sumi_pixel_unshuffle (SumiEval *ev, const SumiTensor *x, SumiTensor *out)
{
  return sumi_op_call (ev, &sumi_op_pixel_unshuffle, (const SumiTensor *const[]){ x }, NULL, out);
}
