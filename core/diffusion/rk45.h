/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dormand and Prince's embedded Runge–Kutta 5(4), with scipy's rules of the error's norm, of the first step and of the
 * next. The state is a tensor and, if asked for, one number that is integrated beside it. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef struct
{
  double rtol, atol; /* rtol is raised to what the state's type can tell, as scipy does */
  /* Writes dx/dσ at (@x, @sigma) into @out. Returns: the number's slope. */
  double (*slope) (gpointer data, SumiEval *ev, SumiTensor *x, double sigma, SumiTensor *out);
  gpointer data;
  double step;          /* size of the next step; 0: scipy's choice of a first step. Lives on from run to run */
  gboolean with_number; /* it counts in the error's norm */
  double number;
  SumiTensor *k[7], *trial; /* like x; after a run k[0] is the slope at its end */
} SumiRk45;

/* Takes @x from σ = @from to @to in place, upwards or downwards. Follows the sticky error. Memory that slope() takes
 * from
 * @ev's scratch is given back. */
void sumi_rk45_run (SumiRk45 *self, SumiEval *ev, SumiTensor *x, double from, double to);

G_END_DECLS
