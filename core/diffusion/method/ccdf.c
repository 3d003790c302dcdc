/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Come-closer-diffuse-faster (Chung, Sim and Ye 2022, arXiv 2112.05146, algorithm 1): starts at a low level from a
 * first guess, another model's answer or A⁺·y, and projects on the noised observation after every step. What is wrong
 * with the guess beyond the noise of that level stays.
 *
 * At strength 0.5 from A⁺·y: mean off by 0.1 to 0.25, variance × 0.6 to 0.8; of noisy blurs 0.01 to 0.04 and × 1.0
 * (figures as in replacement.c). */
#include <glib/gi18n-lib.h>

#include "core/base/option.h"
#include "core/diffusion/method/range.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

typedef struct
{
  double strength;
} Ccdf;

static const SumiOption options[] = {
  {
      .key = "strength",
      .label = N_ ("_Strength"),
      .blurb = N_ ("Share of the steps that is done, the last ones; 0 keeps the first guess"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Ccdf, strength),
      .max = 1,
      .value = 0.5,
  },
  { NULL },
};

static int
ccdf_start (SumiMethod *self, SumiEval *ev, SumiTensor *x)
{
  return sumi_method_start (self, ev, ((const Ccdf *) self->options)->strength, self->seen.reference, x);
}

static void
ccdf_after (SumiMethod *self, const SumiStep *step, SumiEval *ev, SumiTensor *x)
{
  sumi_range_project (self, step, ev, x);
  if (self->seen.known && step->x0)
    {
      /* A pixel known in part keeps the noise that it has. */
      SumiTensor *held = sumi_lincomb (ev, 1, x, -1, step->x0, 1, self->seen.known, NULL);

      sumi_method_hold (self, ev, FALSE, x, held);
    }
}

const SumiMethodClass sumi_method_ccdf = {
  .key = "ccdf",
  .label = N_ ("CCDF"),
  .blurb = N_ ("Improves a quick first answer in few steps, keeping to what was observed"),
  .paper = "Chung, Sim and Ye 2022, arXiv 2112.05146, algorithm 1",
  .needs_reference = TRUE,
  .takes_guess = TRUE,
  .options = options,
  .options_size = sizeof (Ccdf),
  .start = ccdf_start,
  .after = ccdf_after,
};
