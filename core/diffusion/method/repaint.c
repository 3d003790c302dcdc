/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RePaint (Lugmayr et al. 2022, arXiv 2201.09865, algorithm 1): replacement, and again and again some steps back in
 * time, so that the free part gets to know the known one. The paper takes 250 steps, jump 10, resample 10; by default
 * fewer, for lists of some 20 steps. With a sampler that adds noise (ddpm, ddim with eta=1), as there.
 *
 * Nearly exact with enough calls: mean off by 0.09, variance × 0.90 with 242 calls; 0.05 and 1.02 with 992 (figures as
 * in replacement.c). */
#include <glib/gi18n-lib.h>

#include "core/base/option.h"
#include "core/diffusion/method/jumps.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

#define NOISE_DRAW 40

static const SumiOption options[] = {
  {
      .key = "jump",
      .label = N_ ("_Jump"),
      .blurb = N_ ("Steps to go back in time at once"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (SumiJumps, jump),
      .min = 1,
      .max = 1000,
      .value = 2,
  },
  {
      .key = "resample",
      .label = N_ ("_Resample"),
      .blurb = N_ ("How often each stretch of steps is gone through"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (SumiJumps, resample),
      .min = 1,
      .max = 100,
      .value = 5,
  },
  { NULL },
};

static int
repaint_start (SumiMethod *self, SumiEval *ev, SumiTensor *x)
{
  self->data = sumi_jumps_new (self);
  return sumi_method_start (self, ev, 1, NULL, x);
}

static void
repaint_after (SumiMethod *self, const SumiStep *step, SumiEval *ev, SumiTensor *x)
{
  const SumiTensor *known = self->seen.known;

  if (step->sigma_next > 0)
    known = sumi_lincomb (ev, 1, known, step->sigma_next, sumi_step_noise (step, ev, x, NOISE_DRAW), 0, NULL, NULL);
  sumi_method_hold (self, ev, TRUE, x, known);
}

static int
repaint_next (SumiMethod *self, int index)
{
  return sumi_jumps_next (self, self->options, index);
}

static int
repaint_count (SumiMethod *self)
{
  return sumi_jumps_count (self, self->options);
}

static void
repaint_finish (SumiMethod *self)
{
  g_clear_pointer (&self->data, g_free);
}

const SumiMethodClass sumi_method_repaint = {
  .key = "repaint",
  .label = N_ ("RePaint"),
  .blurb = N_ ("Puts the known pixels back and goes over the steps again, so that both parts agree; slow, and the "
               "nearest to exact"),
  .paper = "Lugmayr et al. 2022, arXiv 2201.09865",
  .masks_only = TRUE,
  .options = options,
  .options_size = sizeof (SumiJumps),
  .start = repaint_start,
  .after = repaint_after,
  .next = repaint_next,
  .count = repaint_count,
  .finish = repaint_finish,
};
