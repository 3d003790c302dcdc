/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SDE-DPM-Solver++(2M), Lu et al. 2022 (arXiv 2211.01095), eq. 18 and section 5, as k-diffusion's sample_dpmpp_2m_sde.
 * With h = ln (σ/σ_next) and a = h + η·h
 *   x' = σ_next/σ·e^(−ηh)·x + (1 − e^(−a))·D + c·h/h_last·(D − D_last) + σ_next·√(1 − e^(−2ηh))·z,
 * c = (1 − e^(−a))/2 for the solver midpoint, 1 − (1 − e^(−a))/a for heun. η = 0 is dpmpp-2m, second order.
 * Conventions, k-diffusion's: the first step, and one after a jump back or after a step of no length, is of first order
 * (no D_last); the last, to σ = 0, returns D.
 *
 * x: [N, H, W, C]; state[0]: D of the step before */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "core/base/option.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/variance.h"
#include "core/ops/ops.h"

typedef struct
{
  double eta, s_noise;
  char *solver;
} Dpmpp2mSde;

static const SumiChoice solvers[] = {
  { "midpoint", N_ ("Midpoint") },
  { "heun", N_ ("Heun") },
  { NULL, NULL },
};

static const SumiOption options[] = {
  {
      .key = "eta",
      .label = N_ ("_Eta"),
      .blurb = N_ ("Share of the noise that is fresh in each step: 0 none, 1 as much as the SDE has"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Dpmpp2mSde, eta),
      .max = 1,
      .value = 1,
  },
  {
      .key = "s-noise",
      .label = N_ ("_Noise scale"),
      .blurb = N_ ("Scale of the fresh noise; above 1 keeps more detail"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Dpmpp2mSde, s_noise),
      .max = 2,
      .value = 1,
  },
  {
      .key = "solver",
      .label = N_ ("_Solver"),
      .blurb = N_ ("How the step before is used"),
      .type = SUMI_OPTION_CHOICE,
      .offset = G_STRUCT_OFFSET (Dpmpp2mSde, solver),
      .text = "midpoint",
      .choices = solvers,
  },
  { NULL },
};

/* c of the head comment; heun's difference loses its digits for small a. */
static double
correction (const char *solver, double a)
{
  if (strcmp (solver, "heun"))
    return -expm1 (-a) / 2;
  return a > 1e-4 ? 1 + expm1 (-a) / a : a / 2 - a * a / 6;
}

static void
dpmpp_2m_sde_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const Dpmpp2mSde *o = s->options;
  /* two values of D at nearly the same σ differ by their noise alone */
  const gboolean warm = s->n_past > 0 && s->past[0] > s->sigma * (1 + 1e-6);
  double h, a, c, fresh;

  if (sumi_step_ends (s, ev, x))
    return;
  h = log (s->sigma / s->sigma_next);
  a = h + o->eta * h;
  c = warm ? correction (o->solver, a) * h / log (s->past[0] / s->sigma) : 0;
  fresh = s->sigma_next * sqrt (MAX (-expm1 (-2 * o->eta * h), 0)) * o->s_noise;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_lincomb (ev, exp (-a), x, -expm1 (-a) + c, s->x0, -c, s->state[0], x);
  if (fresh > 0)
    sumi_lincomb (ev, 1, x, fresh, sumi_step_noise (s, ev, x, 0), 0, NULL, x);
  sumi_copy (ev, s->x0, s->state[0]);
}

const SumiSamplerClass sumi_sampler_dpmpp_2m_sde = {
  .key = "dpmpp-2m-sde",
  .label = N_ ("DPM-Solver++ (2M SDE)"),
  .blurb = N_ ("Fresh noise at one call a step, second order; rich detail at 15 to 30 steps"),
  .paper = "Lu et al. 2022, arXiv 2211.01095, section 5",
  .calls = 1,
  .stochastic = TRUE,
  .n_state = 1,
  .options = options,
  .options_size = sizeof (Dpmpp2mSde),
  .step = dpmpp_2m_sde_step,
};
