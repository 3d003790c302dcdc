/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Solver for (L + D) u = b, L the Laplacian of a weighted graph, D a diagonal ≥ 0 with something > 0 in it: conjugate
 * gradients preconditioned by algebraic multigrid on aggregates (Notay, "An aggregation-based algebraic multigrid
 * method", 2010), which stays fast when weights differ by many orders of magnitude. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef struct SumiLaplacian SumiLaplacian;

/* @n: nodes; @start: [n + 1] where each node's edges begin in @to and @weight; every edge is given at both its ends,
 * with the same weight > 0. @diagonal: [n]. All are copied.
 * Fails with %SUMI_ERROR_MEMORY. Returns: (transfer full) */
SumiLaplacian *sumi_laplacian_new (int n,
                                   const int *start,
                                   const int *to,
                                   const double *weight,
                                   const double *diagonal,
                                   GError **error);
void sumi_laplacian_free (SumiLaplacian *laplacian);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiLaplacian, sumi_laplacian_free)

/* Solves for @u, whose values are the start. Stops when the preconditioned residual has fallen by @tolerance, after
 * @most steps, or when @cancellable is (then u is what it was by then). May run in several threads at once on one
 * @laplacian. Returns: steps done. */
int sumi_laplacian_solve (const SumiLaplacian *laplacian,
                          const double *b,
                          double *u,
                          double tolerance,
                          int most,
                          GCancellable *cancellable);

G_END_DECLS
