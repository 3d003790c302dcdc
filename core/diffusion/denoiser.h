/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A denoiser D(x; σ) = E[x0 | x = x0 + σ·noise]: all that a sampler sees of a model. σ is in data units. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

struct SumiDenoiser
{
  /* @x: the noisy picture, any shape; @sigma ≥ 0.
   * Returns: (transfer none): the denoised picture, same shape, in @ev's scratch. */
  SumiTensor *(*denoise) (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma);
  /* (nullable): projects @x (a noise, or a result) in place onto the space that is unknown. */
  void (*project) (SumiDenoiser *self, SumiEval *ev, SumiTensor *x);
  /* (nullable): shows @x0 to @job, called once a step. */
  void (*preview) (SumiDenoiser *self, SumiTensor *x0, SumiJob *job);
};

/* Calls @self->denoise and counts the call; result 0 after a sticky error. */
SumiTensor *sumi_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma);

G_END_DECLS
