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
  SumiTensor **state; /* sampler's own history, n_state slots, NULL at first; same shape as x */
  double sigma_last;  /* σ of the step before, 0 in the first */
  double churn;       /* [0, 1]: share of fresh noise, for samplers that know it */
  SumiTensor *x0;     /* out: the newest D, for preview; may stay NULL */
  /* Draws N(0, 1), projected, keyed by absolute pixel, step and @draw (0, 1 ... within the step).
   * Returns: (transfer none): shape of x, scratch. */
  SumiTensor *(*noise) (const SumiStep *step, SumiEval *ev, int draw);
  const SumiLoop *loop;
};

struct SumiSamplerClass
{
  const char *key, *label; /* label N_() */
  int order;               /* of convergence on the probability-flow ODE with churn 0 */
  int n_state;
  void (*step) (SumiStep *step, SumiEval *ev, SumiTensor *x); /* updates x in place */
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
