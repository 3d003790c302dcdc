/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Discrete processes: a table of ᾱ_t, t = 0 … T − 1 (papers count from 1), T = SUMI_TABLE_STEPS, made continuous as
 * k-diffusion does: ln σ goes linearly in t between the table's entries, α = 1/√(1 + σ²), and drift and diffusion
 * follow from that. Outside of [0, T − 1] the first and the last line go on, so that time and σ stay inverse; who asks
 * a network for a time clamps it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define SUMI_TABLE_STEPS 1000

typedef struct
{
  void (*fill) (double *b); /* b[t] = −ln ᾱ_t, rising, T of them */
  gsize once;
  double log_sigma[SUMI_TABLE_STEPS];
} SumiTable;

double sumi_table_alpha (SumiTable *self, double t);
double sumi_table_sigma (SumiTable *self, double t);
double sumi_table_time (SumiTable *self, double sigma); /* by bisection */
double sumi_table_drift (SumiTable *self, double t);
double sumi_table_diffusion (SumiTable *self, double t);

/* b[t] of the betas of @beta (t): −ln ᾱ_t = −Σ ln (1 − β). */
void sumi_table_sum (double (*beta) (int t), double *b);

/* The functions of SumiProcessClass for the table that @fill makes. */
#define SUMI_TABLE(fill_function)                                                                                      \
  static SumiTable table = { .fill = fill_function };                                                                  \
  static double table_alpha (double t)                                                                                 \
  {                                                                                                                    \
    return sumi_table_alpha (&table, t);                                                                               \
  }                                                                                                                    \
  static double table_sigma (double t)                                                                                 \
  {                                                                                                                    \
    return sumi_table_sigma (&table, t);                                                                               \
  }                                                                                                                    \
  static double table_time (double sigma)                                                                              \
  {                                                                                                                    \
    return sumi_table_time (&table, sigma);                                                                            \
  }                                                                                                                    \
  static double table_drift (double t)                                                                                 \
  {                                                                                                                    \
    return sumi_table_drift (&table, t);                                                                               \
  }                                                                                                                    \
  static double table_diffusion (double t)                                                                             \
  {                                                                                                                    \
    return sumi_table_diffusion (&table, t);                                                                           \
  }

/* Those, and the times, as members of a row. */
#define SUMI_TABLE_MEMBERS                                                                                             \
  .n_steps = SUMI_TABLE_STEPS, .t_min = 0, .t_max = SUMI_TABLE_STEPS - 1, .alpha = table_alpha, .sigma = table_sigma,  \
  .time = table_time, .drift = table_drift, .diffusion = table_diffusion

G_END_DECLS
