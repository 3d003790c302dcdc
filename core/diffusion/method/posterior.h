/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Diffusion posterior sampling's gradient, which dps and mcg share. */
#pragma once

#include "core/diffusion/method.h"

G_BEGIN_DECLS

typedef struct
{
  double scale;
} SumiPosterior;

/* D + w·(∂D/∂x)ᵀ·Aᵀ·(y − A·D), w = min (scale·σ²/v, 1/‖A‖²), v = |y − A·D|²/M of each sample's M observed numbers. */
SumiTensor *sumi_posterior_denoise (SumiMethod *self, SumiEval *ev, SumiTensor *x, double sigma, double scale);

G_END_DECLS
