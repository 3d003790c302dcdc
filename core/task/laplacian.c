/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Levels: nodes are paired along their strongest edge, twice, so an aggregate has up to four nodes that are tightly
 * bound; the coarse graph's weights are sums (Galerkin with piecewise constant interpolation). A W-cycle with one
 * forward and one backward Gauss-Seidel sweep is symmetric and positive, as conjugate gradients need. Unsmoothed
 * aggregates correct too timidly, hence OVERCORRECT (Braess 1995). */
#include "core/task/laplacian.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"

#define MAX_LEVELS  24
#define DIRECT      96 /* nodes that are solved by Cholesky */
#define OVERCORRECT 1.4

typedef struct
{
  int n;
  int *start, *to;
  double *weight;
  double *diagonal; /* D */
  double *total;    /* D + sum of weights: the matrix's diagonal */
  int *parent;      /* aggregate of each node on the next level; NULL on the last */
} Level;

struct SumiLaplacian
{
  Level levels[MAX_LEVELS];
  int n_levels;
  double *factor; /* Cholesky factor of the last level, or NULL if that is large */
  gsize scratch;  /* doubles that a cycle takes */
};

static void
level_clear (Level *l)
{
  g_free (l->start);
  g_free (l->to);
  g_free (l->weight);
  g_free (l->diagonal);
  g_free (l->total);
  g_free (l->parent);
}

void
sumi_laplacian_free (SumiLaplacian *laplacian)
{
  if (! laplacian)
    return;
  for (int i = 0; i < laplacian->n_levels; i++)
    level_clear (&laplacian->levels[i]);
  g_free (laplacian->factor);
  g_free (laplacian);
}

static gboolean
level_allocate (Level *l, int n, int n_edges)
{
  l->n = n;
  l->start = g_try_new (int, (gsize) n + 1);
  l->to = g_try_new (int, MAX ((gsize) n_edges, 1));
  l->weight = g_try_new (double, MAX ((gsize) n_edges, 1));
  l->diagonal = g_try_new0 (double, (gsize) n);
  l->total = g_try_new (double, (gsize) n);
  return l->start && l->to && l->weight && l->diagonal && l->total;
}

static void
level_sum (Level *l)
{
  for (int i = 0; i < l->n; i++)
    {
      l->total[i] = l->diagonal[i];
      for (int e = l->start[i]; e < l->start[i + 1]; e++)
        l->total[i] += l->weight[e];
    }
}

/* Pairs each node with its strongest free neighbour; a node without one stays alone, or joins its strongest
 * neighbour's pair when that is much stronger than what holds it in place. Returns: aggregates. */
static int
pair_nodes (const Level *l, int *parent)
{
  int n = 0;

  for (int i = 0; i < l->n; i++)
    parent[i] = -1;
  for (int i = 0; i < l->n; i++)
    {
      int best = -1, taken = -1;
      double strongest = 0, of_taken = 0;

      if (parent[i] >= 0)
        continue;
      for (int e = l->start[i]; e < l->start[i + 1]; e++)
        if (parent[l->to[e]] < 0 && l->weight[e] > strongest)
          strongest = l->weight[e], best = l->to[e];
        else if (parent[l->to[e]] >= 0 && l->weight[e] > of_taken)
          of_taken = l->weight[e], taken = l->to[e];
      if (best >= 0 && strongest >= 0.25 * of_taken)
        parent[i] = parent[best] = n++;
      else if (taken >= 0 && of_taken > 0.1 * l->total[i])
        parent[i] = parent[taken];
      else
        parent[i] = n++;
    }
  return n;
}

/* The graph of aggregates. */
static gboolean
coarsen (const Level *fine, const int *parent, int n, Level *coarse)
{
  g_autofree int *first = g_try_new (int, (gsize) n + 1), *member = g_try_new (int, (gsize) fine->n);
  g_autofree int *slot = g_try_new (int, (gsize) n);
  int used = 0;

  if (! first || ! member || ! slot || ! level_allocate (coarse, n, fine->start[fine->n]))
    return FALSE;

  memset (first, 0, ((gsize) n + 1) * sizeof *first);
  for (int i = 0; i < fine->n; i++)
    first[parent[i] + 1]++;
  for (int i = 0; i < n; i++)
    first[i + 1] += first[i], slot[i] = first[i];
  for (int i = 0; i < fine->n; i++)
    member[slot[parent[i]]++] = i;

  for (int i = 0; i < n; i++)
    slot[i] = -1;
  for (int i = 0; i < n; i++)
    {
      coarse->start[i] = used;
      for (int m = first[i]; m < first[i + 1]; m++)
        {
          const int node = member[m];

          coarse->diagonal[i] += fine->diagonal[node];
          for (int e = fine->start[node]; e < fine->start[node + 1]; e++)
            {
              const int other = parent[fine->to[e]];

              if (other == i)
                continue;
              if (slot[other] < coarse->start[i])
                {
                  slot[other] = used;
                  coarse->to[used] = other;
                  coarse->weight[used++] = 0;
                }
              coarse->weight[slot[other]] += fine->weight[e];
            }
        }
    }
  coarse->start[n] = used;
  level_sum (coarse);
  return TRUE;
}

