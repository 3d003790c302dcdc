/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/guidance.h"

#include <math.h>

#include "core/base/error.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/plan.h"
#include "core/tensor/eval.h"

#define MAX_TERMS (SUMI_MAX_CONDITIONS + 1)

double
sumi_guidance_weight (const SumiGuidance *self, int i)
{
  return self->parts.weights ? self->parts.weights[i] : 1;
}

/* ---- linear guidances ---------------------------------------------------- */

/* The denoisers whose factor is not 0, each once, and the factors. Returns: how many, ≥ 1. */
static int
get_terms (const SumiGuidance *self, double sigma, SumiDenoiser **terms, double *factors)
{
  double w[MAX_TERMS] = { 0 };
  int n = 0;

  self->klass->mix (self, sigma, w);
  for (int i = 0; i <= self->parts.n; i++)
    {
      SumiDenoiser *term = i ? self->parts.conditions[i - 1] : self->parts.base;
      int k = 0;

      if (w[i] == 0)
        continue;
      while (k < n && terms[k] != term)
        k++;
      factors[k] = w[i] + (k < n ? factors[k] : 0);
      terms[k] = term;
      n = MAX (n, k + 1);
    }
  if (n > 0)
    return n;
  terms[0] = self->parts.base;
  factors[0] = 0;
  return 1;
}

SumiTensor *
sumi_guidance_mix (SumiGuidance *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  SumiDenoiser *terms[MAX_TERMS];
  SumiTensor *answers[MAX_TERMS];
  double factors[MAX_TERMS];
  const int n = get_terms (self, sigma, terms, factors);

  for (int i = 0; i < n; i++)
    answers[i] = sumi_denoise (terms[i], ev, x, sigma);
  return n == 1 && factors[0] == 1 ? answers[0] : sumi_mix (ev, n, factors, answers, NULL);
}

/* The cotangent needs all answers, so each denoiser is asked for its gradient while the one before waits for its own
 * cotangent: no answer is worked out twice. */
typedef struct
{
  SumiTensor *x;
  double sigma;
  int n;
  SumiDenoiser *terms[MAX_TERMS];
  double factors[MAX_TERMS], ones[MAX_TERMS];
  SumiTensor *answers[MAX_TERMS], *gradients[MAX_TERMS];
  SumiCotangent cotangent;
  gpointer data;
  SumiTensor *x0, *v; /* of the whole */
} Chain;

typedef struct
{
  Chain *chain;
  int index;
} Link;

static SumiTensor *
link_cotangent (gpointer data, SumiEval *ev, SumiTensor *x0)
{
  Chain *c = ((Link *) data)->chain;
  const int i = ((Link *) data)->index;
  Link next = { c, i + 1 };
  SumiTensor *same;

  c->answers[i] = x0;
  if (i + 1 < c->n)
    c->gradients[i + 1] = sumi_denoise_vjp (c->terms[i + 1], ev, c->x, c->sigma, link_cotangent, &next, &same);
  else
    {
      c->x0 = sumi_mix (ev, c->n, c->factors, c->answers, NULL);
      c->v = sumi_eval_ok (ev) ? c->cotangent (c->data, ev, c->x0) : NULL;
    }
  if (! sumi_eval_ok (ev) || ! c->v)
    return sumi_eval_nothing (ev);
  return sumi_mix (ev, 1, &c->factors[i], &c->v, NULL);
}

static SumiTensor *
guided_vjp (SumiDenoiser *denoiser,
            SumiEval *ev,
            SumiTensor *x,
            double sigma,
            SumiCotangent cotangent,
            gpointer data,
            SumiTensor **x0)
{
  SumiGuidance *self = (SumiGuidance *) denoiser;
  Chain chain = { .x = x, .sigma = sigma, .cotangent = cotangent, .data = data };
  Link first = { &chain, 0 };
  SumiTensor *same;

  chain.n = get_terms (self, sigma, chain.terms, chain.factors);
  chain.gradients[0] = sumi_denoise_vjp (chain.terms[0], ev, x, sigma, link_cotangent, &first, &same);
  if (! sumi_eval_ok (ev))
    return sumi_eval_nothing (ev);
  *x0 = chain.x0;
  for (int i = 0; i < chain.n; i++)
    chain.ones[i] = 1;
  return sumi_mix (ev, chain.n, chain.ones, chain.gradients, NULL);
}

static gboolean
has_gradient (const SumiGuidance *self)
{
  if (! self->klass->mix || (self->klass->is_linear && ! self->klass->is_linear (self)))
    return FALSE;
  for (int i = 0; i < self->parts.n; i++)
    if (! self->parts.conditions[i]->vjp)
      return FALSE;
  return self->parts.base->vjp != NULL;
}

