/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Consistent annealed sampling (Jolicoeur-Martineau et al. 2020, arXiv 2009.05475, algorithm 2):
 *   x' = x + η·σ²·s + β·σ'·z,  β = √(1 − (1 − η)²·(σ/σ')²),
 * so that the noise that is left and the fresh one make up σ' exactly (annealed Langevin dynamics leave too much). With
 * s = (D − x)/σ²: x' = (1 − η)·x + η·D + β·σ'·z. η is the paper's ε/σ_L². β is real for η ≥ 1 − σ'/σ; a smaller η is
 * raised to that, which is Euler's step, so that coarse lists work too.
 * Bias: a fixed η does not go to 0 with finer lists: on N(0, s²) the variance falls short of s² by up to a share η/2.
 * Conventions: no first step of its own (the start is σ_0·noise already); the last, to σ = 0, returns D, the paper's
 * final denoising step.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/option.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/variance.h"
#include "core/ops/ops.h"

typedef struct
{
  double eta;
} Cas;

static const SumiOption options[] = {
  {
      .key = "eta",
      .label = N_ ("_Eta"),
      .blurb = N_ ("How far a step goes towards the clean picture; at least what the noise levels ask for"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Cas, eta),
      .max = 1,
      .value = 0.1,
  },
  { NULL },
};

static void
cas_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const Cas *o = s->options;
  double left, fresh;

  if (sumi_step_ends (s, ev, x))
    return;
  left = MIN (1 - o->eta, s->sigma_next / s->sigma);
  fresh = sqrt (MAX ((s->sigma_next - left * s->sigma) * (s->sigma_next + left * s->sigma), 0));
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_lincomb (ev, left, x, 1 - left, s->x0, fresh, fresh > 0 ? sumi_step_noise (s, ev, x, 0) : NULL, x);
}

const SumiSamplerClass sumi_sampler_cas = {
  .key = "cas",
  .label = N_ ("Consistent annealed"),
  .blurb = N_ ("Langevin's walk with exactly the noise of the next level; 100 steps and more"),
  .paper = "Jolicoeur-Martineau et al. 2020, arXiv 2009.05475, algorithm 2",
  .calls = 1,
  .stochastic = TRUE,
  .options = options,
  .options_size = sizeof (Cas),
  .step = cas_step,
};
