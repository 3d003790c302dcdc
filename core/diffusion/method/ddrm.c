/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Denoising diffusion restoration models (Kawar et al. 2022, arXiv 2201.11793, eq. 7 and 8), which are written in
 * variance-exploding coordinates as we are. Every singular component of A goes by itself: what was not observed takes
 * DDIM's step of η; what was observed with less noise than the level σ' becomes (1 − η_b)·x̂0 + η_b·ȳ with the noise
 * that lacks to σ'; what was observed with more, x̂0 moved towards ȳ.
 *
 * Steps are its own, no sampler's. Where A's singular vectors are not cheap, see range.h. About 20 steps.
 *
 * Too sure of itself: mean off by 0.03 to 0.1, variance × 0.65 to 0.8, by any number of steps: η·σ'·z adds less than
 * the posterior has; of noisy blurs 0.02 to 0.22 and × 0.2, as what is seen with more noise than the level only moves
 * towards the mean (figures as in replacement.c). */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/option.h"
#include "core/diffusion/method/range.h"
#include "core/diffusion/sampler.h"

typedef struct
{
  double eta, eta_b;
} Ddrm;

static const SumiOption options[] = {
  {
      .key = "eta",
      .label = N_ ("_Eta"),
      .blurb = N_ ("Share of the noise that is renewed where nothing was observed"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Ddrm, eta),
      .max = 1,
      .value = 0.85,
  },
  {
      .key = "eta-b",
      .label = N_ ("Eta _b"),
      .blurb = N_ ("How far observed parts follow the observation in each step"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Ddrm, eta_b),
      .max = 1,
      .value = 1,
  },
  { NULL },
};

static SumiShares
shares (gconstpointer data, double sigma, double next, double level)
{
  const Ddrm *o = data;
  const double keep = sqrt (1 - o->eta * o->eta) * next;

  if (level < 0)
    return (SumiShares){ 0, keep, o->eta * next };
  if (next >= level)
    return (SumiShares){ o->eta_b, 0, sqrt (next * next - level * level * o->eta_b * o->eta_b) };
  return (SumiShares){ keep / level, 0, o->eta * next };
}

static int
ddrm_start (SumiMethod *self, SumiEval *ev, SumiTensor *x)
{
  return sumi_method_start (self, ev, 1, sumi_range_guess (self, ev, self->sigmas[0]), x);
}

static void
ddrm_step (SumiMethod *self, SumiStep *step, SumiEval *ev, SumiTensor *x)
{
  sumi_range_step (self, step, ev, x, shares);
}

const SumiMethodClass sumi_method_ddrm = {
  .key = "ddrm",
  .label = N_ ("DDRM"),
  .blurb = N_ (
      "Restores from any linear observation, noisy ones too, in some 20 steps of its own; faithful, varies too little"),
  .paper = "Kawar et al. 2022, arXiv 2201.11793",
  .options = options,
  .options_size = sizeof (Ddrm),
  .start = ddrm_start,
  .step = ddrm_step,
};
