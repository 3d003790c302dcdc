/* SPDX-License-Identifier: GPL-3.0-or-later */
/* α·a + β·b + γ·c, in double: samplers lose nothing to cancelling terms. */
#include "core/base/error.h"
#include "core/ops/gradient.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"

static gboolean
lincomb_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  for (int i = 1; i < 3; i++)
    if (in[i] && ! sumi_tensor_same_shape (in[0], in[i]))
      {
        g_autofree char *a = sumi_tensor_describe (in[0]), *b = sumi_tensor_describe (in[i]);

        sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "lincomb: %s and %s differ in shape", a, b);
        return FALSE;
      }
  *out = *in[0];
  return TRUE;
}

static void
combine_f64 (const SumiTensor *const *in, SumiTensor *out, const SumiLincombParams *p)
{
  const double *a = in[0]->data, *b = in[1] ? in[1]->data : NULL, *c = in[2] ? in[2]->data : NULL;
  double *y = out->data;

  for (gsize i = 0, n = sumi_tensor_count (out); i < n; i++)
    y[i] = p->alpha * a[i] + (b ? p->beta * b[i] : 0) + (c ? p->gamma * c[i] : 0);
}

static void
lincomb_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const SumiLincombParams *p = params;
  const float *a = sumi_tensor_f32 (in[0]), *b = in[1] ? sumi_tensor_f32 (in[1]) : NULL;
  const float *c = in[2] ? sumi_tensor_f32 (in[2]) : NULL;
  float *y = sumi_tensor_f32 (out);

  if (out->dtype == SUMI_DTYPE_F64)
    {
      combine_f64 (in, out, p);
      return;
    }
  for (gsize i = 0, n = sumi_tensor_count (out); i < n; i++)
    y[i] = (float) (p->alpha * a[i] + (b ? p->beta * b[i] : 0) + (c ? p->gamma * c[i] : 0));
}

static void
lincomb_gradient (SumiEval *ev, const SumiBackward *b)
{
  const SumiLincombParams *p = b->params;
  const double factors[] = { p->alpha, p->beta, p->gamma };

  for (int i = 0; i < 3; i++)
    if (b->grad[i] && b->add[i])
      sumi_lincomb (ev, 1, b->add[i], factors[i], b->g, 0, NULL, b->grad[i]);
    else if (b->grad[i])
      sumi_lincomb (ev, factors[i], b->g, 0, NULL, 0, NULL, b->grad[i]);
}

static const SumiLincombParams lincomb_params[] = { { 0.5, -2, 0 }, { 1, 0.25, 3 }, { -1, 0, 0 }, { 1, 0, 0.3 } };

static const SumiOpCase lincomb_cases[] = {
  { .in = { { 1, 5, 7, 3 }, { 1, 5, 7, 3 } }, .params = &lincomb_params[0] },
  { .in = { { 2, 3, 3, 4 }, { 2, 3, 3, 4 }, { 2, 3, 3, 4 } }, .params = &lincomb_params[1] },
  { .in = { { 6 } }, .params = &lincomb_params[2] },
  { .in = { { 1, 31, 67, 9 }, { 0 }, { 1, 31, 67, 9 } }, .params = &lincomb_params[3] },
};

const SumiOpClass sumi_op_lincomb = {
  .key = "lincomb",
  .n_in = 3,
  .optional = 1 << 1 | 1 << 2,
  .shape = lincomb_shape,
  .reference = lincomb_reference,
  .cases = lincomb_cases,
  .n_cases = G_N_ELEMENTS (lincomb_cases),
  .tolerance = 1e-13,
  .inplace = 1 << 0,
  .wide = TRUE,
  .params_size = sizeof (SumiLincombParams),
  .over = 1 << 0 | 1 << 1 | 1 << 2,
  .gradient = lincomb_gradient,
};

SumiTensor *
sumi_lincomb (SumiEval *ev,
              double alpha,
              const SumiTensor *a,
              double beta,
              const SumiTensor *b,
              double gamma,
              const SumiTensor *c,
              SumiTensor *out)
{
  SumiLincombParams params = { alpha, beta, gamma };

  return sumi_op_call (ev, &sumi_op_lincomb, (const SumiTensor *const[]){ a, b, c }, &params, out);
}
