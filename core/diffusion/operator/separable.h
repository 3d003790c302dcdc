/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operators that are one matrix along y and one along x, the same for every channel: blurs and shrinking. */
#pragma once

#include "core/diffusion/operator.h"

G_BEGIN_DECLS

/* A matrix by rows: row i has the entries start[i] to start[i + 1] − 1 of @column and @weight. */
typedef struct
{
  int rows, columns;
  int *start, *column;
  double *weight;
} SumiMatrix;

/* @taps entries a row, all weights 0 at first. */
SumiMatrix *sumi_matrix_new (int rows, int columns, int taps);
SumiMatrix *sumi_matrix_transpose (const SumiMatrix *self);
void sumi_matrix_free (SumiMatrix *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiMatrix, sumi_matrix_free)

/* Eigenvectors of M·Mᵀ, one a row of the result, and @values, rising with nothing: in no order. */
SumiMatrix *sumi_matrix_eigen (const SumiMatrix *self, double **values);

/* @y: [Ho, H], @x: [Wo, W], both taken. */
SumiOperator *sumi_operator_new_separable (const char *name, const int *shape, SumiMatrix *y, SumiMatrix *x);

G_END_DECLS
