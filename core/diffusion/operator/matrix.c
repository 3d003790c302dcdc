/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small matrices of separable operators. Eigenvectors by cyclic Jacobi rotations (Golub and Van Loan, section 8.5):
 * some 8·n³·10 operations, which is what bounds the sides. */
#include <math.h>
#include <string.h>

#include "core/diffusion/operator/separable.h"

#define SWEEPS 30

SumiMatrix *
sumi_matrix_new (int rows, int columns, int taps)
{
  SumiMatrix *self = g_new (SumiMatrix, 1);
  const gsize n = (gsize) rows * (gsize) taps;

  *self = (SumiMatrix){ rows, columns, g_new (int, rows + 1), g_new0 (int, n + 1), g_new0 (double, n + 1) };
  for (int i = 0; i <= rows; i++)
    self->start[i] = i * taps;
  return self;
}

SumiMatrix *
sumi_matrix_transpose (const SumiMatrix *self)
{
  const int n = self->start[self->rows];
  SumiMatrix *t = sumi_matrix_new (self->columns, self->rows, 0);
  g_autofree int *fill = g_new0 (int, self->columns + 1);

  t->column = g_renew (int, t->column, n + 1);
  t->weight = g_renew (double, t->weight, n + 1);
  for (int k = 0; k < n; k++)
    fill[self->column[k] + 1]++;
  for (int i = 0; i < self->columns; i++)
    fill[i + 1] += fill[i];
  memcpy (t->start, fill, sizeof *fill * (gsize) (self->columns + 1));
  for (int i = 0; i < self->rows; i++)
    for (int k = self->start[i]; k < self->start[i + 1]; k++)
      {
        const int to = fill[self->column[k]]++;

        t->column[to] = i;
        t->weight[to] = self->weight[k];
      }
  return t;
}

void
sumi_matrix_free (SumiMatrix *self)
{
  if (! self)
    return;
  g_free (self->start);
  g_free (self->column);
  g_free (self->weight);
  g_free (self);
}

/* M·Mᵀ, dense. */
static double *
gram (const SumiMatrix *m)
{
  const int n = m->rows;
  double *g = g_new (double, (gsize) n *(gsize) n);
  g_autofree double *row = g_new0 (double, m->columns);

  for (int i = 0; i < n; i++)
    {
      for (int k = m->start[i]; k < m->start[i + 1]; k++)
        row[m->column[k]] += m->weight[k];
      for (int l = 0; l < n; l++)
        {
          double sum = 0;

          for (int k = m->start[l]; k < m->start[l + 1]; k++)
            sum += row[m->column[k]] * m->weight[k];
          g[i * n + l] = sum;
        }
      for (int k = m->start[i]; k < m->start[i + 1]; k++)
        row[m->column[k]] = 0;
    }
  return g;
}

/* Turns rows a and b of an n-column matrix by the angle of cosine @c and sine @s. */
static void
turn_rows (double *a, double *b, int n, double c, double s)
{
  for (int k = 0; k < n; k++)
    {
      const double p = a[k], q = b[k];

      a[k] = c * p - s * q;
      b[k] = s * p + c * q;
    }
}

/* One rotation that makes g[p][q] 0; v's rows turn with it. g is kept symmetric. */
static void
rotate (double *g, double *v, int n, int p, int q)
{
  const double theta = (g[q * n + q] - g[p * n + p]) / (2 * g[p * n + q]);
  const double t = (theta >= 0 ? 1 : -1) / (fabs (theta) + sqrt (theta * theta + 1));
  const double c = 1 / sqrt (t * t + 1), s = t * c;
  const double pp = g[p * n + p] - t * g[p * n + q], qq = g[q * n + q] + t * g[p * n + q];

  turn_rows (g + p * n, g + q * n, n, c, s);
  for (int k = 0; k < n; k++)
    {
      g[k * n + p] = g[p * n + k];
      g[k * n + q] = g[q * n + k];
    }
  g[p * n + p] = pp;
  g[q * n + q] = qq;
  g[p * n + q] = g[q * n + p] = 0;
  turn_rows (v + p * n, v + q * n, n, c, s);
}

SumiMatrix *
sumi_matrix_eigen (const SumiMatrix *self, double **values)
{
  const int n = self->rows;
  g_autofree double *g = gram (self);
  SumiMatrix *v = sumi_matrix_new (n, n, n);
  double all = 0, off = 1;

  for (int i = 0; i < n * n; i++)
    {
      v->column[i] = i % n;
      v->weight[i] = i / n == i % n;
      all += g[i] * g[i];
    }
  for (int sweep = 0; sweep < SWEEPS && off > 1e-30 * all; sweep++)
    {
      off = 0;
      for (int p = 0; p < n; p++)
        for (int q = p + 1; q < n; q++)
          {
            off += 2 * g[p * n + q] * g[p * n + q];
            if (g[p * n + q] * g[p * n + q] > 1e-36 * all)
              rotate (g, v->weight, n, p, q);
          }
    }
  *values = g_new (double, n);
  for (int i = 0; i < n; i++)
    (*values)[i] = MAX (g[i * n + i], 0);
  return v;
}
