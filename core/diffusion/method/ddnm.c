/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Denoising diffusion null-space models (Wang, Yu and Zhang 2023, arXiv 2212.00490): x̂0's observed part is replaced by
 * A⁺·y (eq. 13), then DDIM's step of η; of noisy observations, DDNM+ (eq. 17 to 19 and appendix I): components seen
 * with more noise than the level move only as far as that level allows, and the noise that is added makes up for the
 * observation's. Time travel (their section 3.3) by jump and resample, as in repaint.
 *
 * Steps are its own, no sampler's. Where A's singular vectors are not cheap, see range.h.
 *
 * Mean off by 0.04 to 0.15, variance × 0.83 to 1.16; of noisy blurs 0.02 to 0.22 and × 0.2, as ddrm (figures as in
 * replacement.c). */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/option.h"
#include "core/diffusion/method/jumps.h"
#include "core/diffusion/method/range.h"
#include "core/diffusion/sampler.h"

typedef struct
{
  SumiJumps jumps;
  double eta;
} Ddnm;

static const SumiOption options[] = {
  {
      .key = "eta",
      .label = N_ ("_Eta"),
      .blurb = N_ ("Share of the noise that is renewed in each step"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Ddnm, eta),
      .max = 1,
      .value = 0.85,
  },
  {
      .key = "jump",
      .label = N_ ("_Jump"),
      .blurb = N_ ("Steps to go back in time at once"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (Ddnm, jumps.jump),
      .min = 1,
      .max = 1000,
      .value = 1,
  },
  {
      .key = "resample",
      .label = N_ ("_Resample"),
      .blurb = N_ ("How often each stretch of steps is gone through"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (Ddnm, jumps.resample),
      .min = 1,
      .max = 100,
      .value = 1,
  },
  { NULL },
};

/* What DDIM's step from noise @from to noise @to keeps of the noise, and what it draws. */
static void
ddim (double eta, double from, double to, double *keep, double *fresh)
{
  const double ratio = from > 0 ? to / from : 0;

  *fresh = eta * to * sqrt (MAX (1 - ratio * ratio, 0));
  *keep = from > 0 ? sqrt (MAX (to * to - *fresh * *fresh, 0)) / from : 0;
}

/* A component's noise over ȳ is what σ has more than ȳ's own. */
static SumiShares
shares (gconstpointer data, double sigma, double next, double level)
{
  const Ddnm *o = data;
  double keep, fresh;

  if (level < 0)
    {
      ddim (o->eta, sigma, next, &keep, &fresh);
      return (SumiShares){ 0, keep * sigma, fresh };
    }
  if (next >= level)
    {
      ddim (o->eta, sqrt (MAX (sigma * sigma - level * level, 0)), sqrt (MAX (next * next - level * level, 0)), &keep,
            &fresh);
      return (SumiShares){ 1 - keep, keep * sigma, fresh };
    }
  keep = sqrt (1 - o->eta * o->eta);
  return (SumiShares){ keep * next / level, 0, o->eta * next };
}

static int
ddnm_start (SumiMethod *self, SumiEval *ev, SumiTensor *x)
{
  self->data = sumi_jumps_new (self);
  return sumi_method_start (self, ev, 1, sumi_range_guess (self, ev, self->sigmas[0]), x);
}

static void
ddnm_step (SumiMethod *self, SumiStep *step, SumiEval *ev, SumiTensor *x)
{
  sumi_range_step (self, step, ev, x, shares);
}

static int
ddnm_next (SumiMethod *self, int index)
{
  return sumi_jumps_next (self, &((const Ddnm *) self->options)->jumps, index);
}

static int
ddnm_count (SumiMethod *self)
{
  return sumi_jumps_count (self, &((const Ddnm *) self->options)->jumps);
}

static void
ddnm_finish (SumiMethod *self)
{
  g_clear_pointer (&self->data, g_free);
}

const SumiMethodClass sumi_method_ddnm = {
  .key = "ddnm",
  .label = N_ ("DDNM"),
  .blurb = N_ ("Restores from any linear observation exactly, noisy ones too, by steps of its own; resample makes it "
               "more thorough"),
  .paper = "Wang, Yu and Zhang 2023, arXiv 2212.00490",
  .options = options,
  .options_size = sizeof (Ddnm),
  .start = ddnm_start,
  .step = ddnm_step,
  .next = ddnm_next,
  .count = ddnm_count,
  .finish = ddnm_finish,
};
