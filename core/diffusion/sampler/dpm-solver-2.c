/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DPM-Solver-2, singlestep (Lu et al. 2022, arXiv 2206.00927, algorithm 1, and algorithm 4 for other r1), α = 1,
 * λ = −ln σ, noise prediction ε, in every step of the list. With r1 = ½ the second ε is taken at the geometric mean of
 * σ and σ' (and the step is that of dpm2). Convention at the ends: the last step, to σ = 0, is of first order: it
 * returns D.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/option.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"

typedef struct
{
  double r1;
} DpmSolver2;

static const SumiOption options[] = {
  {
      .key = "r1",
      .label = N_ ("_Middle"),
      .blurb = N_ ("Where in a step the second call is, in the logarithm of the noise"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (DpmSolver2, r1),
      .min = 0.05,
      .max = 1,
      .value = 0.5,
  },
  { NULL },
};

static void
dpm_solver_2_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const DpmSolver2 *o = s->options;
  const double h = log (s->sigma / s->sigma_next), middle = s->sigma * exp (-o->r1 * h);
  const double all = -s->sigma_next * expm1 (h), second = all / (2 * o->r1);
  SumiTensor *x0, *eps, *u, *u0;

  if (sumi_step_edge (s, ev, x))
    return;
  x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  eps = sumi_step_noise_of (s, ev, x, x0);
  u = sumi_lincomb (ev, 1, x, -middle * expm1 (o->r1 * h), eps, 0, NULL, NULL);
  s->x0 = u0 = sumi_denoise (s->denoiser, ev, u, middle);
  /* ε_u = (u − u0)/σ_u */
  u = sumi_lincomb (ev, 1 / middle, u, -1 / middle, u0, 0, NULL, u);
  sumi_lincomb (ev, 1, x, all - second, eps, second, u, x);
}

const SumiSamplerClass sumi_sampler_dpm_solver_2 = {
  .key = "dpm-solver-2",
  .label = N_ ("DPM-Solver-2"),
  .blurb = N_ ("Second order with two calls a step; at its best with equal ratios of noise"),
  .paper = "Lu et al. 2022, arXiv 2206.00927, algorithm 1",
  .order = 2,
  .calls = 2,
  .options = options,
  .options_size = sizeof (DpmSolver2),
  .step = dpm_solver_2_step,
};
