/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schedules: the list of σ that a run steps through. A registry: one file, one row. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* How well a model denoises: mean squared error of D per value at each of some levels. */
struct SumiErrorTable
{
  int n;               /* ≥ 2 */
  const double *sigma; /* rising */
  const double *error; /* E (x0 − D)² */
};

/* What a list is made for. */
typedef struct
{
  double sigma_min, sigma_max;
  const SumiProcessClass *process; /* whose time the lists that go by time divide */
  const SumiErrorTable *errors;    /* (nullable): of the model */
  gconstpointer options;           /* the schedule's own, or NULL if it has none */
} SumiScheduleInput;

struct SumiScheduleClass
{
  const char *key, *label; /* label N_() */
  const char *blurb;       /* N_(): one sentence: when to use it */
  const char *paper;
  gboolean needs_errors;     /* reads SumiScheduleInput.errors, and fails without */
  const SumiOption *options; /* (nullable): its settings */
  gsize options_size;
  /* Fills sigmas[0 … n]: falling from sigma_max, sigmas[n − 1] = sigma_min (n > 1), sigmas[n] = 0; n ≥ 1. Lists that
   * are defined by a discrete table may end above sigma_min, or start below sigma_max. */
  gboolean (*sigmas) (int n, const SumiScheduleInput *input, double *sigmas, GError **error);
};

const SumiScheduleClass *const *sumi_schedules (void); /* NULL-ended */
/* Fails with %SUMI_ERROR_OPTION listing what there is. */
const SumiScheduleClass *sumi_schedule_find (const char *key, GError **error);

G_END_DECLS
