/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small pictures, 4 × 4 × 3, from a Gaussian of known mean and covariance: its denoiser with gradient, and what is
 * known of it after a linear observation, both exact. */
#pragma once

#include "core/diffusion/denoiser.h"
#include "core/diffusion/operator.h"

#define GAUSS_SIDE 4
#define GAUSS_DIMS (GAUSS_SIDE * GAUSS_SIDE * 3)

typedef double GaussMatrix[GAUSS_DIMS][GAUSS_DIMS];

typedef struct
{
  SumiDenoiser denoiser; /* of any number of pictures, f64 or f32 */
  double mean[GAUSS_DIMS];
  GaussMatrix cov;
  double at;        /* of gain */
  GaussMatrix gain; /* cov·(cov + at²·I)⁻¹ */
} Gauss;

/* Each picture of its own mean in [−1, 1]; neighbours and channels go together. */
Gauss *gauss_new (void);

/* Mean and covariance of x0 given y = A·x0 + noise·N(0, 1); @a: of one picture. */
void gauss_posterior (const Gauss *self, SumiOperator *a, const double *y, double noise, double *mean, GaussMatrix cov);

/* cov·(cov + sigma²·I)⁻¹ */
void gauss_gain (const Gauss *self, double sigma, GaussMatrix gain);

/* A picture drawn from it. */
void gauss_draw (const Gauss *self, guint64 seed, double *x);

/* Mean and covariance of @n pictures. */
void gauss_measure (const SumiTensor *x, double *mean, GaussMatrix cov);
double gauss_frobenius (GaussMatrix a, GaussMatrix b);
