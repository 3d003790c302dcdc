/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sumi simulate: a sampler at work on data whose denoiser is known exactly. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

typedef struct
{
  char *data, *start, *svg;
  char *sampler, *schedule, *process, *settings;
  char *guidance, *condition, *negative, *wish;
  char *likelihood, *invert;
  int samples, steps, seed, threads;
  double sigma_min, sigma_max, churn, wish_spread;
  gboolean json, help;
} SumiSimulateOptions;

/* One run. All states are of samples of data->dims numbers each. */
typedef struct
{
  const SumiSimulateOptions *options; /* borrowed */
  SumiExact *data;
  SumiPlan plan;
  SumiExactConditions *conditions, *negative; /* NULL: none */
  double *wish;                               /* (nullable): [n, dims] */
  SumiTensor target;                          /* of wish */
  SumiTargetLoss loss;
  SumiExact *wished;      /* (nullable) */
  SumiGuidance *guidance; /* NULL: none */
  const SumiExact *truth; /* data, or that given the one condition and the wish */
  double *sigmas;         /* [n_steps + 1] */
  int n_steps;
  gboolean given; /* the start values, by --start */
  int n;          /* samples */
  double *x;      /* [n, dims]: at the start, and after the run at its end */
  int kept;       /* the first samples, whose states are kept */
  double *states; /* [n_steps + 1, kept, dims] */
  guint64 calls;  /* of the denoiser, for all samples together */
} SumiSimulation;

/* Checks everything that can be checked before the run, and lists the noise levels.
 * Fails with %SUMI_ERROR_OPTION or what reading the data fails with. */
SumiSimulation *sumi_simulation_new (const SumiSimulateOptions *options, GError **error);
void sumi_simulation_free (SumiSimulation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiSimulation, sumi_simulation_free)
gboolean sumi_simulation_run (SumiSimulation *self, GCancellable *cancellable, GError **error);

/* Reads points parted by ";" (of one dimension: by "," or blanks too) of @dims numbers. @what: the option.
 * Returns: (transfer full): [*@n, @dims]. Fails with %SUMI_ERROR_OPTION. */
double *sumi_simulation_parse (const char *what, const char *text, int dims, int *n, GError **error);

/* {"sigmas": [...], "states": [[...], ...]} to standard output, with 17 digits. */
void sumi_simulation_print_json (const SumiSimulation *self);
/* What the options likelihood and invert ask for, instead of a run. */
gboolean sumi_simulation_print_back (SumiSimulation *self, GCancellable *cancellable, GError **error);
/* What a person reads. */
void sumi_simulation_print (const SumiSimulation *self);
/* Returns: (transfer full): the picture: the paths, and where they end against the truth. */
char *sumi_simulation_dup_svg (const SumiSimulation *self);

/* The data's own mean [dims] and standard deviation [dims]. */
void sumi_simulation_moments (const SumiExact *data, double *mean, double *std);
/* P (coordinate @c of x0 ≤ @value). */
double sumi_simulation_distribution (const SumiExact *data, int c, double value);

G_END_DECLS
