/* SPDX-License-Identifier: GPL-3.0-or-later */
/* torch.nn.functional.pixel_shuffle (x, 2): the inverse of pixel-unshuffle. */
#include "core/base/error.h"
#include "core/ops/gradient.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"

static gboolean
shuffle_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  SumiDims dims = { 0 };

  if (! sumi_expect (ev, &dims, in[0], "N H W C", "pixel-shuffle: x"))
    return FALSE;
  if (in[0]->shape[3] % 4)
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "pixel-shuffle: x has %d channels, expected a multiple of 4",
                      in[0]->shape[3]);
      return FALSE;
    }
  *out = *in[0];
  out->shape[1] *= 2;
  out->shape[2] *= 2;
  out->shape[3] /= 4;
  return TRUE;
}

static void
shuffle_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const gsize rows = (gsize) in[0]->shape[0] * (gsize) in[0]->shape[1]; /* of all pictures */
  const gsize width = (gsize) in[0]->shape[2], channels = (gsize) out->shape[3];
  const float *x = sumi_tensor_f32 (in[0]);
  float *y = sumi_tensor_f32 (out);

  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < width; j++)
      for (gsize c = 0; c < channels; c++)
        for (gsize d = 0; d < 4; d++)
          y[((2 * i + d / 2) * 2 * width + 2 * j + d % 2) * channels + c] = *x++;
}

static void
shuffle_gradient (SumiEval *ev, const SumiBackward *b)
{
  sumi_gradient_finish (ev, b, sumi_pixel_unshuffle (ev, b->g, sumi_gradient_place (b)));
}

static const SumiOpCase shuffle_cases[] = {
  { .in = { { 1, 1, 1, 4 } } },
  { .in = { { 2, 5, 3, 12 } } },
};

const SumiOpClass sumi_op_pixel_shuffle = {
  .key = "pixel-shuffle",
  .n_in = 1,
  .shape = shuffle_shape,
  .reference = shuffle_reference,
  .cases = shuffle_cases,
  .n_cases = G_N_ELEMENTS (shuffle_cases),
  .tolerance = 0,
  .gradient = shuffle_gradient,
};

SumiTensor *
sumi_pixel_shuffle (SumiEval *ev, const SumiTensor *x, SumiTensor *out)
{
  return sumi_op_call (ev, &sumi_op_pixel_shuffle, (const SumiTensor *const[]){ x }, NULL, out);
}
