/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SDEdit (Meng et al. 2022, arXiv 2108.01073, algorithms 1 and 2): the reference, noised to a level and denoised from
 * there: the lower the level the more of it stays. With a mask the known pixels are put back, noised, after each step.
 *
 * Without a mask there is nothing to miss: the result is a draw of x0 given reference + σ·noise; mean off by 0.02,
 * variance × 0.86, which is the sampler's (× 0.96 with 100 calls; figures as in replacement.c). */
#include <glib/gi18n-lib.h>

#include "core/base/option.h"
#include "core/diffusion/method.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

#define NOISE_DRAW 40

typedef struct
{
  double strength;
} Sdedit;

static const SumiOption options[] = {
  {
      .key = "strength",
      .label = N_ ("_Strength"),
      .blurb = N_ ("Share of the steps that is done, the last ones; 0 keeps the picture, 1 forgets it"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Sdedit, strength),
      .max = 1,
      .value = 0.5,
  },
  { NULL },
};

static int
sdedit_start (SumiMethod *self, SumiEval *ev, SumiTensor *x)
{
  return sumi_method_start (self, ev, ((const Sdedit *) self->options)->strength, self->seen.reference, x);
}

static void
sdedit_after (SumiMethod *self, const SumiStep *step, SumiEval *ev, SumiTensor *x)
{
  const SumiTensor *known = self->seen.known;

  if (known && step->sigma_next > 0)
    known = sumi_lincomb (ev, 1, known, step->sigma_next, sumi_step_noise (step, ev, x, NOISE_DRAW), 0, NULL, NULL);
  sumi_method_hold (self, ev, TRUE, x, known);
}

const SumiMethodClass sumi_method_sdedit = {
  .key = "sdedit",
  .label = N_ ("SDEdit"),
  .blurb = N_ ("Noises a picture and denoises it again: strokes become photographs, pasted parts fit in"),
  .paper = "Meng et al. 2022, arXiv 2108.01073, algorithms 1 and 2",
  .needs_reference = TRUE,
  .masks_only = TRUE,
  .mask_optional = TRUE,
  .options = options,
  .options_size = sizeof (Sdedit),
  .start = sdedit_start,
  .after = sdedit_after,
};
