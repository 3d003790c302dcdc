/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strategic stochastic sampling of trajectory consistency distillation (Zheng et al. 2024, arXiv 2402.19159, algorithm
 * 4): down to the time s = (1 − γ)·t', then noise up to t'. In variance-exploding coordinates
 *   x' = D + σ_s·(x − D)/σ + √(σ'² − σ_s²)·z,  σ_s = σ((1 − γ)·t'),
 * in the time of the chosen process; in a table s is a whole step, as in diffusers' TCDScheduler. γ = 0 is euler, first
 * order; γ = 1 is lcm where the process starts without noise. As lcm it is made for distilled models; of a denoiser it
 * loses variance where γ is not 0.
 * Conventions, diffusers': no first step of its own; the last, to σ = 0, returns D, without noise.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/option.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/variance.h"
#include "core/ops/ops.h"

typedef struct
{
  double gamma;
} Tcd;

static const SumiOption options[] = {
  {
      .key = "gamma",
      .label = N_ ("_Gamma"),
      .blurb = N_ ("Share of the way to the clean picture that a step goes beyond the next level, and back by noise"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Tcd, gamma),
      .max = 1,
      .value = 0.3,
  },
  { NULL },
};

/* σ_s; never above σ_next, which would ask for negative noise. */
static double
sigma_below (const SumiProcessClass *process, double sigma_next, double gamma)
{
  double s = (1 - gamma) * process->time (sigma_next);

  if (gamma <= 0)
    return sigma_next;
  if (process->n_steps > 0)
    s = floor (s + 1e-6); /* times are found from σ, so a whole step may come out a little short */
  return CLAMP (process->sigma (MAX (s, 0)), 0, sigma_next);
}

static void
tcd_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const Tcd *o = s->options;
  double below, fresh;

  if (sumi_step_ends (s, ev, x))
    return;
  below = sigma_below (s->process, s->sigma_next, o->gamma);
  fresh = sqrt ((s->sigma_next - below) * (s->sigma_next + below));
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_lincomb (ev, below / s->sigma, x, 1 - below / s->sigma, s->x0, fresh,
                fresh > 0 ? sumi_step_noise (s, ev, x, 0) : NULL, x);
}

const SumiSamplerClass sumi_sampler_tcd = {
  .key = "tcd",
  .label = N_ ("TCD"),
  .blurb = N_ ("For models distilled by trajectory consistency: 2 to 8 steps"),
  .paper = "Zheng et al. 2024, arXiv 2402.19159, algorithm 4",
  .calls = 1,
  .stochastic = TRUE,
  .options = options,
  .options_size = sizeof (Tcd),
  .step = tcd_step,
};
