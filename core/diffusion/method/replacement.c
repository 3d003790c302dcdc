/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Replacement: after each step the known pixels are put back, with fresh noise of the level reached. Song et al. 2021
 * (arXiv 2011.13456, appendix I.2), and Song and Ermon 2019 for annealed Langevin dynamics. The exemplar of a method.
 *
 * Biased: the denoiser sees known pixels that do not remember the noise of the steps before, and what it makes of the
 * free ones has no way back.
 *
 * On the Gaussian pictures of tests/diffusion/method.c (50 steps of ddim with eta=1, whose own variance is some 0.86 of
 * the exact one; all figures in these comments are of them): mean off by 0.16 of the prior's deviation, variance ×
 * 0.98, covariance off by 14 % (exact samples: 10 %). More steps do not mend it. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/method.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

#define NOISE_DRAW 40

static void
replacement_after (SumiMethod *self, const SumiStep *step, SumiEval *ev, SumiTensor *x)
{
  const SumiTensor *known = self->seen.known;

  if (step->sigma_next > 0)
    known = sumi_lincomb (ev, 1, known, step->sigma_next, sumi_step_noise (step, ev, x, NOISE_DRAW), 0, NULL, NULL);
  sumi_method_hold (self, ev, TRUE, x, known);
}

const SumiMethodClass sumi_method_replacement = {
  .key = "replacement",
  .label = N_ ("Replacement"),
  .blurb = N_ ("Puts the known pixels back after every step; quick and plain, a little biased: seams can show"),
  .paper = "Song et al. 2021, arXiv 2011.13456, appendix I.2",
  .masks_only = TRUE,
  .after = replacement_after,
};
