/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conditions of exact data: "x0 comes from these parts". The conditional denoiser, the classifier of noisy x and its
 * gradient are closed forms, so that guidance can be held to theory and tried out (sumi simulate). */
#pragma once

#include "core/base/types.h"
#include "core/diffusion/exact.h"
#include "core/diffusion/guidance.h"
#include "core/diffusion/potential.h"

G_BEGIN_DECLS

/* The data given that it comes from the @n of @self's parts @parts, 0 ≤ each < self->n: their weights divided by their
 * sum. Returns: (transfer full). Fails with %SUMI_ERROR_OPTION. */
SumiExact *sumi_exact_part (const SumiExact *self, const int *parts, int n, GError **error);

/* The data given that @y [dims] was seen of x0, with noise of standard deviation @std > 0 on each number: what a
 * SumiTargetLoss stands for. Returns: (transfer full). */
SumiExact *sumi_exact_seen (const SumiExact *self, const double *y, double std);

/* ln p (x0 comes from @given | x; σ), worked out from the probabilities of the parts. Each pixel is a sample of its
 * own, as for SumiExact.denoiser; the value is summed over them. */
typedef struct
{
  SumiPotential potential;
  const SumiExact *all, *given; /* borrowed; @given: sumi_exact_part() of @all */
  double share;                 /* probability of @given */
} SumiExactClassifier;

void sumi_exact_classifier_init (SumiExactClassifier *self, const SumiExact *all, const SumiExact *given, double share);

/* What guidance of exact data is made of, from text. */
typedef struct
{
  SumiGuidanceParts parts; /* base, conditions, weights, and, of one condition, its classifier; no loss */
  int n;
  SumiExact **given;         /* owned: [n] */
  SumiDenoiser **conditions; /* owned array */
  double *weights;
  SumiExactClassifier classifier;
} SumiExactConditions;

/* @text: conditions parted by blanks or commas, each PARTS or PARTS:WEIGHT, PARTS the numbers of parts from 1, joined
 * by
 * +: "2", "1+3:1.5, 2:-0.5". @all: borrowed. Returns: (transfer full), of one condition at least. Fails with
 * %SUMI_ERROR_OPTION. */
SumiExactConditions *sumi_exact_conditions_parse (SumiExact *all, const char *text, GError **error);
void sumi_exact_conditions_free (SumiExactConditions *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiExactConditions, sumi_exact_conditions_free)

G_END_DECLS
