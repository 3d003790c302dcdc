/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What methods for any linear observation share: steps that treat each singular value of A by itself, and projection on
 * what was observed. */
#pragma once

#include "core/diffusion/method.h"

G_BEGIN_DECLS

/* Where one singular component of the next state comes from: x0 + mean·(A⁺y − x0) + old·e + fresh·z, e being the noise
 * that x holds, (x − x0)/σ, and z a new one. */
typedef struct
{
  double mean, old, fresh;
} SumiShares;

/* @level: the component's noise of observation σ_y/s ≥ 0, or < 0 where s = 0: it was not observed. @sigma, @next: the
 * step's σ, and the one to reach. */
typedef SumiShares (*SumiSharesFunc) (gconstpointer options, double sigma, double next, double level);

/* One step of a method made so, in place; draws the z's of number 40. Where A has no cheap singular vectors, observed
 * components all take the old and fresh of level 0, and mean·λ/(λ + σ_y²/σ'²), the ridge form. */
void sumi_range_step (SumiMethod *self, SumiStep *step, SumiEval *ev, SumiTensor *x, SumiSharesFunc shares);

/* Puts the observation, noised to the level σ' reached, in place of what x holds of it: components seen with less noise
 * than that become ȳ + √(σ'² − σ_y²/s²)·z, others stay. Where A has no cheap singular vectors, Aᵀ·(A·Aᵀ +
 * σ_y²/σ'²·I)⁻¹·(y + σ'·A·z − A·x) is added, which for σ_y = 0 is the same. z is draw 40. */
void sumi_range_project (SumiMethod *self, const SumiStep *step, SumiEval *ev, SumiTensor *x);

/* A⁺·y, damped by σ_y²/σ² where y is noisy: the picture to start from when there is no other. */
SumiTensor *sumi_range_guess (SumiMethod *self, SumiEval *ev, double sigma);

G_END_DECLS
