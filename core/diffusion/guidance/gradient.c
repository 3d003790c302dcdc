/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any differentiable loss on the clean picture: D' = D − σ²·s·∂loss (D (x))/∂x, the gradient taken through the denoiser
 * by its vjp: the score of the data plus that of exp (−s·loss), read at D. Used so by Chung et al. 2023 (arXiv
 * 2209.14687), Bansal et al. 2023 (arXiv 2302.07121) and, with task networks, Wolleb et al. 2022 (arXiv
 * 2204.02641). Losses: potential.h.
 *
 * Biased: the loss is read at the mean of x0 given x, not averaged over x0, as if x0 were known. For data N(0, S²) and
 * the loss (x0 − y)²/(2·r²) the exact push has r² + S²·σ²/(S² + σ²) in the place of r²: guidance is too strong while σ
 * is large. Deterministic samplers give the standard deviation S·exp (−S²/(2·r²)) where S·r/√(S² + r²) is true; with
 * S = 1, y = 1, r = 0.5 results are N (1.28, 0.14²) for N (0.8, 0.45²). Losses that know how wide the data is can make
 * up for that, see SumiTargetLoss.spread. */
#include <glib/gi18n-lib.h>

#include "core/base/option.h"
#include "core/diffusion/guidance.h"
#include "core/diffusion/potential.h"
#include "core/ops/ops.h"

typedef struct
{
  double scale;
} Gradient;

static const SumiOption options[] = {
  {
      .key = "gradient-scale",
      .label = N_ ("Guidance _scale"),
      .blurb = N_ ("Factor of the loss"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Gradient, scale),
      .max = 1e6,
      .value = 1,
  },
  { NULL },
};

typedef struct
{
  SumiPotential *loss;
  double sigma;
} Wish;

static SumiTensor *
wish_cotangent (gpointer data, SumiEval *ev, SumiTensor *x0)
{
  const Wish *wish = data;

  return sumi_potential_gradient (wish->loss, ev, x0, wish->sigma, NULL);
}

static SumiTensor *
gradient_denoise (SumiGuidance *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  const Gradient *o = self->options;
  Wish wish = { self->parts.loss, sigma };
  SumiTensor *x0, *gradient;

  if (o->scale * sigma == 0)
    return sumi_denoise (self->parts.base, ev, x, sigma);
  gradient = sumi_denoise_vjp (self->parts.base, ev, x, sigma, wish_cotangent, &wish, &x0);
  return sumi_lincomb (ev, 1, x0, -o->scale * sigma * sigma, gradient, 0, NULL, NULL);
}

const SumiGuidanceClass sumi_guidance_gradient = {
  .key = "gradient",
  .label = N_ ("Gradient of a loss"),
  .blurb = N_ ("Pulls the picture to where a loss is small, such as wished colours; costs the model's gradient"),
  .paper = "Chung et al. 2023, arXiv 2209.14687; Bansal et al. 2023, arXiv 2302.07121",
  .needs_loss = TRUE,
  .needs_gradient = TRUE,
  .options = options,
  .options_size = sizeof (Gradient),
  .denoise = gradient_denoise,
};
