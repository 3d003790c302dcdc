/* SPDX-License-Identifier: GPL-3.0-or-later */
/* At each pixel, over channels: y_c = x_c / √(mean x² + ε)·g_c, then silu (y_c·(1 + a_c) + k_c); a = k = 0 without @ac.
 * models/restore.md, "F": rms and silu, with the block's scale and shift between them. */
#include <math.h>

#include "core/base/error.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"

static gboolean
rms_silu_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  SumiDims dims = { 0 };

  if (! sumi_expect (ev, &dims, in[0], "N H W C", "rms-silu: x") ||
      ! sumi_expect (ev, &dims, in[1], "C", "rms-silu: g") ||
      (in[2] && ! sumi_expect (ev, &dims, in[2], "N 2C", "rms-silu: scale and shift")))
    return FALSE;
  if (in[2] && in[2]->shape[1] != 2 * in[0]->shape[3])
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "rms-silu: scale and shift have %d values, expected 2·%d", in[2]->shape[1],
                      in[0]->shape[3]);
      return FALSE;
    }
  *out = *in[0];
  return TRUE;
}

static void
rms_silu_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const int channels = out->shape[3];
  const gsize pixels = (gsize) out->shape[1] * (gsize) out->shape[2];
  const float *x = sumi_tensor_f32 (in[0]), *g = sumi_tensor_f32 (in[1]);
  float *y = sumi_tensor_f32 (out);

  for (gsize n = 0; n < (gsize) out->shape[0]; n++)
    {
      const float *ac = in[2] ? sumi_tensor_f32 (in[2]) + n * (gsize) (2 * channels) : NULL;

      for (gsize i = 0; i < pixels; i++, x += channels, y += channels)
        {
          double sum = 0, scale;

          for (int c = 0; c < channels; c++)
            sum += (double) x[c] * x[c];
          scale = 1 / sqrt (sum / channels + SUMI_RMS_EPSILON);
          for (int c = 0; c < channels; c++)
            {
              double v = x[c] * scale * g[c];

              if (ac)
                v = v * (1 + (double) ac[c]) + ac[channels + c];
              y[c] = (float) (v / (1 + exp (-v)));
            }
        }
    }
}

static const SumiOpCase rms_silu_cases[] = {
  { .in = { { 1, 1, 1, 1 }, { 1 } } },
  { .in = { { 1, 3, 7, 5 }, { 5 } } },
  { .in = { { 1, 5, 9, 16 }, { 16 } } },
  { .in = { { 2, 3, 11, 31 }, { 31 }, { 2, 62 } } },
  { .in = { { 2, 16, 20, 48 }, { 48 }, { 2, 96 } } },
  { .in = { { 1, 31, 67, 33 }, { 33 }, { 1, 66 } } },
};

const SumiOpClass sumi_op_rms_silu = {
  .key = "rms-silu",
  .n_in = 3,
  .optional = 1 << 2,
  .shape = rms_silu_shape,
  .reference = rms_silu_reference,
  .cases = rms_silu_cases,
  .n_cases = G_N_ELEMENTS (rms_silu_cases),
  .tolerance = 1e-11,
  .inplace = 1 << 0,
};

SumiTensor *
sumi_rms_silu (SumiEval *ev, const SumiTensor *x, const SumiTensor *g, const SumiTensor *ac, SumiTensor *out)
{
  return sumi_op_call (ev, &sumi_op_rms_silu, (const SumiTensor *const[]){ x, g, ac }, NULL, out);
}
