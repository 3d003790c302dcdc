/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tAB-DEIS (Zhang and Chen 2023, arXiv 2204.13902, eq. 13 to 15): the noise ε of up to `order` + 1 steps is extended by
 * the polynomial through it, in the process' time t (or, as diffusers does, in ln σ), and integrated with the
 * exponential integrator's weight, which in variance-exploding coordinates is dσ: x' = x + Σ_j ε_j·∫ L_j(t(σ)) dσ.
 * Order 0 is DDIM; in the process edm, where t = σ, it is lms. Conventions at the ends: the first steps use the lower
 * orders that there are values for; the last step, to σ = 0, returns D.
 *
 * The integrals are by Gauss and Legendre's 8 nodes on pieces in which σ changes by less than a third and a table of
 * discrete times has no corner: exact but for rounding.
 *
 * x: [N, H, W, C]; state[0…3]: ε */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/option.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"

#define PIECE 1.3

typedef struct
{
  int order;
  char *space;
} Deis;

static const SumiChoice spaces[] = { { "t", N_ ("Time of the process") },
                                     { "log-sigma", N_ ("Logarithm of the noise") },
                                     { NULL } };

static const SumiOption options[] = {
  {
      .key = "order",
      .label = N_ ("_Order"),
      .blurb = N_ ("Degree of the polynomial through earlier steps"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (Deis, order),
      .max = SUMI_HISTORY - 1,
      .value = 3,
  },
  {
      .key = "space",
      .label = N_ ("_Space"),
      .blurb = N_ ("In what the polynomial is one"),
      .type = SUMI_OPTION_CHOICE,
      .offset = G_STRUCT_OFFSET (Deis, space),
      .text = "t",
      .choices = spaces,
  },
  { NULL },
};

/* What the polynomial is one in, at σ; @process: NULL for ln σ. */
static double
place (const SumiProcessClass *process, double sigma)
{
  return process ? process->time (sigma) : log (sigma);
}

typedef struct
{
  const SumiProcessClass *process;
  int n;
  double nodes[SUMI_HISTORY];
} Polynomial;

/* Adds ∫ L_j dσ from @a to @b to @sums[j]. */
static void
add_piece (const Polynomial *p, double a, double b, double *sums)
{
  static const double x[] = { 0.18343464249564980494, 0.52553240991632898582, 0.79666647741362673959,
                              0.96028985649753623168 };
  static const double w[] = { 0.36268378337836198297, 0.31370664587788728734, 0.22238103445337447054,
                              0.10122853629037625915 };

  for (int i = 0; i < 8; i++)
    {
      const double at = (a + b) / 2 + (b - a) / 2 * (i % 2 ? x[i / 2] : -x[i / 2]);
      const double z = place (p->process, at);

      for (int j = 0; j < p->n; j++)
        sums[j] += (b - a) / 2 * w[i / 2] * sumi_lagrange (p->n, p->nodes, j, z);
    }
}

static void
add_smooth (const Polynomial *p, double from, double to, double *sums)
{
  const int n = 1 + (int) (log (from / to) / log (PIECE));

  for (int i = 0; i < n; i++)
    add_piece (p, i == 0 ? from : from * pow (to / from, (double) i / n),
               i == n - 1 ? to : from * pow (to / from, (i + 1.0) / n), sums);
}

/* Sets weights[j] to the mean of L_j over the step. */
static void
integrate (const Polynomial *p, double from, double to, double *weights)
{
  double sums[SUMI_HISTORY] = { 0 }, at = from;

  if (p->process && p->process->n_steps > 0)
    for (double t = ceil (p->process->time (from)) - 1; t > p->process->time (to); t--)
      {
        const double corner = p->process->sigma (t);

        if (! (corner < at && corner > to))
          continue;
        add_smooth (p, at, corner, sums);
        at = corner;
      }
  add_smooth (p, at, to, sums);
  for (int j = 0; j < p->n; j++)
    weights[j] = sums[j] / (to - from);
}

static void
deis_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const Deis *o = s->options;
  SumiHistory noises;
  Polynomial p = { g_strcmp0 (o->space, "t") ? NULL : s->process };
  double weights[SUMI_HISTORY];

  if (sumi_step_edge (s, ev, x))
    return;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_history_push (s, ev, sumi_step_noise_of (s, ev, x, s->x0), o->order + 1, &noises);
  for (int i = 0; i < noises.n; i++)
    {
      const double node = place (p.process, noises.sigma[i]);

      /* outside of a table's range time stands still */
      if (i > 0 && ! (node > p.nodes[i - 1] + 1e-9 * fabs (node)))
        break;
      p.nodes[p.n++] = node;
    }
  integrate (&p, s->sigma, s->sigma_next, weights);
  sumi_step_along (s, ev, p.n, weights, noises.value, x);
}

const SumiSamplerClass sumi_sampler_deis = {
  .key = "deis",
  .label = N_ ("DEIS"),
  .blurb = N_ ("Extends earlier noise by a polynomial; good at 8 to 15 steps"),
  .paper = "Zhang and Chen 2023, arXiv 2204.13902, eq. 14",
  .order = 4,
  .calls = 1,
  .n_state = SUMI_HISTORY,
  .options = options,
  .options_size = sizeof (Deis),
  .step = deis_step,
};
