/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conjugate gradients, preconditioned by one multigrid V-cycle. Cells come in two colours, as on a chessboard, so that
 * those of a colour are smoothed by all threads at once. Sums go by pieces of fixed length: the result does not depend
 * on threads. */
#include <string.h>

#include "core/base/parallel.h"
#include "core/model/membrane-grid.h"

#define MAX_ITERATIONS 80
#define PIECE          MEMBRANE_PIECE

typedef MembraneV4 V4;
typedef MembraneD4 D4;
typedef MembraneGrid Grid;
typedef MembraneSolver Solver;

static inline V4
off_diagonal (const Grid *g, const V4 *u, int i)
{
  const int *next = g->next[i];
  const float *w = g->weight[i];

  return (w[0] * u[next[0]] + w[1] * u[next[1]]) + (w[2] * u[next[2]] + w[3] * u[next[3]]);
}

/* ---- what all threads do ------------------------------------------------ */

typedef struct
{
  Solver *s;
  Grid *g;
  const V4 *b;
  int first, end; /* cells */
  V4 factor;
} Loop;

static void
run (Loop *l, int first, int end, SumiPoolFunc func)
{
  l->first = first;
  l->end = end;
  sumi_parallel_for (l->s->pool, (end - first + PIECE - 1) / PIECE, func, l);
}

#define EACH_CELL(l, index, i)                                                                                         \
  for (int i = (l)->first + (index) *PIECE, end_ = MIN (i + PIECE, (l)->end); i < end_; i++)

/* From u = 0. */
static void
start_cells (gpointer data, int index, int thread)
{
  const Loop *l = data;

  EACH_CELL (l, index, i)
  l->g->u[i] = l->b[i] / l->g->diag[i];
}

static void
smooth_cells (gpointer data, int index, int thread)
{
  const Loop *l = data;

  EACH_CELL (l, index, i)
  l->g->u[i] = (l->b[i] + off_diagonal (l->g, l->g->u, i)) / l->g->diag[i];
}

/* The right-hand side of the next grid: what is left, which is nothing at the cells that were smoothed last. */
static void
restrict_cells (gpointer data, int index, int thread)
{
  const Loop *l = data;
  const Grid *g = l->g, *c = g + 1;

  EACH_CELL (l, index, a)
  {
    V4 sum = { 0 };

    for (int k = 0; k < 4; k++)
      {
        const int i = c->child[a][k];

        if (i >= 0 && i < g->half)
          sum += l->b[i] - g->diag[i] * g->u[i] + off_diagonal (g, g->u, i);
      }
    c->b[a] = sum;
  }
}

static void
prolong_cells (gpointer data, int index, int thread)
{
  const Loop *l = data;
  const Grid *g = l->g, *c = g + 1;

  EACH_CELL (l, index, i)
  g->u[i] += c->u[g->parent[i]];
}

/* q = A p, and p·q. */
static void
multiply_cells (gpointer data, int index, int thread)
{
  const Loop *l = data;
  const Grid *g = l->g;
  const Solver *s = l->s;
  D4 sum = { { 0 } };

  EACH_CELL (l, index, i)
  {
    s->q[i] = g->diag[i] * s->p[i] - off_diagonal (g, s->p, i);
    for (int c = 0; c < 4; c++)
      sum.c[c] += (double) s->p[i][c] * (double) s->q[i][c];
  }
  s->sums[index] = sum;
}

/* x += α p, r −= α q. */
static void
step_cells (gpointer data, int index, int thread)
{
  const Loop *l = data;
  const Solver *s = l->s;

  EACH_CELL (l, index, i)
  {
    s->x[i] += l->factor * s->p[i];
    l->g->r[i] -= l->factor * s->q[i];
  }
}

/* r·u */
static void
dot_cells (gpointer data, int index, int thread)
{
  const Loop *l = data;
  D4 sum = { { 0 } };

  EACH_CELL (l, index, i)
  for (int c = 0; c < 4; c++)
    sum.c[c] += (double) l->g->r[i][c] * (double) l->g->u[i][c];
  l->s->sums[index] = sum;
}

/* p = u + β p */
static void
turn_cells (gpointer data, int index, int thread)
{
  const Loop *l = data;

  EACH_CELL (l, index, i)
  l->s->p[i] = l->g->u[i] + l->factor * l->s->p[i];
}

static D4
add_sums (const Solver *s)
{
  D4 sum = { { 0 } };

  for (int k = 0; k < (s->grids[0].n + PIECE - 1) / PIECE; k++)
    for (int c = 0; c < 4; c++)
      sum.c[c] += s->sums[k].c[c];
  return sum;
}

/* ---- the solver ----------------------------------------------------------- */

/* u ≈ A⁻¹ b on grid @at, starting from 0; symmetric, as conjugate gradients ask. */
static void
v_cycle (Solver *s, int at, const V4 *b)
{
  Grid *g = s->grids + at, *c = g + 1;
  const int n = g->n, half = g->half;
  Loop l = { s, g, b };

  run (&l, 0, half, start_cells);
  run (&l, half, n, smooth_cells);
  if (at + 1 == s->n_grids)
    {
      for (int i = 0; i < 12; i++)
        {
          run (&l, 0, half, smooth_cells);
          run (&l, half, n, smooth_cells);
        }
      run (&l, 0, half, smooth_cells);
      return;
    }
  run (&l, 0, c->n, restrict_cells);
  v_cycle (s, at + 1, c->b);
  /* the other half is overwritten */
  run (&l, 0, half, prolong_cells);
  run (&l, half, n, smooth_cells);
  run (&l, 0, half, smooth_cells);
}

/* Each channel is a problem of its own: α and β are per channel. */
static V4
ratio (D4 a, D4 b)
{
  V4 out = { 0 };

  for (int c = 0; c < 4; c++)
    out[c] = b.c[c] > 0 ? (float) (a.c[c] / b.c[c]) : 0;
  return out;
}

static gboolean
all_below (D4 a, D4 start, double factor)
{
  for (int c = 0; c < 4; c++)
    if (a.c[c] > start.c[c] * factor && a.c[c] > 1e-20)
      return FALSE;
  return TRUE;
}

void
membrane_solve (Solver *s, double tolerance)
{
  Grid *g = s->grids;
  const int n = g->n;
  Loop l = { s, g, g->r };
  D4 rz, first;

  v_cycle (s, 0, g->r);
  memcpy (s->p, g->u, sizeof (V4) * (gsize) n);
  run (&l, 0, n, dot_cells);
  rz = first = add_sums (s);
  for (int k = 0; k < MAX_ITERATIONS; k++)
    {
      D4 rz_new;

      run (&l, 0, n, multiply_cells);
      l.factor = ratio (rz, add_sums (s));
      run (&l, 0, n, step_cells);
      v_cycle (s, 0, g->r);
      run (&l, 0, n, dot_cells);
      rz_new = add_sums (s);
      if (all_below (rz_new, first, tolerance * tolerance))
        break;
      l.factor = ratio (rz_new, rz);
      rz = rz_new;
      run (&l, 0, n, turn_cells);
    }
}
