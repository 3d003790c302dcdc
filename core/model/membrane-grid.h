/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The grids of a membrane and their solver. Private to membrane.c. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

#define MEMBRANE_GRIDS 16
#define MEMBRANE_PIECE 4096 /* cells that a thread does in one go */

typedef float MembraneV4 __attribute__ ((vector_size (16), aligned (4)));
typedef struct
{
  double c[4];
} MembraneD4;

/* One operator: diag·u_i − Σ weight·u_neighbour over up to four neighbours (right, down, left, up). */
typedef struct
{
  int n;
  int half; /* cells before it have an even x + y */
  int *x, *y;
  int *parent;        /* aggregate on the next grid */
  int (*child)[4];    /* cells of the finer grid; −1 where there is none */
  int (*next)[4];     /* itself where there is none */
  float (*weight)[4]; /* 0 where there is none */
  float *diag;
  MembraneV4 *u, *b, *r;
} MembraneGrid;

typedef struct
{
  MembraneGrid grids[MEMBRANE_GRIDS];
  int n_grids;
  MembraneV4 *x, *p, *q; /* of the finest grid */
  MembraneD4 *sums;      /* of each piece of it */
  SumiPool *pool;
} MembraneSolver;

/* Adds A⁻¹ r to x, r the right-hand side of the finest grid on entry, until the residual has fallen by @tolerance. */
void membrane_solve (MembraneSolver *solver, double tolerance);

G_END_DECLS
