/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The probability-flow ODE dx/dσ = (x − D)/σ by Dormand and Prince's adaptive method, as score-SDE's get_ode_sampler
 * (Song et al. 2021, arXiv 2011.13456, appendix D.4), which leaves it to scipy. It takes as many steps as the tolerance
 * needs, and lands on every σ of the list, so that methods and previews see those. Convention at the ends: the last
 * step, to σ = 0, returns D (score-SDE's denoising step at its smallest time).
 *
 * x: [N, H, W, C]; state[0…6]: slopes, state[7]: the state that a step tries; memory[0]: the next step's size */
#include <float.h>
#include <glib/gi18n-lib.h>

#include "core/base/option.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/rk45.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"
#include "core/tensor/tensor.h"

typedef struct
{
  double rtol, atol;
} OdeRk45;

static const SumiOption options[] = {
  {
      .key = "rtol",
      .label = N_ ("_Relative tolerance"),
      .blurb = N_ ("How far a step may be off, as a share of the value"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (OdeRk45, rtol),
      .min = 1e-13,
      .max = 1,
      .value = 1e-5,
  },
  {
      .key = "atol",
      .label = N_ ("_Absolute tolerance"),
      .blurb = N_ ("How far a step may be off besides, in units of the data"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (OdeRk45, atol),
      .min = 1e-15,
      .max = 1,
      .value = 1e-5,
  },
  { NULL },
};

static double
slope (gpointer data, SumiEval *ev, SumiTensor *x, double sigma, SumiTensor *out)
{
  SumiTensor *x0 = sumi_denoise (data, ev, x, sigma);

  sumi_lincomb (ev, 1 / sigma, x, -1 / sigma, x0, 0, NULL, out);
  return 0;
}

static void
ode_rk45_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const OdeRk45 *o = s->options;
  /* below its rounding a state cannot be any closer, and steps would shrink for nothing */
  const double floor = x->dtype == SUMI_DTYPE_F64 ? 0 : FLT_EPSILON * s->sigma;
  SumiRk45 solver = { o->rtol, MAX (o->atol, floor), slope, s->denoiser };

  if (sumi_step_edge (s, ev, x))
    return;
  for (int i = 0; i < 7; i++)
    solver.k[i] = s->state[i];
  solver.trial = s->state[7];
  solver.step = s->memory[0];
  sumi_rk45_run (&solver, ev, x, s->sigma, s->sigma_next);
  s->memory[0] = solver.step;
  /* the last slope is that of the end point */
  s->x0 = sumi_lincomb (ev, 1, x, -s->sigma_next, solver.k[0], 0, NULL, NULL);
}

const SumiSamplerClass sumi_sampler_ode_rk45 = {
  .key = "ode-rk45",
  .label = N_ ("ODE, adaptive (RK45)"),
  .blurb = N_ ("As many calls as a tolerance needs: the exact path, whatever the steps"),
  .paper = "Song et al. 2021, arXiv 2011.13456, appendix D.4",
  .order = 5,
  .n_state = 8,
  .options = options,
  .options_size = sizeof (OdeRk45),
  .step = ode_rk45_step,
};
