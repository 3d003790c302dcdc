/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/denoiser.h"

#include "core/base/error.h"
#include "core/diffusion/arithmetic.h"
#include "core/tensor/eval.h"

/* What is not finite is looked for by a second call in which every op looks at its result: it costs nothing while all
 * is well. */
static void
explain (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  if (! sumi_is_finite (x))
    {
      sumi_eval_fail (
          ev, SUMI_ERROR_NUMBER,
          "σ = %g: the noisy picture is not finite any more: the sampler's or method's step before made it so; "
          "take more steps, or another sampler",
          sigma);
      return;
    }
  ev->check_finite = TRUE;
  self->denoise (self, ev, x, sigma);
  ev->check_finite = FALSE;
  if (ev->error)
    g_prefix_error (&ev->error, "σ = %g: ", sigma);
  else
    sumi_eval_fail (ev, SUMI_ERROR_NUMBER,
                    "σ = %g: the denoiser's answer is not finite, though each of its ops' results is", sigma);
}

static SumiTensor *
checked (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma, SumiTensor *x0)
{
  if (ev->error || self->composed || sumi_is_finite (x0))
    return x0;
  explain (self, ev, x, sigma);
  return sumi_eval_nothing (ev);
}

SumiTensor *
sumi_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  if (! sumi_eval_ok (ev))
    return sumi_eval_nothing (ev);
  ev->n_denoise += ! self->composed;
  return checked (self, ev, x, sigma, self->denoise (self, ev, x, sigma));
}

SumiTensor *
sumi_denoise_vjp (SumiDenoiser *self,
                  SumiEval *ev,
                  SumiTensor *x,
                  double sigma,
                  SumiCotangent cotangent,
                  gpointer data,
                  SumiTensor **x0)
{
  SumiTensor *gradient;

  *x0 = sumi_eval_nothing (ev);
  if (! sumi_eval_ok (ev))
    return sumi_eval_nothing (ev);
  ev->n_denoise += ! self->composed;
  gradient = self->vjp (self, ev, x, sigma, cotangent, data, x0);
  *x0 = checked (self, ev, x, sigma, *x0);
  if (! ev->error && ! sumi_is_finite (gradient))
    sumi_eval_fail (ev, SUMI_ERROR_NUMBER, "σ = %g: the denoiser's gradient is not finite", sigma);
  return ev->error ? sumi_eval_nothing (ev) : gradient;
}
