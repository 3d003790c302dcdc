/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs of samplers on small exact data, for the tests. */
#pragma once

#include "core/diffusion/exact.h"
#include "core/sumi.h"

/* What a test runs; what is 0 or NULL is the default. */
typedef struct
{
  const char *sampler, *process, *settings;
  const double *sigmas; /* n + 1 */
  int n;
  SumiDenoiser *denoiser;
  gboolean f32;
  double churn;
  int threads;
  guint64 seed;   /* 0: RUN_SEED */
  gboolean batch; /* x is [count, 1, 1, 1], a batch of pictures of one pixel */
  int rows;       /* x is [1, rows, count/rows, 1] */
  gboolean start; /* the loop's own start: σ_0·noise is added to x, or what the method does */
  SumiMethod *method;
  int stop;          /* > 0: the result is the state at sigmas[stop] */
  guint64 n_denoise; /* out */
} Runner;

#define RUN_SEED 3

/* Steps @x [count] in place, as [1, 1, count, 1]. Returns: FALSE and @error as the loop's. */
gboolean run_try (Runner *r, double *x, int count, GError **error);
/* The same; a failure fails the test. */
void run_all (Runner *r, double *x, int count);

/* σ of Karras' schedule (ρ = 7) at @u, 0 the top and 1 the bottom. */
double run_karras (double top, double bottom, double u);

/* Start values in standard deviations: enough of them that no error vanishes by chance. */
#define RUN_STARTS 6
extern const double run_starts[RUN_STARTS];
