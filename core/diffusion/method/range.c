/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/method/range.h"

#include <math.h>

#include "core/base/arena.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/operator.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"

#define NOISE_DRAW 40

typedef enum
{
  MEAN,
  OLD,
  FRESH
} Part;

typedef struct
{
  const SumiMethod *self;
  SumiSharesFunc shares;
  double sigma, next, least;
  Part part;
} Spectrum;

/* What an observed component takes more than one that was not, over λ: A of a tensor times this, back through Aᵀ, is
 * that component's part. */
static double
more (gpointer data, double lambda)
{
  const Spectrum *s = data;
  const gconstpointer options = s->self->options;
  const SumiShares none = s->shares (options, s->sigma, s->next, -1);
  SumiShares one;

  if (lambda <= s->least)
    return 0;
  one = s->shares (options, s->sigma, s->next, s->self->seen.noise / sqrt (lambda));
  switch (s->part)
    {
    case MEAN:
      return one.mean / lambda;
    case OLD:
      return (one.old - none.old) / lambda;
    default:
      return (one.fresh - none.fresh) / lambda;
    }
}

/* @terms: y − A·x0, A·e and A·z. */
static void
exactly (Spectrum *s, SumiEval *ev, SumiTensor *const *terms, SumiTensor *first, SumiTensor *x)
{
  for (int i = MEAN; i <= FRESH && sumi_eval_ok (ev); i++)
    {
      SumiTensor *part;

      s->part = (Part) i;
      part = i == MEAN ? first : sumi_operator_spectral (s->self->seen.a, ev, terms[i], more, s);
      sumi_lincomb (ev, 1, x, 1, part, 0, NULL, x);
    }
}

static void
by_ridge (Spectrum *s, SumiEval *ev, SumiTensor *const *terms, SumiTensor *x)
{
  const double noise = s->self->seen.noise, damp = noise > 0 && s->next > 0 ? noise / s->next : 0;
  const SumiShares none = s->shares (s->self->options, s->sigma, s->next, -1);
  const SumiShares seen = s->shares (s->self->options, s->sigma, s->next, 0);
  SumiOperator *a = s->self->seen.a;

  if (noise == 0 || s->next > 0)
    sumi_lincomb (ev, 1, x, seen.mean, sumi_operator_ridge (a, ev, terms[MEAN], damp * damp), 0, NULL, x);
  if (seen.old != none.old || seen.fresh != none.fresh)
    {
      SumiTensor *noises =
          sumi_lincomb (ev, seen.old - none.old, terms[OLD], seen.fresh - none.fresh, terms[FRESH], 0, NULL, NULL);

      sumi_lincomb (ev, 1, x, 1, sumi_operator_pinv (a, ev, noises), 0, NULL, x);
    }
}

void
sumi_range_step (SumiMethod *self, SumiStep *step, SumiEval *ev, SumiTensor *x, SumiSharesFunc shares)
{
  SumiOperator *a = self->seen.a;
  const double next = step->sigma_next;
  const SumiShares none = shares (self->options, step->sigma, next, -1);
  Spectrum s = { self, shares, step->sigma, next, a->norm2 * SUMI_OPERATOR_RANK, MEAN };
  SumiTensor *terms[3], *e, *z, *first;

  step->x0 = sumi_denoise (self->denoiser, ev, x, step->sigma);
  sumi_method_hold (self, ev, FALSE, step->x0, self->seen.known);
  e = sumi_lincomb (ev, 1 / step->sigma, x, -1 / step->sigma, step->x0, 0, NULL, NULL);
  z = sumi_step_noise (step, ev, x, NOISE_DRAW);
  sumi_lincomb (ev, 1, step->x0, none.old, e, none.fresh, z, x);
  terms[MEAN] = sumi_lincomb (ev, 1, self->seen.y, -1, sumi_operator_apply (a, ev, step->x0), 0, NULL, NULL);
  terms[OLD] = sumi_operator_apply (a, ev, e);
  terms[FRESH] = sumi_operator_apply (a, ev, z);
  if (! sumi_eval_ok (ev))
    return;
  first = sumi_operator_spectral (a, ev, terms[MEAN], more, &s);
  if (first)
    exactly (&s, ev, terms, first, x);
  else
    by_ridge (&s, ev, terms, x);
}

/* Of a component of eigenvalue λ: whether it was seen with less noise than the level, and the noise that lacks. */
static double
taken (gpointer data, double lambda)
{
  const Spectrum *s = data;

  return lambda > s->least && s->self->seen.noise <= s->next * sqrt (lambda) ? 1 / lambda : 0;
}

static double
lacking (gpointer data, double lambda)
{
  const Spectrum *s = data;
  const double noise = s->self->seen.noise;

  return taken (data, lambda) * sqrt (MAX (s->next * s->next - noise * noise / lambda, 0));
}

void
sumi_range_project (SumiMethod *self, const SumiStep *step, SumiEval *ev, SumiTensor *x)
{
  const double next = step->sigma_next, damp = self->seen.noise > 0 && next > 0 ? self->seen.noise / next : 0;
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  SumiOperator *a = self->seen.a;
  Spectrum s = { .self = self, .next = next, .least = a->norm2 * SUMI_OPERATOR_RANK };
  SumiTensor *lack, *noise, *part;

  if (self->seen.noise > 0 && next == 0)
    return;
  lack = sumi_lincomb (ev, 1, self->seen.y, -1, sumi_operator_apply (a, ev, x), 0, NULL, NULL);
  noise = sumi_operator_apply (a, ev, sumi_step_noise (step, ev, x, NOISE_DRAW));
  part = sumi_operator_spectral (a, ev, lack, taken, &s);
  if (part)
    sumi_lincomb (ev, 1, x, 1, part, 1, sumi_operator_spectral (a, ev, noise, lacking, &s), x);
  else
    {
      sumi_lincomb (ev, 1, lack, next, noise, 0, NULL, lack);
      sumi_lincomb (ev, 1, x, 1, sumi_operator_ridge (a, ev, lack, damp * damp), 0, NULL, x);
    }
  sumi_arena_release (ev->scratch, mark);
}

SumiTensor *
sumi_range_guess (SumiMethod *self, SumiEval *ev, double sigma)
{
  const double damp = self->seen.noise > 0 && sigma > 0 ? self->seen.noise / sigma : 0;

  return sumi_operator_ridge (self->seen.a, ev, self->seen.y, damp * damp);
}
