/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/method.h"

#include <math.h>

#include "core/base/error.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

void
sumi_method_hold (const SumiMethod *self, SumiEval *ev, gboolean all, SumiTensor *x, const SumiTensor *with)
{
  const SumiTensor *free = self->seen.free;
  const double until = 1 - (self->step ? self->step->index + 1.0 : 0.0) / MAX (self->n_steps, 1);
  gboolean any = FALSE;
  SumiTensor *map;

  if (! free || ! with || ! sumi_eval_ok (ev))
    return;
  map = sumi_eval_tensor_like (ev, free);
  if (! sumi_eval_ok (ev))
    return;
  for (gsize i = 0, n = sumi_tensor_count (free); i < n; i++)
    {
      const double f = sumi_tensor_get (free, i);
      const gboolean held = f > 0 ? f < 1 && f <= until + 1e-9 : all;

      sumi_tensor_put (map, i, ! held);
      any = any || held;
    }
  if (any)
    sumi_blend (ev, map, x, with, x);
}

int
sumi_method_start (const SumiMethod *self, SumiEval *ev, double strength, const SumiTensor *from, SumiTensor *x)
{
  const int first = self->n_steps - (int) lround (CLAMP (strength, 0, 1) * self->n_steps);

  sumi_lincomb (ev, self->sigmas[first], sumi_method_noise (self, ev, x, 0), 1, from, 0, NULL, x);
  return first;
}

gboolean
sumi_method_check (const SumiMethodClass *self,
                   const SumiDenoiser *denoiser,
                   const SumiObservation *seen,
                   const char *who,
                   GError **error)
{
  const char *lack = NULL;

  if (self->needs_gradient && ! denoiser->vjp)
    lack = "needs the gradient of the denoiser, which this model does not have";
  else if (self->needs_reference && ! seen->reference)
    lack = "needs a picture to start from";
  else if (self->masks_only && ((! self->mask_optional && (! seen->free || ! seen->known)) || seen->beyond_mask))
    lack = "works on masks only, and here something else was observed";
  else if (! self->masks_only && ! seen->a)
    lack = "needs an observation, and here there is none";
  if (! lack)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
               "the method %s %s: %s cannot be used with it; take another method (sumi list methods) or model",
               self->key, lack, who);
  return FALSE;
}
