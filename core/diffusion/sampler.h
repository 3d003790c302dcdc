/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samplers: one step of an ODE or SDE solver from σ to σ_next. The loop owns everything else.
 * Schedules: the list of σ. Both are registries: one file, one row. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

struct SumiStep
{
  SumiDenoiser *denoiser;
  double sigma, sigma_next;
  int index, count;
  double sigma_last;        /* σ of the step before; 0: there is no history */
  SumiTensor *const *state; /* n_state tensors of x's shape that live as long as the run; written by the sampler */
  double churn;             /* [0, 1], for samplers with own_churn */
  SumiTensor *x0;           /* out: the newest D, for previews; may stay NULL */
  const SumiLoop *loop;
};

/* Draws N(0, 1) of @like's shape, projected by the denoiser, keyed by absolute pixel, step and @draw (0 to 2).
 * Returns: (transfer none): in scratch. */
SumiTensor *sumi_step_noise (const SumiStep *step, SumiEval *ev, const SumiTensor *like, int draw);

struct SumiSamplerClass
{
  const char *key, *label; /* label N_() */
  int order;               /* of convergence on the probability-flow ODE with churn 0 */
  int n_state;
  gboolean own_churn; /* FALSE: the loop churns before the step (Karras et al. 2022, algorithm 2) */
  /* Takes x from sigma to sigma_next in place. */
  void (*step) (SumiStep *step, SumiEval *ev, SumiTensor *x);
};

struct SumiScheduleClass
{
  const char *key, *label;
  /* Fills sigmas[0 .. n]: falling from sigma_max, sigmas[n − 1] = sigma_min (n > 1), sigmas[n] = 0. n ≥ 1. */
  void (*sigmas) (int n, double sigma_min, double sigma_max, double *sigmas);
};

const SumiSamplerClass *const *sumi_samplers (void); /* NULL-ended */
const SumiScheduleClass *const *sumi_schedules (void);
/* Fail with %SUMI_ERROR_OPTION listing what there is. */
const SumiSamplerClass *sumi_sampler_find (const char *key, GError **error);
const SumiScheduleClass *sumi_schedule_find (const char *key, GError **error);

G_END_DECLS
