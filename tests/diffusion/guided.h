/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of guidance have in common. */
#pragma once

#include "core/base/arena.h"
#include "core/diffusion/exact-guidance.h"
#include "core/sumi.h"

/* Three parts in the plane. */
SumiExact *guided_plane (void);
SumiExact *guided_gaussian (double mean, double std);

/* Normal numbers times @sigma, the same in each call. */
SumiTensor *
guided_noise (SumiArena *arena, SumiEval *ev, int dtype, int n, int height, int width, int channels, double sigma);

/* A guidance as users make it, by a plan. */
SumiGuidance *guided_new (const char *key, const char *settings, const SumiGuidanceParts *parts);

/* D must be x + σ²·∇ Σ w_i·ln p_i. */
void guided_check_score (SumiDenoiser *d, int n, SumiExact *const *exact, const double *w);

/* The same bytes. */
void guided_assert_same (const SumiTensor *a, const SumiTensor *b);
/* The greatest of all |a − b|. */
double guided_difference (const SumiTensor *a, const SumiTensor *b);
/* Standard deviation of sample @n, by plain sums. */
double guided_std (const SumiTensor *a, int n);

/* D = x, without a gradient. */
extern SumiDenoiser guided_echo;
