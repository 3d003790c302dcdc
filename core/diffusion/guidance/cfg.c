/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Classifier-free guidance: D = D_u + w·(D_c − D_u). Ho and Salimans 2022 (arXiv 2207.12598, eq. 6, whose w is one less
 * than ours): w = 0 all pictures, w = 1 those of the condition, above it more of what sets them apart. Another base
 * than that of all pictures, such as what is not wanted, makes a negative prompt. The exemplar of a guidance.
 *
 * Biased for w other than 0 and 1: the score is that of p_σ(x)^(1 − w)·p_σ(x | c)^w at each σ alone, which is not that
 * density at σ = 0 blurred by σ, so results are drawn from neither (Du et al. 2023, arXiv 2302.11552): for Gaussians of
 * widths s_u and s_c deterministic samplers give the variance s_u^(2 − 2w)·s_c^(2w), not 1/((1 − w)/s_u² + w/s_c²).
 * Large w makes pictures alike and over-saturated.
 *
 * Interval: outside cfg-low < σ ≤ cfg-high only D_c is asked, which is half the work (Kynkäänniemi et al. 2024, arXiv
 * 2404.07724). Rescaling: D is scaled so that each sample has the standard deviation of D_c, by the share φ (Lin
 * et al. 2023, arXiv 2305.08891, section 3.4). They scale the network's output; public libraries do that for ε and v
 * alike; here it is D, which is −v where there is nothing but noise, and another thing below that. */
#include <glib/gi18n-lib.h>

#include "core/base/option.h"
#include "core/diffusion/guidance.h"
#include "core/diffusion/samplewise.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

typedef struct
{
  double scale, low, high, rescale;
} Cfg;

static const SumiOption options[] = {
  {
      .key = "cfg-scale",
      .label = N_ ("Guidance _scale"),
      .blurb = N_ ("How strongly the condition pulls: 0 not at all, 1 as it was learnt, above that more than that"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Cfg, scale),
      .min = -100,
      .max = 100,
      .value = 3,
  },
  {
      .key = "cfg-low",
      .label = N_ ("Guidance e_nds at"),
      .blurb = N_ ("Guided above this noise level only"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Cfg, low),
      .max = 1e6,
  },
  {
      .key = "cfg-high",
      .label = N_ ("Guidance _begins at"),
      .blurb = N_ ("Guided up to this noise level only"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Cfg, high),
      .max = 1e6,
      .value = 1e6,
  },
  {
      .key = "cfg-rescale",
      .label = N_ ("_Rescale"),
      .blurb = N_ ("How far contrast is brought back to that of the condition alone: 0.7 against glaring colours"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Cfg, rescale),
      .max = 1,
  },
  { NULL },
};

static double
get_scale (const Cfg *o, double sigma)
{
  return sigma > o->low && sigma <= o->high ? o->scale : 1;
}

static void
cfg_mix (const SumiGuidance *self, double sigma, double *w)
{
  w[1] = get_scale (self->options, sigma);
  w[0] = 1 - w[1];
}

static gboolean
cfg_is_linear (const SumiGuidance *self)
{
  return ((const Cfg *) self->options)->rescale == 0;
}

static SumiTensor *
cfg_denoise (SumiGuidance *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  const Cfg *o = self->options;
  const double scale = get_scale (o, sigma);
  const gsize n = (gsize) x->shape[0];
  g_autofree double *factors = g_new0 (double, n), *stds = g_new0 (double, n);
  SumiTensor *base, *condition, *x0;

  if (o->rescale == 0 || scale == 1)
    return sumi_guidance_mix (self, ev, x, sigma);
  base = sumi_denoise (self->parts.base, ev, x, sigma);
  condition = sumi_denoise (self->parts.conditions[0], ev, x, sigma);
  x0 = sumi_lincomb (ev, 1 - scale, base, scale, condition, 0, NULL, NULL);
  sumi_samples_std (ev, condition, factors);
  sumi_samples_std (ev, x0, stds);
  for (gsize i = 0; i < n; i++)
    factors[i] = stds[i] > 0 ? 1 - o->rescale + o->rescale * factors[i] / stds[i] : 1;
  return sumi_samples_scale (ev, NULL, factors, x0, x0);
}

const SumiGuidanceClass sumi_guidance_cfg = {
  .key = "cfg",
  .label = N_ ("Classifier-free"),
  .blurb = N_ ("Strengthens one condition against none; the usual choice, also with an interval and rescaled"),
  .paper = "Ho and Salimans 2022, arXiv 2207.12598, eq. 6",
  .conditions = SUMI_GUIDANCE_ONE,
  .options = options,
  .options_size = sizeof (Cfg),
  .mix = cfg_mix,
  .is_linear = cfg_is_linear,
  .denoise = cfg_denoise,
};
