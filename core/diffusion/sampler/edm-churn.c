/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stochastic sampler of Karras et al. 2022 (arXiv 2206.00364), algorithm 2: raise σ to σ̂ = (1 + γ)·σ by fresh
 * noise of deviation S_noise, γ = min (S_churn/N, √2 − 1) for S_tmin ≤ σ ≤ S_tmax, else 0; then Heun's step to
 * σ_next. N: the steps of the run. Defaults: the paper's table 5 for ImageNet-64. S_churn = 0 is heun, second order.
 * Unlike the loop's own churn, which goes by a step's fall, this one is the paper's to the letter, so the loop's is
 * not used (own_churn).
 * Conventions, the paper's: no first step of its own; the last, to σ = 0, is Euler's from σ̂, which returns D.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/option.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/variance.h"
#include "core/ops/ops.h"

typedef struct
{
  double s_churn, s_tmin, s_tmax, s_noise;
} EdmChurn;

static const SumiOption options[] = {
  {
      .key = "s-churn",
      .label = N_ ("_Churn"),
      .blurb = N_ ("Noise added over the run, shared among its steps"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (EdmChurn, s_churn),
      .max = 1000,
      .value = 40,
  },
  {
      .key = "s-tmin",
      .label = N_ ("Churn _from"),
      .blurb = N_ ("Lowest noise level at which noise is added"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (EdmChurn, s_tmin),
      .max = 1e6,
      .value = 0.05,
  },
  {
      .key = "s-tmax",
      .label = N_ ("Churn _to"),
      .blurb = N_ ("Highest noise level at which noise is added"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (EdmChurn, s_tmax),
      .max = 1e6,
      .value = 50,
  },
  {
      .key = "s-noise",
      .label = N_ ("_Noise scale"),
      .blurb = N_ ("Scale of the added noise; slightly above 1 makes up for detail that a model loses"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (EdmChurn, s_noise),
      .max = 2,
      .value = 1.003,
  },
  { NULL },
};

static void
edm_churn_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const EdmChurn *o = s->options;
  const gboolean within = s->sigma >= o->s_tmin && s->sigma <= o->s_tmax;
  const double gamma = within ? MIN (o->s_churn / s->count, G_SQRT2 - 1) : 0;
  const double sigma = s->sigma * (1 + gamma), h = s->sigma_next - sigma;
  const SumiTensor *x0;
  SumiTensor *y, *slopes;

  if (gamma > 0 && s->sigma > 0)
    sumi_lincomb (ev, 1, x, o->s_noise * s->sigma * sqrt (gamma * (2 + gamma)), sumi_step_noise (s, ev, x, 0), 0, NULL,
                  x);
  s->sigma = sigma;
  if (sumi_step_ends (s, ev, x))
    return;
  x0 = sumi_denoise (s->denoiser, ev, x, sigma);
  y = sumi_lincomb (ev, s->sigma_next / sigma, x, -h / sigma, x0, 0, NULL, NULL);
  s->x0 = sumi_denoise (s->denoiser, ev, y, s->sigma_next);
  /* x + h/2·((x − x0)/σ̂ + (y − y0)/σ') */
  slopes = sumi_lincomb (ev, -h / (2 * sigma), x0, h / (2 * s->sigma_next), y, -h / (2 * s->sigma_next), s->x0, NULL);
  sumi_lincomb (ev, 1 + h / (2 * sigma), x, 1, slopes, 0, NULL, x);
}

const SumiSamplerClass sumi_sampler_edm_churn = {
  .key = "edm-churn",
  .label = N_ ("EDM churn"),
  .blurb = N_ ("Heun's steps with noise added first; best quality at 50 steps and more"),
  .paper = "Karras et al. 2022, arXiv 2206.00364, algorithm 2",
  .calls = 2,
  .stochastic = TRUE,
  .own_churn = TRUE,
  .options = options,
  .options_size = sizeof (EdmChurn),
  .step = edm_churn_step,
};
