/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/variance.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"
#include "core/tensor/tensor.h"

const SumiOption sumi_ancestral_options[] = {
  {
      .key = "eta",
      .label = N_ ("_Eta"),
      .blurb = N_ ("Share of the noise that is fresh in each step: 0 none, 1 as much as DDPM"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (SumiAncestral, eta),
      .max = 1,
      .value = 1,
  },
  {
      .key = "s-noise",
      .label = N_ ("_Noise scale"),
      .blurb = N_ ("Scale of the fresh noise; above 1 keeps more detail"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (SumiAncestral, s_noise),
      .max = 2,
      .value = 1,
  },
  { NULL },
};

const SumiChoice sumi_variance_choices[] = {
  { "posterior", N_ ("Posterior") },
  { "beta", N_ ("Beta") },
  { "analytic", N_ ("Analytic") },
  { NULL, NULL },
};

/* 1 − (σ_next/σ)² without loss where they are close; 0 where σ does not fall. */
static double
fall (double sigma, double sigma_next)
{
  return sigma > sigma_next ? (sigma - sigma_next) * (sigma + sigma_next) / (sigma * sigma) : 0;
}

void
sumi_ancestral_split (double sigma, double sigma_next, double eta, double *down, double *up)
{
  *up = MIN (sigma_next, eta * sigma_next * sqrt (fall (sigma, sigma_next)));
  *down = sqrt ((sigma_next - *up) * (sigma_next + *up));
}

/* What the process adds on the way from σ_next up to σ, seen at σ_next. */
static double
forward_variance (const SumiStep *s)
{
  const SumiProcessClass *p = s->process;
  const double shrink = p->alpha (p->time (s->sigma)) / p->alpha (p->time (s->sigma_next));

  return shrink * shrink * s->sigma * s->sigma * fall (s->sigma, s->sigma_next);
}

static double
mean_square_noise (const SumiStep *s, SumiEval *ev, const SumiTensor *x, const SumiTensor *x0)
{
  const SumiTensor *noise = sumi_lincomb (ev, 1 / s->sigma, x, -1 / s->sigma, x0, 0, NULL, NULL);

  return CLAMP (sumi_dot (ev, noise, noise) / MAX (1, sumi_tensor_count (noise)), 0, 1);
}

double
sumi_step_deviation (const SumiStep *s,
                     SumiEval *ev,
                     const char *variance,
                     double lambda,
                     const SumiTensor *x,
                     const SumiTensor *x0)
{
  const double posterior = s->sigma_next * sqrt (fall (s->sigma, s->sigma_next));

  if (posterior <= 0)
    return 0;
  if (! strcmp (variance, "beta"))
    return lambda / posterior * sqrt (forward_variance (s));
  if (! strcmp (variance, "analytic"))
    {
      const double moved = s->sigma - sqrt (MAX (s->sigma_next * s->sigma_next - lambda * lambda, 0));

      return sqrt (lambda * lambda + moved * moved * (1 - mean_square_noise (s, ev, x, x0)));
    }
  return lambda;
}

gboolean
sumi_step_ends (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  if (s->sigma_next > 0)
    return FALSE;
  if (s->sigma > 0)
    {
      s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
      sumi_copy (ev, s->x0, x);
    }
  return TRUE;
}

SumiInstant
sumi_process_instant (const SumiProcessClass *process, double sigma)
{
  const double t = process->time (sigma), alpha = process->alpha (t);

  return (SumiInstant){ t, alpha, alpha * sigma, process->drift (t), process->diffusion (t) };
}
