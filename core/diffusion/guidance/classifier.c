/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Classifier guidance: D' = D + s·σ²·∂ln p (y | x; σ)/∂x, of a classifier of noisy pictures. Dhariwal and Nichol 2021
 * (arXiv 2105.05233, algorithm 2: ε − √(1 − ᾱ)·s·∇ ln p, which is this in x = x0 + σ·noise; for their algorithm 1 take
 * a sampler that adds noise).
 *
 * Exact for s = 1 and the true classifier: by Bayes it is then the conditional denoiser. Another s is biased as cfg is:
 * p (y | x; σ)^s at each σ is not the blurred p (y | x0)^s. */
#include <glib/gi18n-lib.h>

#include "core/base/option.h"
#include "core/diffusion/guidance.h"
#include "core/diffusion/potential.h"
#include "core/ops/ops.h"

typedef struct
{
  double scale;
} Classifier;

static const SumiOption options[] = {
  {
      .key = "classifier-scale",
      .label = N_ ("Guidance _scale"),
      .blurb = N_ ("How strongly the classifier pulls: 1 as it says, above that more than that"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Classifier, scale),
      .min = -100,
      .max = 100,
      .value = 1,
  },
  { NULL },
};

static SumiTensor *
classifier_denoise (SumiGuidance *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  const Classifier *o = self->options;
  const double factor = o->scale * sigma * sigma;
  SumiTensor *x0 = sumi_denoise (self->parts.base, ev, x, sigma);

  if (factor == 0)
    return x0;
  return sumi_lincomb (ev, 1, x0, factor, sumi_potential_gradient (self->parts.classifier, ev, x, sigma, NULL), 0, NULL,
                       NULL);
}

const SumiGuidanceClass sumi_guidance_classifier = {
  .key = "classifier",
  .label = N_ ("Classifier"),
  .blurb = N_ ("Pulls towards what a classifier of noisy pictures is sure of; for a denoiser without conditions"),
  .paper = "Dhariwal and Nichol 2021, arXiv 2105.05233, algorithm 2",
  .needs_classifier = TRUE,
  .options = options,
  .options_size = sizeof (Classifier),
  .denoise = classifier_denoise,
};
