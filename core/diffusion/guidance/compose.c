/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Composition: D = D_u + s·Σ w_i·(D_i − D_u). Liu et al. 2022 (arXiv 2206.01714, section 4): conditions of weights
 * above 0 hold together (AND), those below 0 are kept away from (NOT). The base is not asked where s·Σ w_i is 1: then
 * it is a product of experts.
 *
 * Biased: at each σ it is the score of p_σ(x)·Π (p_σ(x | c_i)/p_σ(x))^w_i, which tends to the wanted density where σ
 * tends to 0, but is not that density blurred by σ above (Du et al. 2023, arXiv 2302.11552), and a NOT
 * stronger than what it is against has no density at all. For Gaussians of one mean and widths s_i, weights w_i (the
 * base's among them), deterministic samplers give the variance Π s_i^(2·w_i), the density wanted has 1/Σ (w_i/s_i²):
 * too alike, or too far apart. The tests measure it. */
#include <glib/gi18n-lib.h>

#include "core/base/option.h"
#include "core/diffusion/guidance.h"

typedef struct
{
  double scale;
} Compose;

static const SumiOption options[] = {
  {
      .key = "compose-scale",
      .label = N_ ("Guidance _scale"),
      .blurb = N_ ("Factor of all weights of the conditions"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Compose, scale),
      .min = -100,
      .max = 100,
      .value = 1,
  },
  { NULL },
};

static void
compose_mix (const SumiGuidance *self, double sigma, double *w)
{
  const Compose *o = self->options;

  w[0] = 1;
  for (int i = 0; i < self->parts.n; i++)
    {
      w[i + 1] = o->scale * sumi_guidance_weight (self, i);
      w[0] -= w[i + 1];
    }
}

const SumiGuidanceClass sumi_guidance_compose = {
  .key = "compose",
  .label = N_ ("Composition"),
  .blurb = N_ ("Several conditions at once: weights above 0 hold together, those below 0 are kept away from"),
  .paper = "Liu et al. 2022, arXiv 2206.01714, section 4",
  .conditions = SUMI_GUIDANCE_ANY,
  .options = options,
  .options_size = sizeof (Compose),
  .mix = compose_mix,
};
