/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes: dX = f(t)·X dt + g(t) dw, forwards from the data at t = 0. X = α(t)·x, where x = x0 + σ(t)·noise is what
 * samplers hold (Karras et al. 2022, arXiv 2206.00364, appendix B: s(t) and σ(t) there). Samplers of SDEs step in a
 * process' own time and coordinates; for all others only its time matters. A registry: one file, one row.
 *
 * Identities that tests hold every row to: f = d ln α/dt, g² = α²·dσ²/dt; sigma and time are inverse. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

struct SumiProcessClass
{
  const char *key, *label; /* label N_() */
  const char *blurb;       /* N_(): one sentence: what it is and when to use it */
  const char *paper;
  int n_steps;                    /* T of a discrete table, whose times are 0 … T − 1; 0: continuous */
  double t_min, t_max;            /* times that models of it are trained for */
  double (*alpha) (double t);     /* scale of the signal */
  double (*sigma) (double t);     /* σ of x: the noise's standard deviation over α; rises with t */
  double (*time) (double sigma);  /* its inverse, fractional for a table; σ > 0 */
  double (*drift) (double t);     /* f */
  double (*diffusion) (double t); /* g² */
};

const SumiProcessClass *const *sumi_processes (void); /* NULL-ended */
/* Fails with %SUMI_ERROR_OPTION listing what there is. */
const SumiProcessClass *sumi_process_find (const char *key, GError **error);

G_END_DECLS
