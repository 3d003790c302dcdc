/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What samplers that remember earlier steps share: the memory, Lagrange's polynomials, and the steps at the ends of a
 * list where no formula holds. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

#define SUMI_HISTORY 4

/* Earlier values (D, or the noise ε), the newest first; σ rises strictly. */
typedef struct
{
  int n;
  double sigma[SUMI_HISTORY];
  SumiTensor *value[SUMI_HISTORY];
} SumiHistory;

/* First of all in a step: clears step->memory at the start and after a jump back, and makes the steps that have no
 * slope: of size 0, which leave x as it is, and from σ = 0, which return D (x; 0).
 * Returns: FALSE if this is neither, and the sampler has to. */
gboolean sumi_step_begin (SumiStep *step, SumiEval *ev, SumiTensor *x);

/* The same, and steps to σ = 0 too, which return D (x; σ). */
gboolean sumi_step_edge (SumiStep *step, SumiEval *ev, SumiTensor *x);

/* Remembers @value as that of step->sigma, in step->state[0 … limit − 1] and step->memory[0 … limit + 1], limit ≤
 * SUMI_HISTORY. Forgets what was not noisier than now, which happens with much churn. @history: out, nullable: with
 * @value as its newest. */
void sumi_history_push (SumiStep *step, SumiEval *ev, const SumiTensor *value, int limit, SumiHistory *history);

/* The same without anything new: what was remembered and is still of use at step->sigma. */
void sumi_history_read (SumiStep *step, int limit, SumiHistory *history);

/* The noise ε = (x − x0)/σ in x: of step->sigma. Returns: (transfer none): in scratch. */
SumiTensor *sumi_step_noise_of (const SumiStep *step, SumiEval *ev, const SumiTensor *x, const SumiTensor *x0);

/* Lagrange's polynomial number @j of the @n @nodes, at @at. */
double sumi_lagrange (int n, const double *nodes, int j, double at);

/* x += (σ' − σ)·Σ weights[i]·terms[i]: with noises as the terms, a DDIM step; n ≤ SUMI_HISTORY. */
void sumi_step_along (const SumiStep *step,
                      SumiEval *ev,
                      int n,
                      const double *weights,
                      SumiTensor *const *terms,
                      SumiTensor *x);

/* Adams and Bashforth's weights of equal steps for @n = 1 to 4 values, the newest first. */
const double *sumi_adams_bashforth (int n);

G_END_DECLS
