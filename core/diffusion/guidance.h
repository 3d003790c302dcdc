/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guidance: a denoiser made of denoisers. A registry: one file, one row.
 *
 * All in the loop's units, x = x0 + σ·noise, where the score is (D − x)/σ²: adding to a score adds to D, times σ². A
 * conditional denoiser is a denoiser like any other. A guidance is one too (SumiGuidance.denoiser), so guidances stack:
 * the outer takes the inner's as its base. Samplers and methods see the outermost.
 *
 *   g_autoptr (SumiGuidance) guidance = sumi_guidance_new (klass, options, &parts, "the model", error);
 *   loop.denoiser = &guidance->denoiser;
 *
 * or, for all guidances of a plan (plan.h), sumi_plan_guide(). */
#pragma once

#include "core/base/types.h"
#include "core/diffusion/denoiser.h"

G_BEGIN_DECLS

#define SUMI_MAX_CONDITIONS 32

/* What a guidance is made of; all borrowed, alive as long as it. Each row says what it needs.
 * The gradient of a linear guidance asks each denoiser for its own while another's waits for its cotangent: where one
 * of them works with a tape, it must not be in two guidances of a stack. */
struct SumiGuidanceParts
{
  SumiDenoiser *base;              /* D_u, of all pictures: what is guided */
  int n;                           /* conditions, ≤ SUMI_MAX_CONDITIONS */
  SumiDenoiser *const *conditions; /* D_i */
  const double *weights;     /* (nullable): [n], finite: how much of each; above 0 wanted, below 0 not. NULL: 1 each */
  SumiPotential *loss;       /* (nullable): of the clean picture */
  SumiPotential *classifier; /* (nullable): ln p (y | x; σ) of the noisy picture x; for one trained on X = α·x its
                                gradient is α·∂/∂X */
};

/* One guidance at work. */
struct SumiGuidance
{
  SumiDenoiser denoiser; /* composed; has a gradient if the row is linear and all that it is made of have theirs */
  const SumiGuidanceClass *klass;
  gconstpointer options; /* the class' own */
  SumiGuidanceParts parts;
  gpointer defaults;    /* owned: options that were not given */
  SumiGuidance *inside; /* owned (nullable): the one that is this one's base */
};

/* Which kinds of condition a row takes. */
typedef enum
{
  SUMI_GUIDANCE_NONE, /* no conditions */
  SUMI_GUIDANCE_ONE,  /* exactly one, of weight above 0 (which it does not read) */
  SUMI_GUIDANCE_ANY,  /* one or more */
  SUMI_GUIDANCE_SIDES /* one or more of weight above 0, and any number below */
} SumiGuidanceConditions;

struct SumiGuidanceClass
{
  const char *key, *label; /* label N_() */
  const char *blurb;       /* N_(): one sentence: what it does, when to use it */
  const char *paper;
  SumiGuidanceConditions conditions;
  gboolean needs_loss, needs_classifier;
  gboolean needs_gradient;   /* of the base: its vjp */
  const SumiOption *options; /* (nullable): its settings; keys begin with the row's, so that guidances can be stacked */
  gsize options_size;
  /* A linear guidance: D = w[0]·base + Σ w[i + 1]·D_i. Denoisers of factor 0 are not called. NULL: not linear. */
  void (*mix) (const SumiGuidance *self, double sigma, double *w);
  /* (nullable) for rows that are linear with some options only */
  gboolean (*is_linear) (const SumiGuidance *self);
  /* D of those that are not linear. */
  SumiTensor *(*denoise) (SumiGuidance *self, SumiEval *ev, SumiTensor *x, double sigma);
};

const SumiGuidanceClass *const *sumi_guidances (void); /* NULL-ended */
/* Fails with %SUMI_ERROR_OPTION listing what there is. */
const SumiGuidanceClass *sumi_guidance_find (const char *key, GError **error);

/* @options: (nullable) borrowed, of the class' table; NULL: its defaults. @who: the model's name, for messages.
 * Returns: (transfer full). Fails with %SUMI_ERROR_UNSUPPORTED or %SUMI_ERROR_OPTION, saying what @parts lack. */
SumiGuidance *sumi_guidance_new (const SumiGuidanceClass *klass,
                                 gconstpointer options,
                                 const SumiGuidanceParts *parts,
                                 const char *who,
                                 GError **error);
void sumi_guidance_free (SumiGuidance *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiGuidance, sumi_guidance_free)

/* ---- for rows ------------------------------------------------------------ */

/* The weight of condition @i: parts.weights[i], or 1. */
double sumi_guidance_weight (const SumiGuidance *self, int i);
/* D by self->klass->mix. */
SumiTensor *sumi_guidance_mix (SumiGuidance *self, SumiEval *ev, SumiTensor *x, double sigma);

G_END_DECLS
