/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each group of neighbouring channels over all pixels of a picture: (x − mean)/√(variance + ε)·γ_c + β_c, then silu if
 * asked (Wu and He 2018). */
#include <math.h>

#include "core/base/error.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"

static gboolean
group_norm_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  const SumiGroupNormParams *p = params;
  SumiDims dims = { 0 };

  if (! sumi_expect (ev, &dims, in[0], "N H W C", "group-norm: x") ||
      ! sumi_expect (ev, &dims, in[1], "C", "group-norm: gamma") ||
      ! sumi_expect (ev, &dims, in[2], "C", "group-norm: beta"))
    return FALSE;
  if (p->groups < 1 || in[0]->shape[3] % p->groups)
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "group-norm: %d channels cannot be cut into %d groups", in[0]->shape[3],
                      p->groups);
      return FALSE;
    }
  *out = *in[0];
  return TRUE;
}

static void
group_norm_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const SumiGroupNormParams *p = params;
  const gsize channels = (gsize) out->shape[3], width = channels / (gsize) p->groups;
  const gsize pixels = (gsize) out->shape[1] * (gsize) out->shape[2], count = pixels * width;
  const float *gamma = sumi_tensor_f32 (in[1]), *beta = sumi_tensor_f32 (in[2]);

  for (gsize n = 0; n < (gsize) out->shape[0]; n++)
    for (gsize start = 0; start < channels; start += width)
      {
        const float *x = sumi_tensor_f32 (in[0]) + n * pixels * channels;
        float *y = sumi_tensor_f32 (out) + n * pixels * channels;
        double mean = 0, variance = 0;

        for (gsize i = 0; i < pixels; i++)
          for (gsize c = start; c < start + width; c++)
            mean += x[i * channels + c];
        mean /= (double) count;
        for (gsize i = 0; i < pixels; i++)
          for (gsize c = start; c < start + width; c++)
            variance += (x[i * channels + c] - mean) * (x[i * channels + c] - mean);
        variance /= (double) count;
        for (gsize i = 0; i < pixels; i++)
          for (gsize c = start; c < start + width; c++)
            {
              const double v = (x[i * channels + c] - mean) / sqrt (variance + p->epsilon) * gamma[c] + beta[c];

              y[i * channels + c] = (float) (p->silu ? v / (1 + exp (-v)) : v);
            }
      }
}

static const SumiGroupNormParams params_one = { .groups = 1, .epsilon = 1e-5 };
static const SumiGroupNormParams params_5 = { .groups = 5, .epsilon = 1e-6, .silu = TRUE };
static const SumiGroupNormParams params_32 = { .groups = 32, .epsilon = 1e-5, .silu = TRUE };
static const SumiGroupNormParams params_plain = { .groups = 32, .epsilon = 1e-6 };
static const SumiOpCase group_norm_cases[] = {
  { .in = { { 1, 1, 1, 1 }, { 1 }, { 1 } }, .params = &params_one },
  { .in = { { 2, 31, 67, 1 }, { 1 }, { 1 } }, .params = &params_one },
  { .in = { { 1, 3, 7, 35 }, { 35 }, { 35 } }, .params = &params_5 },
  { .in = { { 2, 17, 19, 64 }, { 64 }, { 64 } }, .params = &params_32 },
  { .in = { { 1, 9, 16, 960 }, { 960 }, { 960 } }, .params = &params_32 },
  { .in = { { 1, 16, 33, 96 }, { 96 }, { 96 } }, .params = &params_plain },
};

const SumiOpClass sumi_op_group_norm = {
  .key = "group-norm",
  .n_in = 3,
  .shape = group_norm_shape,
  .reference = group_norm_reference,
  .cases = group_norm_cases,
  .n_cases = G_N_ELEMENTS (group_norm_cases),
  .tolerance = 1e-12,
  .inplace = 1 << 0,
};

SumiTensor *
sumi_group_norm (SumiEval *ev,
                 const SumiTensor *x,
                 const SumiTensor *gamma,
                 const SumiTensor *beta,
                 int groups,
                 double epsilon,
                 gboolean silu,
                 SumiTensor *out)
{
  const SumiGroupNormParams params = { groups, epsilon, silu };

  return sumi_op_call (ev, &sumi_op_group_norm, (const SumiTensor *const[]){ x, gamma, beta }, &params, out);
}