/* ---- the denoiser -------------------------------------------------------- */

static SumiTensor *
guided_denoise (SumiDenoiser *denoiser, SumiEval *ev, SumiTensor *x, double sigma)
{
  SumiGuidance *self = (SumiGuidance *) denoiser;
  SumiTensor *x0 =
      self->klass->denoise ? self->klass->denoise (self, ev, x, sigma) : sumi_guidance_mix (self, ev, x, sigma);

  if (ev->error || sumi_is_finite (x0))
    return x0;
  sumi_eval_fail (ev, SUMI_ERROR_NUMBER,
                  "σ = %g: the guidance %s gave a result that is not finite; give it a smaller scale", sigma,
                  self->klass->key);
  return sumi_eval_nothing (ev);
}

static void
guided_project (SumiDenoiser *denoiser, SumiEval *ev, SumiTensor *x)
{
  SumiDenoiser *base = ((SumiGuidance *) denoiser)->parts.base;

  base->project (base, ev, x);
}

static void
guided_preview (SumiDenoiser *denoiser, SumiTensor *x0, SumiJob *job)
{
  SumiDenoiser *base = ((SumiGuidance *) denoiser)->parts.base;

  base->preview (base, x0, job);
}

/* ---- making one ---------------------------------------------------------- */

/* Returns: (nullable): what is wrong with the conditions. */
static const char *
find_fault (const SumiGuidanceClass *klass, const SumiGuidanceParts *parts)
{
  int wanted = 0, unwanted = 0;

  for (int i = 0; i < parts->n; i++)
    {
      const double w = parts->weights ? parts->weights[i] : 1;

      if (! isfinite (w))
        return "takes finite weights only";
      wanted += w > 0;
      unwanted += w < 0;
    }
  switch (klass->conditions)
    {
    case SUMI_GUIDANCE_NONE:
      break;
    case SUMI_GUIDANCE_ONE:
      return parts->n != 1 || unwanted ? "takes exactly one condition, which is wanted" : NULL;
    case SUMI_GUIDANCE_ANY:
      return parts->n < 1 ? "needs one condition or more" : NULL;
    case SUMI_GUIDANCE_SIDES:
      return wanted < 1 ? "needs one condition or more of a weight above 0" : NULL;
    }
  return NULL;
}

static gboolean
check (const SumiGuidanceClass *klass, const SumiGuidanceParts *parts, const char *who, GError **error)
{
  const char *lack = NULL, *fault = find_fault (klass, parts);

  if (klass->needs_loss && ! parts->loss)
    lack = "needs a loss, and none was given";
  else if (klass->needs_classifier && ! parts->classifier)
    lack = "needs a classifier of noisy pictures, and none was given";
  else if (klass->needs_gradient && ! parts->base->vjp)
    lack = "needs the gradient of the denoiser, which this one does not have";
  if (fault)
    g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "the guidance %s %s; there %s %d", klass->key, fault,
                 parts->n == 1 ? "is" : "are", parts->n);
  else if (lack)
    g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                 "the guidance %s %s: %s cannot be used with it; take another guidance (sumi list guidance) or model",
                 klass->key, lack, who);
  return ! fault && ! lack;
}

SumiGuidance *
sumi_guidance_new (const SumiGuidanceClass *klass,
                   gconstpointer options,
                   const SumiGuidanceParts *parts,
                   const char *who,
                   GError **error)
{
  g_autoptr (SumiGuidance) self = NULL;

  g_return_val_if_fail (parts->base && parts->n >= 0 && parts->n <= SUMI_MAX_CONDITIONS, NULL);
  if (! check (klass, parts, who, error))
    return NULL;
  self = g_new0 (SumiGuidance, 1);
  self->klass = klass;
  self->parts = *parts;
  if (klass->conditions == SUMI_GUIDANCE_NONE)
    self->parts.n = 0;
  if (! options && ! sumi_settings_new (klass->options, klass->options_size, NULL, &self->defaults, error))
    return NULL;
  self->options = options ? options : self->defaults;
  self->denoiser = (SumiDenoiser){
    .denoise = guided_denoise,
    .vjp = has_gradient (self) ? guided_vjp : NULL,
    .project = parts->base->project ? guided_project : NULL,
    .preview = parts->base->preview ? guided_preview : NULL,
    .composed = TRUE,
  };
  return g_steal_pointer (&self);
}

void
sumi_guidance_free (SumiGuidance *self)
{
  if (! self)
    return;
  sumi_settings_free (self->klass->options, self->defaults);
  sumi_guidance_free (self->inside);
  g_free (self);
}
