/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SDE-DPM-Solver++ of one step, as k-diffusion's sample_dpmpp_sde: D at σ, an ancestral step to σ_s at the share r of
 * the way in λ = −ln σ, D there, and an ancestral step from σ to σ_next with (1 − 1/(2r))·D + 1/(2r)·D_s. After Lu et
 * al. 2022 (arXiv 2211.01095), section 5.
 *
 * The two noises of a step are, as there, scaled increments of one Brownian path in σ: over [σ_s, σ] and over
 * [σ_next, σ], which holds the first, so that their correlation is √((σ − σ_s)/(σ − σ_next)). Steps are independent. η
 * = 0 is second order. Conventions, k-diffusion's: no first step of its own; the last, to σ = 0, is Euler's, which
 * returns D.
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
  double eta, s_noise, r;
} DpmppSde;

static const SumiOption options[] = {
  {
      .key = "eta",
      .label = N_ ("_Eta"),
      .blurb = N_ ("Share of the noise that is fresh in each step: 0 none, 1 as much as DDPM"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (DpmppSde, eta),
      .max = 1,
      .value = 1,
  },
  {
      .key = "s-noise",
      .label = N_ ("_Noise scale"),
      .blurb = N_ ("Scale of the fresh noise; above 1 keeps more detail"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (DpmppSde, s_noise),
      .max = 2,
      .value = 1,
  },
  {
      .key = "r",
      .label = N_ ("_Middle"),
      .blurb = N_ ("Where within a step its second call lies, as a share of the step"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (DpmppSde, r),
      .min = 0.1,
      .max = 1,
      .value = 0.5,
  },
  { NULL },
};

static void
dpmpp_sde_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const DpmppSde *o = s->options;
  const double sigma_s = s->sigma_next > 0 ? s->sigma * pow (s->sigma_next / s->sigma, o->r) : 0;
  const double weight = 1 / (2 * o->r);
  const SumiTensor *x0;
  const SumiTensor *first = NULL, *second = NULL;
  SumiTensor *middle, *mixed;
  double down, up, shared = 0;

  if (sumi_step_ends (s, ev, x))
    return;
  x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_ancestral_split (s->sigma, sigma_s, o->eta, &down, &up);
  if (up > 0)
    {
      first = sumi_step_noise (s, ev, x, 0);
      shared = sqrt ((s->sigma - sigma_s) / (s->sigma - s->sigma_next));
    }
  middle = sumi_lincomb (ev, down / s->sigma, x, 1 - down / s->sigma, x0, up * o->s_noise, first, NULL);
  s->x0 = sumi_denoise (s->denoiser, ev, middle, sigma_s);
  sumi_ancestral_split (s->sigma, s->sigma_next, o->eta, &down, &up);
  if (up > 0 && first)
    second = sumi_lincomb (ev, shared, first, sqrt (MAX (1 - shared * shared, 0)), sumi_step_noise (s, ev, x, 1), 0,
                           NULL, NULL);
  mixed = sumi_lincomb (ev, 1 - weight, x0, weight, s->x0, 0, NULL, NULL);
  sumi_lincomb (ev, down / s->sigma, x, 1 - down / s->sigma, mixed, up * o->s_noise, second, x);
}

const SumiSamplerClass sumi_sampler_dpmpp_sde = {
  .key = "dpmpp-sde",
  .label = N_ ("DPM-Solver++ (SDE)"),
  .blurb = N_ ("Two calls a step along one noise path; rich detail at 8 to 15 steps"),
  .paper = "Lu et al. 2022, arXiv 2211.01095, section 5; k-diffusion",
  .calls = 2,
  .stochastic = TRUE,
  .options = options,
  .options_size = sizeof (DpmppSde),
  .step = dpmpp_sde_step,
};
