/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samplers: one step of an ODE or SDE solver from σ to σ_next. The loop owns everything else. A registry: one file, one
 * row. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

#define SUMI_STEP_MEMORY 8 /* numbers that a sampler may keep */
#define SUMI_STEP_PAST   8

struct SumiStep
{
  SumiDenoiser *denoiser;
  const SumiProcessClass *process;
  double sigma, sigma_next; /* sigma: after the loop's churn, if any */
  int index, count;
  int turn;             /* steps made so far, those that a method repeated too: keys the noise */
  const double *sigmas; /* the list, count + 1 */
  /* The steps just before this one, the latest first: the σ that they started from. n_past is 0 at the start, and after
   * every jump back in time. */
  int n_past;
  double past[SUMI_STEP_PAST];
  SumiTensor *const *state; /* n_state tensors like x that live as long as the run, 0 at first; the sampler's */
  double *memory;           /* SUMI_STEP_MEMORY numbers that live as long as the run, 0 at first; the sampler's */
  double churn;             /* [0, 1], for samplers with own_churn */
  gconstpointer options;    /* the sampler's own */
  SumiTensor *x0;           /* out: the newest D, for previews; may stay NULL */
  const SumiLoop *loop;
};

/* Draws N(0, 1) of @like's shape, projected by the denoiser, keyed by absolute pixel, step and @draw (0 to 59).
 * Returns: (transfer none): in scratch. */
SumiTensor *sumi_step_noise (const SumiStep *step, SumiEval *ev, const SumiTensor *like, int draw);

/* The same, one of as many as there are @number ≥ 0, for steps that cannot say how many they need; 0 is that of
 * sumi_step_noise(). */
SumiTensor *sumi_step_noise_more (const SumiStep *step, SumiEval *ev, const SumiTensor *like, int draw, int number);

struct SumiSamplerClass
{
  const char *key, *label; /* label N_() */
  const char *blurb;       /* N_(): one sentence: what it is good at, when to use it */
  const char *paper;
  int order;           /* of convergence on the probability-flow ODE with churn 0; 0: none, it is stochastic at heart */
  int calls;           /* of the denoiser in a step; 0: as many as the tolerance needs */
  gboolean stochastic; /* draws noise by its own default settings */
  int n_state;         /* ≤ 8 */
  gboolean own_churn;  /* FALSE: the loop churns before the step (Karras et al. 2022, algorithm 2) */
  const SumiOption *options; /* (nullable): its settings */
  gsize options_size;
  /* Takes x from sigma to sigma_next in place. Every sampler returns D (x; σ) when sigma_next is 0, unless the public
   * libraries' convention for it is another, which its file then says. */
  void (*step) (SumiStep *step, SumiEval *ev, SumiTensor *x);
};

const SumiSamplerClass *const *sumi_samplers (void); /* NULL-ended */
/* Fails with %SUMI_ERROR_OPTION listing what there is. */
const SumiSamplerClass *sumi_sampler_find (const char *key, GError **error);

G_END_DECLS
