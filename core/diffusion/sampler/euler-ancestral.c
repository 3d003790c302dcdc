/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Euler's step of the probability-flow ODE down to σ_down, then fresh noise up to σ_next: the sampler "Euler a" of the
 * public libraries (k-diffusion's sample_euler_ancestral). With η = 1 the noise is DDPM's smaller variance; η = 0 is
 * euler, first order. Conventions, k-diffusion's: no first step of its own; the last, to σ = 0, returns D, without
 * noise.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/variance.h"
#include "core/ops/ops.h"

static void
euler_ancestral_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const SumiAncestral *o = s->options;
  double down, up;

  if (sumi_step_ends (s, ev, x))
    return;
  sumi_ancestral_split (s->sigma, s->sigma_next, o->eta, &down, &up);
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_lincomb (ev, down / s->sigma, x, 1 - down / s->sigma, s->x0, up * o->s_noise,
                up > 0 ? sumi_step_noise (s, ev, x, 0) : NULL, x);
}

const SumiSamplerClass sumi_sampler_euler_ancestral = {
  .key = "euler-ancestral",
  .label = N_ ("Euler ancestral"),
  .blurb = N_ ("Fresh noise in each step mends what earlier steps got wrong; lively from 15 steps on"),
  .paper = "k-diffusion, Crowson 2022; Karras et al. 2022, arXiv 2206.00364",
  .calls = 1,
  .stochastic = TRUE,
  .options = sumi_ancestral_options,
  .options_size = sizeof (SumiAncestral),
  .step = euler_ancestral_step,
};
