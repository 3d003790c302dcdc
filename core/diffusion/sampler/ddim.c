/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DDIM (Song, Meng and Ermon 2021, arXiv 2010.02502, eq. 12 and 16) in variance-exploding coordinates, where
 * √((1 − ᾱ')/(1 − ᾱ))·√(1 − ᾱ/ᾱ')/√ᾱ' becomes σ'·√(1 − σ'²/σ²): η = 0 is deterministic, and then Euler's step; η = 1 is
 * DDPM's ancestral step with the smaller variance. The fresh noise has that variance, or by the setting variance β's
 * (σ̂ of section 5) or the analytic one (Bao et al. 2022, arXiv 2201.06503), which adds noise with η = 0 too: their
 * Analytic-DDIM. Convention at the ends: the last step, to σ = 0, returns D.
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
  double eta;
  char *variance;
} Ddim;

static const SumiOption options[] = {
  {
      .key = "eta",
      .label = N_ ("_Eta"),
      .blurb = N_ ("Noise added in each step: 0 none, 1 as much as DDPM"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Ddim, eta),
      .max = 1,
  },
  {
      .key = "variance",
      .label = N_ ("_Variance"),
      .blurb = N_ ("How much fresh noise follows a step: the least, the most, or what suits this very picture"),
      .type = SUMI_OPTION_CHOICE,
      .offset = G_STRUCT_OFFSET (Ddim, variance),
      .text = "posterior",
      .choices = sumi_variance_choices,
  },
  { NULL },
};

static void
ddim_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const Ddim *o = s->options;
  const double ratio = s->sigma > 0 ? s->sigma_next / s->sigma : 0;
  const double lambda = o->eta * s->sigma_next * sqrt (MAX (1 - ratio * ratio, 0));
  const double keep = s->sigma > 0 ? sqrt (s->sigma_next * s->sigma_next - lambda * lambda) / s->sigma : 0;
  double fresh;

  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  fresh = sumi_step_deviation (s, ev, o->variance, lambda, x, s->x0);
  sumi_lincomb (ev, keep, x, 1 - keep, s->x0, fresh, fresh > 0 ? sumi_step_noise (s, ev, x, 0) : NULL, x);
}

const SumiSamplerClass sumi_sampler_ddim = {
  .key = "ddim",
  .label = N_ ("DDIM"),
  .blurb = N_ ("Few steps without noise of its own; with eta it renews noise as DDPM does"),
  .paper = "Song, Meng and Ermon 2021, arXiv 2010.02502, eq. 12",
  .order = 1,
  .calls = 1,
  .options = options,
  .options_size = sizeof (Ddim),
  .step = ddim_step,
};
