/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/method/posterior.h"

#include "core/diffusion/denoiser.h"
#include "core/diffusion/operator.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

typedef struct
{
  SumiMethod *self;
  double sigma, scale;
} Job;

static SumiTensor *
pull (gpointer data, SumiEval *ev, SumiTensor *x0)
{
  const Job *j = data;
  SumiOperator *a = j->self->seen.a;
  SumiTensor *r = sumi_lincomb (ev, 1, j->self->seen.y, -1, sumi_operator_apply (a, ev, x0), 0, NULL, NULL);
  const gsize n = (gsize) a->y_shape[0], size = n > 0 ? sumi_tensor_count (r) / n : 0;

  for (gsize k = 0; k < n && sumi_eval_ok (ev); k++)
    {
      double square = 0, seen = 0, weight;

      for (gsize i = k * size; i < (k + 1) * size; i++)
        {
          const double value = sumi_tensor_get (r, i);

          square += value * value;
          seen += value != 0; /* rows of a mask that see nothing have none */
        }
      weight = square > 0 ? MIN (j->scale * j->sigma * j->sigma * seen / square, 1 / a->norm2) : 0;
      for (gsize i = k * size; i < (k + 1) * size; i++)
        sumi_tensor_put (r, i, weight * sumi_tensor_get (r, i));
    }
  return sumi_operator_adjoint (a, ev, r);
}

SumiTensor *
sumi_posterior_denoise (SumiMethod *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  Job job = { self, sigma, ((const SumiPosterior *) self->options)->scale };
  SumiTensor *x0, *gradient = sumi_denoise_vjp (self->denoiser, ev, x, sigma, pull, &job, &x0);
  SumiTensor *pulled = sumi_lincomb (ev, 1, x0, 1, gradient, 0, NULL, NULL);

  sumi_method_hold (self, ev, FALSE, pulled, self->seen.known);
  return pulled;
}
