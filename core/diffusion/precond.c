/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/precond.h"

#include "core/diffusion/arithmetic.h"
#include "core/ops/ops.h"

SumiTensor *
sumi_precond_denoise (const SumiPrecondClass *self,
                      const SumiPrecondInput *input,
                      SumiEval *ev,
                      const SumiTensor *x,
                      double sigma,
                      SumiPrecondNet net,
                      gpointer data)
{
  SumiPrecond at[SUMI_PRECOND_HEADS];
  SumiTensor *estimates[SUMI_PRECOND_HEADS];
  SumiPrecondAnswer answer;

  self->at (input, sigma, at);
  answer = net (data, ev, sumi_lincomb (ev, at->c_in, x, 0, NULL, 0, NULL, NULL), at->c_noise);
  for (int i = 0; i < self->heads; i++)
    estimates[i] = sumi_lincomb (ev, at[i].c_skip, x, at[i].c_out, answer.heads[i], 0, NULL, NULL);
  return self->heads > 1 ? sumi_blend (ev, answer.blend, estimates[1], estimates[0], NULL) : estimates[0];
}
