/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conjugate gradients on the five-point Laplacian of the unknown cells, preconditioned by one multigrid V-cycle over
 * 2×2 aggregates: the coarse operator is the Galerkin product with piecewise constant interpolation, divided by 1.8 to
 * make up for that interpolation's stiffness (D. Braess, "Towards algebraic multigrid for elliptic problems of second
 * order", Computing 55, 1995). Any shape of hole works, and only its cells are stored. */
#include "core/model/membrane.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/model/membrane-grid.h"

#define OVERCORRECTION 1.8f
/* a part without any border would make the system singular */
#define ANCHOR         1e-6f

typedef MembraneV4 V4;
typedef MembraneD4 D4;
typedef MembraneGrid Grid;
typedef MembraneSolver Solver;

static void
grid_clear (Grid *g)
{
  g_free (g->x);
  g_free (g->y);
  g_free (g->parent);
  g_free (g->child);
  g_free (g->next);
  g_free (g->weight);
  g_free (g->diag);
  g_free (g->u);
  g_free (g->b);
  g_free (g->r);
}

static void
solver_free (Solver *s)
{
  for (int i = 0; i < s->n_grids; i++)
    grid_clear (s->grids + i);
  g_free (s->x);
  g_free (s->p);
  g_free (s->q);
  g_free (s->sums);
  g_free (s);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Solver, solver_free)

static gboolean
grid_alloc (Grid *g, int n)
{
  const gsize count = (gsize) n;

  g->n = n;
  g->x = g_try_new (int, count);
  g->y = g_try_new (int, count);
  g->parent = g_try_new0 (int, count);
  g->child = g_try_malloc_n (count, sizeof *g->child);
  g->next = g_try_malloc_n (count, sizeof *g->next);
  g->weight = g_try_malloc0_n (count, sizeof *g->weight);
  g->diag = g_try_new0 (float, count);
  g->u = g_try_new0 (V4, count);
  g->b = g_try_new0 (V4, count);
  g->r = g_try_new0 (V4, count);
  return g->x && g->y && g->parent && g->child && g->next && g->weight && g->diag && g->u && g->b && g->r;
}

/* Aggregates 2×2 cells of @fine into @coarse: A_c = Pᵀ A P / OVERCORRECTION. */
static gboolean
grid_coarsen (Grid *fine, Grid *coarse)
{
  int width = 0, height = 0, n = 0, half = 0;
  g_autofree int *map = NULL;

  for (int i = 0; i < fine->n; i++)
    {
      width = MAX (width, fine->x[i] / 2 + 1);
      height = MAX (height, fine->y[i] / 2 + 1);
    }
  map = g_try_new (int, (gsize) width *(gsize) height);
  if (! map)
    return FALSE;
  memset (map, 0xff, sizeof (int) * (gsize) width * (gsize) height);
  for (int i = 0; i < fine->n; i++)
    map[(gsize) (fine->y[i] / 2) * (gsize) width + (gsize) (fine->x[i] / 2)] = 0;
  for (int odd = 0; odd < 2; odd++)
    {
      half = n;
      for (int y = 0; y < height; y++)
        for (int x = (y + odd) % 2; x < width; x += 2)
          if (map[(gsize) y * (gsize) width + (gsize) x] >= 0)
            map[(gsize) y * (gsize) width + (gsize) x] = n++;
    }
  for (int i = 0; i < fine->n; i++)
    fine->parent[i] = map[(gsize) (fine->y[i] / 2) * (gsize) width + (gsize) (fine->x[i] / 2)];
  if (! grid_alloc (coarse, n))
    return FALSE;
  coarse->half = half;
  memset (coarse->next, 0xff, sizeof *coarse->next * (gsize) n);
  memset (coarse->child, 0xff, sizeof *coarse->child * (gsize) n);
  for (int i = 0; i < fine->n; i++)
    {
      const int a = fine->parent[i];

      coarse->x[a] = fine->x[i] / 2;
      coarse->y[a] = fine->y[i] / 2;
      coarse->child[a][fine->y[i] % 2 * 2 + fine->x[i] % 2] = i;
      coarse->diag[a] += fine->diag[i];
      for (int d = 0; d < 4; d++)
        {
          const int j = fine->next[i][d];

          if (! (fine->weight[i][d] > 0))
            continue;
          if (fine->parent[j] == a)
            {
              coarse->diag[a] -= fine->weight[i][d];
              continue;
            }
          coarse->next[a][d] = fine->parent[j];
          coarse->weight[a][d] += fine->weight[i][d];
        }
    }
  for (int i = 0; i < n; i++)
    {
      coarse->diag[i] = MAX (coarse->diag[i], ANCHOR) / OVERCORRECTION;
      for (int d = 0; d < 4; d++)
        {
          coarse->weight[i][d] /= OVERCORRECTION;
          if (coarse->next[i][d] < 0)
            coarse->next[i][d] = i; /* weight 0: spares the loops a test */
        }
    }
  return TRUE;
}

