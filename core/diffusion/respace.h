/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fewer steps of a discrete table with a learned variance: Nichol and Dhariwal 2021 (arXiv 2102.09672), sections 3.1
 * and 4, and their code's respacing. N of the T times are kept, both ends included; the betas of the shorter chain come
 * from the kept ᾱ, and a network that tells v in [0, 1] has the variance exp (v·ln β + (1 − v)·ln β̃).
 *
 * All is given in variance-exploding coordinates, where a step from σ to σ' is
 *
 *   x' = keep·x + (1 − keep)·D + √variance·noise,  keep = σ'²/σ²,
 *
 * and what the papers call variance is divided by ᾱ of the step's end: β̃/ᾱ' = σ'²·(σ² − σ'²)/σ², β/ᾱ' =
 * (1 + σ'²)·(σ² − σ'²)/(1 + σ²). */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef struct
{
  int time;                    /* of the table, what the network is told */
  double sigma, sigma_next;    /* σ at that time and at the next kept one; 0 in the last step */
  double beta;                 /* of the shorter chain, in the papers' own coordinates */
  double keep;                 /* 0 in the last step, which adds no noise */
  double log_small, log_large; /* ln of the variance for v = 0 (β̃) and v = 1 (β) */
} SumiRespacedStep;

typedef struct
{
  int n;
  SumiRespacedStep *steps; /* [n], from the noisiest */
} SumiRespaced;

/* @n of the steps of @process. Returns: (transfer full). Fails with %SUMI_ERROR_OPTION where @process is no table or
 * has less than @n steps. */
SumiRespaced *sumi_respaced_new (const SumiProcessClass *process, int n, GError **error);
void sumi_respaced_free (SumiRespaced *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiRespaced, sumi_respaced_free)

/* Standard deviation of the noise of @step for the network's @v, clamped to [0, 1]: 0 in the last step. Networks that
 * tell w in [−1, 1] mean v = (w + 1)/2. */
double sumi_respaced_deviation (const SumiRespacedStep *step, double v);

G_END_DECLS
