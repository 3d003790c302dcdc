/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A denoiser D(x; σ) = E[x0 | x = x0 + σ·noise]: all that a sampler sees of a model. σ is in data units. States are
 * [N, H, W, C], f32, or f64 where a denoiser can take that (exact.h). */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Given D, returns (transfer none) the gradient of some loss with respect to it, of the same shape. */
typedef SumiTensor *(*SumiCotangent) (gpointer data, SumiEval *ev, SumiTensor *x0);

struct SumiDenoiser
{
  /* @x: the noisy picture, any shape; @sigma ≥ 0.
   * Returns: (transfer none): the denoised picture, same shape, in @ev's scratch. */
  SumiTensor *(*denoise) (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma);
  /* (nullable): D in @x0 and, returned, (∂D/∂x)ᵀ·v for v = @cotangent (D): the gradient of the cotangent's loss with
   * respect to x. NULL: this denoiser has no gradient. */
  SumiTensor *(*vjp) (SumiDenoiser *self,
                      SumiEval *ev,
                      SumiTensor *x,
                      double sigma,
                      SumiCotangent cotangent,
                      gpointer data,
                      SumiTensor **x0);
  /* (nullable): projects @x (a noise, or a result) in place onto the space that is unknown. */
  void (*project) (SumiDenoiser *self, SumiEval *ev, SumiTensor *x);
  gboolean composed; /* made of other denoisers, which count their calls themselves */
  /* (nullable): shows @x0 to @job, called once a step. */
  void (*preview) (SumiDenoiser *self, SumiTensor *x0, SumiJob *job);
};

/* Calls @self->denoise and counts the call; result 0 after a sticky error. A result that is not finite is a sticky
 * error, which names σ and the op that made it. */
SumiTensor *sumi_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma);

/* The same for @self->vjp, which must not be NULL. */
SumiTensor *sumi_denoise_vjp (SumiDenoiser *self,
                              SumiEval *ev,
                              SumiTensor *x,
                              double sigma,
                              SumiCotangent cotangent,
                              gpointer data,
                              SumiTensor **x0);

G_END_DECLS
