/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/method.h"

#include "core/base/error.h"
#include "core/diffusion/denoiser.h"

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
  else if (self->masks_only && (! seen->free || ! seen->known))
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
