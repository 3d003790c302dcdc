/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DPM-Solver++ (3M), as k-diffusion's sample_dpmpp_3m_sde: the exponential integrator of the data prediction D (Lu et
 * al. 2022, arXiv 2211.01095, section 4) with the first and second differences of the last three D over λ = −ln σ, and
 * with `eta` the noise of the SDE. η is 0 here unless set: the ODE. Conventions at the ends: the first step is of first
 * order, the second takes two values of D; the last step, to σ = 0, returns D.
 *
 * The public libraries (k-diffusion, diffusers, the authors' own) take half of the second difference that the Taylor
 * expansion has: the result is of order 2, with a smaller error than 2M. That is the default here too; `strict` takes
 * the whole and is of order 3.
 *
 * x: [N, H, W, C]; state[0…2]: D */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/option.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/sampler.h"

typedef struct
{
  double eta;
  gboolean strict;
} Dpmpp3m;

static const SumiOption options[] = {
  {
      .key = "eta",
      .label = N_ ("_Eta"),
      .blurb = N_ ("Noise added in each step: 0 none, 1 as much as the SDE"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Dpmpp3m, eta),
      .max = 1,
  },
  {
      .key = "strict",
      .label = N_ ("_Strict"),
      .blurb = N_ ("Truly of third order, other than in the public libraries"),
      .type = SUMI_OPTION_BOOL,
      .offset = G_STRUCT_OFFSET (Dpmpp3m, strict),
      .max = 1,
  },
  { NULL },
};

/* φ2 = (e^−h − 1)/h + 1 and φ3 = φ2/h − ½, by their series where these are differences of nearly the same. */
static void
phis (double h, double *phi2, double *phi3)
{
  if (h < 1e-2)
    {
      *phi3 = -h / 6 * (1 - h / 4 * (1 - h / 5 * (1 - h / 6)));
      *phi2 = h * (0.5 + *phi3);
      return;
    }
  *phi2 = expm1 (-h) / h + 1;
  *phi3 = *phi2 / h - 0.5;
}

/* Weights of the values of D that replace D alone: 1, and what φ2·d1 − φ3·d2 adds. */
static void
weigh (const SumiHistory *all, double h, double h_eta, double curvature, double *w)
{
  double phi2, phi3;

  phis (h_eta, &phi2, &phi3);
  w[0] = -expm1 (-h_eta);
  if (all->n == 2)
    {
      const double r = log (all->sigma[1] / all->sigma[0]) / h;

      w[0] += phi2 / r;
      w[1] = -phi2 / r;
    }
  else if (all->n == 3)
    {
      const double r0 = log (all->sigma[1] / all->sigma[0]) / h, r1 = log (all->sigma[2] / all->sigma[1]) / h;
      /* d1 = (1 + b)·d1_0 − b·d1_1, d2 = (d1_0 − d1_1)/(r0 + r1); d1_0 = (D − D_1)/r0, d1_1 = (D_1 − D_2)/r1 */
      const double b = r0 / (r0 + r1), second = curvature * phi3 / (r0 + r1);
      const double near = (phi2 * (1 + b) - second) / r0, far = (-phi2 * b + second) / r1;

      w[0] += near;
      w[1] = far - near;
      w[2] = -far;
    }
}

static void
dpmpp_3m_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const Dpmpp3m *o = s->options;
  const double h = log (s->sigma / s->sigma_next), h_eta = h * (1 + o->eta);
  double w[5] = { exp (-h_eta) };
  SumiTensor *terms[5] = { x };
  SumiHistory all;
  int n;

  if (sumi_step_edge (s, ev, x))
    return;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_history_push (s, ev, s->x0, 3, &all);
  weigh (&all, h, h_eta, o->strict ? 2 : 1, w + 1);
  for (n = 1; n <= all.n; n++)
    terms[n] = all.value[n - 1];
  if (o->eta > 0)
    {
      w[n] = s->sigma_next * sqrt (-expm1 (-2 * h * o->eta));
      terms[n++] = sumi_step_noise (s, ev, x, 0);
    }
  sumi_mix (ev, n, w, terms, x);
}

const SumiSamplerClass sumi_sampler_dpmpp_3m = {
  .key = "dpmpp-3m",
  .label = N_ ("DPM-Solver++ (3M)"),
  .blurb = N_ ("Looks one step further back than 2M; for 20 steps and more"),
  .paper = "Lu et al. 2022, arXiv 2211.01095, section 4",
  .order = 2,
  .calls = 1,
  .n_state = 3,
  .options = options,
  .options_size = sizeof (Dpmpp3m),
  .step = dpmpp_3m_step,
};
