/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Diffusion posterior sampling's gradient, which dps and mcg share. */
#pragma once

#include "core/base/option.h"
#include "core/diffusion/method.h"

G_BEGIN_DECLS

typedef struct
{
  double scale;
} SumiPosterior;

/* The row of "scale", whose default is the method's own. */
#define SUMI_POSTERIOR_SCALE(by_default)                                                                               \
  {                                                                                                                    \
    .key = "scale", .label = N_ ("_Scale"), .blurb = N_ ("How strongly the result is pulled to the observation"),      \
    .type = SUMI_OPTION_DOUBLE, .offset = G_STRUCT_OFFSET (SumiPosterior, scale), .max = 100, .value = by_default,     \
  }

/* The hook: D + w·(∂D/∂x)ᵀ·Aᵀ·(y − A·D), w = min (scale·σ²/v, 1/‖A‖²), v = |y − A·D|²/M of each sample's M observed
 * numbers; the method's options are a SumiPosterior. */
SumiTensor *sumi_posterior_denoise (SumiMethod *self, SumiEval *ev, SumiTensor *x, double sigma);

G_END_DECLS
