/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Differential Diffusion (Levin and Fried 2023, arXiv 2306.00950, algorithm 1): the map says of each pixel in how many
 * of the steps, the last ones, it may change; before, it stays on the noised original. That noise is one for the whole
 * run, as in their code, so that a pixel is let go where the original's own path was.
 *
 * Where free is 0 or 1, the same as blended: mean off by 0.16, variance × 1.04 (figures as in replacement.c). */
#include <glib/gi18n-lib.h>

#include "core/base/option.h"
#include "core/diffusion/method.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

typedef struct
{
  double strength;
} Differential;

static const SumiOption options[] = {
  {
      .key = "strength",
      .label = N_ ("_Strength"),
      .blurb = N_ ("Share of the steps that is done, the last ones; 0 keeps the picture, 1 forgets it"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Differential, strength),
      .max = 1,
      .value = 1,
  },
  { NULL },
};

static int
differential_start (SumiMethod *self, SumiEval *ev, SumiTensor *x)
{
  return sumi_method_start (self, ev, ((const Differential *) self->options)->strength, self->seen.reference, x);
}

static void
differential_after (SumiMethod *self, const SumiStep *step, SumiEval *ev, SumiTensor *x)
{
  const SumiTensor *known = self->seen.known;

  if (step->sigma_next > 0)
    known = sumi_lincomb (ev, 1, known, step->sigma_next, sumi_method_noise (self, ev, x, 0), 0, NULL, NULL);
  sumi_method_hold (self, ev, TRUE, x, known);
}

const SumiMethodClass sumi_method_differential = {
  .key = "differential",
  .label = N_ ("Differential"),
  .blurb = N_ ("A strength for every pixel: a grey selection changes as much as it is light"),
  .paper = "Levin and Fried 2023, arXiv 2306.00950, algorithm 1",
  .needs_reference = TRUE,
  .masks_only = TRUE,
  .options = options,
  .options_size = sizeof (Differential),
  .start = differential_start,
  .after = differential_after,
};