/* Adds the next level. Returns: FALSE without memory; @done when coarsening no longer pays. */
static gboolean
add_level (SumiLaplacian *self, gboolean *done)
{
  Level *fine = &self->levels[self->n_levels - 1], half = { 0 }, *coarse = fine + 1;
  g_autofree int *second = NULL;
  int n;
  gboolean ok;

  fine->parent = g_try_new (int, (gsize) fine->n);
  if (! fine->parent)
    return FALSE;
  n = pair_nodes (fine, fine->parent);
  second = g_try_new (int, (gsize) n);
  ok = second && coarsen (fine, fine->parent, n, &half);
  if (ok)
    {
      n = pair_nodes (&half, second);
      for (int i = 0; i < fine->n; i++)
        fine->parent[i] = second[fine->parent[i]];
      *done = n > 0.7 * fine->n;
      ok = *done || coarsen (&half, second, n, coarse);
      if (*done)
        g_clear_pointer (&fine->parent, g_free);
      else
        self->n_levels++; /* counted even when broken, so that it is freed */
    }
  level_clear (&half);
  return ok;
}

static gboolean
factorise (SumiLaplacian *self)
{
  const Level *l = &self->levels[self->n_levels - 1];
  const int n = l->n;
  double *a;

  if (n > DIRECT)
    return TRUE;
  a = self->factor = g_try_new0 (double, (gsize) n *(gsize) n);
  if (! a)
    return FALSE;
  for (int i = 0; i < n; i++)
    {
      a[i * n + i] = l->total[i] * (1 + 1e-12);
      for (int e = l->start[i]; e < l->start[i + 1]; e++)
        a[i * n + l->to[e]] = -l->weight[e];
    }
  for (int j = 0; j < n; j++)
    {
      for (int k = 0; k < j; k++)
        for (int i = j; i < n; i++)
          a[i * n + j] -= a[i * n + k] * a[j * n + k];
      a[j * n + j] = sqrt (MAX (a[j * n + j], 1e-14 * l->total[j]));
      for (int i = j + 1; i < n; i++)
        a[i * n + j] /= a[j * n + j];
    }
  return TRUE;
}

SumiLaplacian *
sumi_laplacian_new (int n,
                    const int *start,
                    const int *to,
                    const double *weight,
                    const double *diagonal,
                    GError **error)
{
  g_autoptr (SumiLaplacian) self = g_new0 (SumiLaplacian, 1);
  Level *l = self->levels;
  gboolean done = FALSE, ok;

  self->n_levels = 1;
  ok = level_allocate (l, n, start[n]);
  if (ok)
    {
      memcpy (l->start, start, ((gsize) n + 1) * sizeof *start);
      memcpy (l->to, to, (gsize) start[n] * sizeof *to);
      memcpy (l->weight, weight, (gsize) start[n] * sizeof *weight);
      memcpy (l->diagonal, diagonal, (gsize) n * sizeof *diagonal);
      level_sum (l);
    }
  while (ok && ! done && self->n_levels < MAX_LEVELS && self->levels[self->n_levels - 1].n > DIRECT)
    ok = add_level (self, &done);
  if (! ok || ! factorise (self))
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory for a system of %d unknowns", n);
      return NULL;
    }
  for (int i = 0; i < self->n_levels; i++)
    self->scratch += 3 * (gsize) self->levels[i].n;
  return g_steal_pointer (&self);
}

static void
multiply (const Level *l, const double *u, double *out)
{
  for (int i = 0; i < l->n; i++)
    {
      double sum = l->total[i] * u[i];

      for (int e = l->start[i]; e < l->start[i + 1]; e++)
        sum -= l->weight[e] * u[l->to[e]];
      out[i] = sum;
    }
}

