/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact denoisers of small data: mixtures of isotropic Gaussians, of which a Gaussian is one of one part, and a set of
 * points one of parts of no width. D, its gradient, density and samples are closed forms, so that a solver, a method or
 * a guidance can be held to theory. Computed in double. */
#pragma once

#include "core/base/types.h"
#include "core/diffusion/denoiser.h"

G_BEGIN_DECLS

typedef struct
{
  SumiDenoiser denoiser; /* of states [N, H, W, dims], f64 or f32: each pixel is a sample of its own */
  int dims, n;           /* n parts */
  double *weight;        /* [n], they sum to 1 */
  double *mean;          /* [n, dims] */
  double *std;           /* [n], ≥ 0 */
} SumiExact;

/* @n parts, 1 to 2^20, of @dims dimensions, 1 to 64, all numbers 0: to be filled in. Returns: (transfer full). */
SumiExact *sumi_exact_new (int n, int dims);
/* "gaussian:MEAN,STD", "mixture:WEIGHT,MEAN,STD;WEIGHT,MEAN,STD…" (weights are divided by their sum), both of one
 * dimension, or "points:FILE" with one point per line, its coordinates parted by blanks or commas.
 * Returns: (transfer full). Fails with %SUMI_ERROR_OPTION or %SUMI_ERROR_FORMAT. */
SumiExact *sumi_exact_parse (const char *text, GError **error);
void sumi_exact_free (SumiExact *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiExact, sumi_exact_free)

/* ln p of x = x0 + @sigma·noise at @x [dims]; −∞ or worse is possible for points at σ = 0. */
double sumi_exact_log_density (const SumiExact *self, const double *x, double sigma);
/* D (@x; @sigma) of one sample; @x, @out: [dims]. */
void sumi_exact_denoise (const SumiExact *self, const double *x, double sigma, double *out);
/* The probability of each part given @x at @sigma; @out: [n]. */
void sumi_exact_responsibilities (const SumiExact *self, const double *x, double sigma, double *out);
/* E (x0 − D)² per value at @sigma, by @n_samples draws of (seed): the table that the schedule dp reads. */
double sumi_exact_error (const SumiExact *self, double sigma, int n_samples, guint64 seed);
/* Draw @index of x0: [dims]. */
void sumi_exact_sample (const SumiExact *self, guint64 seed, int index, double *out);

G_END_DECLS
