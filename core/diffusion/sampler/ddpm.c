/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DDPM's ancestral step (Ho et al. 2020, arXiv 2006.11239, eq. 11, algorithm 2) in variance-exploding coordinates. The
 * mean √ᾱ'·β/(1 − ᾱ)·x̂0 + √α·(1 − ᾱ')/(1 − ᾱ)·X over √ᾱ' becomes
 *   x' = (σ'/σ)²·x + (1 − (σ'/σ)²)·D + deviation·z
 * with the variance posterior: σ'²·(1 − σ'²/σ²) (β̃), beta: what the process itself adds from σ' to σ (β, which needs
 * the process), or analytic: see variance.h. Strided steps rebuild β from the kept ᾱ, as Improved DDPM. Conventions: no
 * first step of its own; the last, to σ = 0, returns D: the mean of t = 1, without noise.
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
  char *variance;
} Ddpm;

static const SumiOption options[] = {
  {
      .key = "variance",
      .label = N_ ("_Variance"),
      .blurb = N_ ("How much fresh noise a step adds: the least, the most, or what suits this very picture"),
      .type = SUMI_OPTION_CHOICE,
      .offset = G_STRUCT_OFFSET (Ddpm, variance),
      .text = "posterior",
      .choices = sumi_variance_choices,
  },
  { NULL },
};

static void
ddpm_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const Ddpm *o = s->options;
  double down, up, fresh;

  if (sumi_step_ends (s, ev, x))
    return;
  sumi_ancestral_split (s->sigma, s->sigma_next, 1, &down, &up);
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  fresh = sumi_step_deviation (s, ev, o->variance, up, x, s->x0);
  sumi_lincomb (ev, down / s->sigma, x, 1 - down / s->sigma, s->x0, fresh,
                fresh > 0 ? sumi_step_noise (s, ev, x, 0) : NULL, x);
}

const SumiSamplerClass sumi_sampler_ddpm = {
  .key = "ddpm",
  .label = N_ ("DDPM"),
  .blurb = N_ ("The original: needs many steps, 50 to 1000, and then misses nothing"),
  .paper = "Ho et al. 2020, arXiv 2006.11239, algorithm 2; Bao et al. 2022, arXiv 2201.06503",
  .calls = 1,
  .stochastic = TRUE,
  .options = options,
  .options_size = sizeof (Ddpm),
  .step = ddpm_step,
};