static gboolean
no_memory (int n, GError **error)
{
  g_set_error (
      error, SUMI_ERROR, SUMI_ERROR_MEMORY,
      "no memory to continue the surroundings into %d pixels; close other programs, or fill a smaller part at a time",
      n);
  return FALSE;
}

static inline V4
load (const float *u, gsize at)
{
  V4 v;

  memcpy (&v, u + 4 * at, sizeof v);
  return v;
}

/* The cell beside (x, y) in direction @d. Returns: FALSE when there is none that takes part. */
static inline gboolean
beside (const guint8 *kind, int width, int height, int x, int y, int d, gsize *to)
{
  static const int dx[4] = { 1, 0, -1, 0 }, dy[4] = { 0, 1, 0, -1 };
  const int nx = x + dx[d], ny = y + dy[d];

  if (nx < 0 || ny < 0 || nx >= width || ny >= height)
    return FALSE;
  *to = (gsize) ny * (gsize) width + (gsize) nx;
  return kind[*to] != SUMI_MEMBRANE_VOID;
}

/* The finest operator. @mean: of the known cells at the border, once per contact. */
static void
connect (Grid *g, const float *u, const guint8 *kind, const int *index, int width, int height, V4 *mean)
{
  double sum[4] = { 0 }, contacts = 0;
  gsize to;

  for (int i = 0; i < g->n; i++)
    for (int d = 0; d < 4; d++)
      {
        g->next[i][d] = i; /* weight 0: spares the loops a test */
        if (! beside (kind, width, height, g->x[i], g->y[i], d, &to))
          continue;
        g->diag[i] += 1;
        if (index[to] >= 0)
          {
            g->next[i][d] = index[to];
            g->weight[i][d] = 1;
            continue;
          }
        for (int c = 0; c < 4; c++)
          sum[c] += (double) u[4 * to + (gsize) c];
        contacts += 1;
      }
  for (int c = 0; c < 4; c++)
    (*mean)[c] = contacts > 0 ? (float) (sum[c] / contacts) : 0;
}

gboolean
sumi_membrane_fill (float *u,
                    const guint8 *kind,
                    int width,
                    int height,
                    double tolerance,
                    SumiPool *pool,
                    GError **error)
{
  const gsize cells = (gsize) width * (gsize) height;
  g_autoptr (Solver) s = g_new0 (Solver, 1);
  g_autofree int *index = g_try_new (int, cells);
  V4 mean = { 0 };
  Grid *g = s->grids;
  gsize to;
  int n = 0, half = 0;

  if (! index)
    return no_memory (0, error);
  for (int odd = 0; odd < 2; odd++)
    {
      half = n;
      for (int y = 0; y < height; y++)
        for (gsize i = (gsize) y * (gsize) width + (gsize) ((y + odd) % 2); i < (gsize) (y + 1) * (gsize) width; i += 2)
          index[i] = kind[i] == SUMI_MEMBRANE_UNKNOWN ? n++ : -1;
    }
  if (n == 0)
    return TRUE;

  s->n_grids = 1;
  s->pool = pool;
  s->x = g_try_new (V4, (gsize) n);
  s->sums = g_try_new0 (D4, (gsize) (n / MEMBRANE_PIECE + 1));
  s->p = g_try_new (V4, (gsize) n);
  s->q = g_try_new (V4, (gsize) n);
  if (! grid_alloc (g, n) || ! s->x || ! s->sums || ! s->p || ! s->q)
    return no_memory (n, error);
  g->half = half;
  for (gsize i = 0; i < cells; i++)
    if (index[i] >= 0)
      {
        g->x[index[i]] = (int) (i % (gsize) width);
        g->y[index[i]] = (int) (i / (gsize) width);
      }
  connect (g, u, kind, index, width, height, &mean);

  /* started from the mean: r is what is left of the right-hand side; the anchor pulls to the mean too */
  for (int i = 0; i < n; i++)
    {
      s->x[i] = mean;
      g->diag[i] += ANCHOR;
      for (int d = 0; d < 4; d++)
        if (beside (kind, width, height, g->x[i], g->y[i], d, &to) && index[to] < 0)
          g->r[i] += load (u, to) - mean;
    }
  while (s->n_grids < MEMBRANE_GRIDS && s->grids[s->n_grids - 1].n > 24)
    {
      Grid *last = s->grids + s->n_grids - 1;

      s->n_grids++;
      if (! grid_coarsen (last, last + 1))
        return no_memory (n, error);
      if (last[1].n == last->n && last->n < 4096) /* scattered cells: nothing left to merge nearby */
        break;
    }
  membrane_solve (s, tolerance);
  for (gsize i = 0; i < cells; i++)
    if (index[i] >= 0)
      memcpy (u + 4 * i, s->x + index[i], sizeof (V4));
  return TRUE;
}