static void
sweep (const Level *l, const double *b, double *u, gboolean backward)
{
  for (int k = 0; k < l->n; k++)
    {
      const int i = backward ? l->n - 1 - k : k;
      double sum = b[i];

      for (int e = l->start[i]; e < l->start[i + 1]; e++)
        sum += l->weight[e] * u[l->to[e]];
      u[i] = sum / l->total[i];
    }
}

static void
solve_last (const SumiLaplacian *self, const double *b, double *u)
{
  const Level *l = &self->levels[self->n_levels - 1];
  const int n = l->n;
  const double *a = self->factor;

  if (! a)
    {
      memset (u, 0, (gsize) n * sizeof *u);
      for (int k = 0; k < 8; k++)
        sweep (l, b, u, FALSE);
      for (int k = 0; k < 8; k++)
        sweep (l, b, u, TRUE);
      return;
    }
  for (int i = 0; i < n; i++)
    {
      u[i] = b[i];
      for (int k = 0; k < i; k++)
        u[i] -= a[i * n + k] * u[k];
      u[i] /= a[i * n + i];
    }
  for (int i = n - 1; i >= 0; i--)
    {
      for (int k = i + 1; k < n; k++)
        u[i] -= a[k * n + i] * u[k];
      u[i] /= a[i * n + i];
    }
}

/* u ← about A⁻¹ b, from 0. @scratch: three vectors for this level and each below. */
static void
cycle (const SumiLaplacian *self, int level, const double *b, double *u, double *scratch)
{
  const Level *l = &self->levels[level];
  const gsize n = (gsize) l->n;
  double *rest = scratch;
  const int turns = level == 0 ? 1 : 2; /* a W below the finest level, where a turn is dear */

  if (level == self->n_levels - 1)
    {
      solve_last (self, b, u);
      return;
    }
  memset (u, 0, n * sizeof *u);
  sweep (l, b, u, FALSE);

  const gsize nc = (gsize) l[1].n;
  double *coarse_b = scratch + n, *coarse_u = coarse_b + nc, *below = scratch + 3 * n;
  for (int turn = 0; turn < turns; turn++)
    {
      multiply (l, u, rest);
      memset (coarse_b, 0, nc * sizeof *coarse_b);
      for (gsize i = 0; i < n; i++)
        coarse_b[l->parent[i]] += b[i] - rest[i];
      cycle (self, level + 1, coarse_b, coarse_u, below);
      for (gsize i = 0; i < n; i++)
        u[i] += OVERCORRECT * coarse_u[l->parent[i]];
      if (turn + 1 < turns)
        {
          sweep (l, b, u, TRUE);
          sweep (l, b, u, FALSE);
        }
    }
  sweep (l, b, u, TRUE);
}

static double
dot (const double *a, const double *b, int n)
{
  double sum = 0;

  for (int i = 0; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

int
sumi_laplacian_solve (const SumiLaplacian *self,
                      const double *b,
                      double *u,
                      double tolerance,
                      int most,
                      GCancellable *cancellable)
{
  const Level *l = self->levels;
  const int n = l->n;
  g_autofree double *all = g_try_new (double, 4 * (gsize) n + self->scratch);
  double *r = all, *z = all + n, *p = all + 2 * (gsize) n, *ap = all + 3 * (gsize) n, *scratch = all + 4 * (gsize) n;
  double rz, first;
  int step = 0;

  if (! all)
    return 0;
  multiply (l, u, ap);
  for (int i = 0; i < n; i++)
    r[i] = b[i] - ap[i];
  cycle (self, 0, r, z, scratch);
  memcpy (p, z, (gsize) n * sizeof *p);
  rz = first = dot (r, z, n);
  while (step < most && rz > first * tolerance * tolerance && rz > 1e-300 && ! g_cancellable_is_cancelled (cancellable))
    {
      multiply (l, p, ap);
      const double alpha = rz / dot (p, ap, n);
      for (int i = 0; i < n; i++)
        u[i] += alpha * p[i], r[i] -= alpha * ap[i];
      cycle (self, 0, r, z, scratch);
      const double next = dot (r, z, n), beta = next / rz;
      rz = next;
      for (int i = 0; i < n; i++)
        p[i] = z[i] + beta * p[i];
      step++;
    }
  return step;
}
