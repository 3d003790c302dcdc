/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stochastic samplers against an independent reading of their papers: each rule is written in its paper's own
 * coordinates and symbols, in double, from the paper or from the public library that is its reference, and is fed with
 * the noise that the sampler draws. Compared over 10, 100 and 1000 steps, at the last σ above 0 and at 0. */
#pragma once

#include "tests/diffusion/run.h"

#define READING_COUNT 48
#define READING_MOST  1000

/* A run in the coordinates X = alpha·x: level i has time[i], sigma[i] = the noise's deviation over alpha[i]; level n is
 * σ = 0, alpha = 1. */
typedef struct
{
  const SumiExact *data;
  int n;
  double time[READING_MOST + 1], alpha[READING_MOST + 1], sigma[READING_MOST + 1];
  double x[READING_COUNT];
  double last[READING_COUNT], h_last; /* of the step before */
} Paper;

/* Rule @step, of a run on the levels that @fill sets, must be @sampler with @settings on @process. */
typedef struct
{
  const char *sampler, *settings, *process;
  void (*fill) (Paper *p);
  void (*step) (Paper *p, int i);
  int least; /* steps; 0: 10 */
} Reading;

/* N(0, 1) of a step's draw, one of several by @number; step −1: before the run. @z: [READING_COUNT] */
void reading_noise (int step, int draw, int number, double *z);

/* D of one value of x at σ. */
double reading_denoised (const Paper *p, double x, double sigma);
/* x̂0, ε and score of X at level i. */
double reading_x0 (const Paper *p, int i, double x);
double reading_eps (const Paper *p, int i, double x);
double reading_score (const Paper *p, int i, double x);
/* The final denoising: X = x̂0 at the last level. */
void reading_finish (Paper *p);

/* ᾱ of DDPM's linear table; β of the VP SDE and its integral. */
double reading_alpha_bar (int t);
double reading_beta (double t);
double reading_beta_integral (double t);

/* Levels: a table's, kept evenly; even in the time of an SDE, down to 10⁻³; Karras'. */
void reading_table (Paper *p);
void reading_vp (Paper *p);
void reading_subvp (Paper *p);
void reading_ve (Paper *p);
void reading_edm (Paper *p);

/* A main() over @readings. */
int reading_main (int argc, char **argv, const Reading *readings, int n);
