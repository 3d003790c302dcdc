/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Departures from Levin et al.: the energy is Σ w (U_r − U_s)² instead of Σ (U_r − Σ w U_s)², an M-matrix that
 * multigrid likes and whose solution never leaves the range of the strokes; and weights fall as a power of the
 * difference of luminance, not as a Gaussian of it over the local variance, for which every edge is as good as the
 * next. With a power the faintest border on the way decides: colour fills a flower over the borders of its petals
 * before it leaves the flower.
 *
 * The connection c solves the same system with a weak pull to 0: c falls by e over about √(2/PULL) pixels of even
 * ground, and to nearly nothing behind an edge. */
#include "core/task/propagate.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/base/parallel.h"
#include "core/task/laplacian.h"

#define LIKE       0.02 /* difference of luminance that halves a weight */
#define FAINTEST   1e-9 /* keeps every pixel connected to something */
#define HOLD       100  /* pull of a stroke on its own pixels */
#define PULL       5e-5
#define TOLERANCE  1e-4
#define MOST_STEPS 60

typedef struct
{
  int n;
  int *start, *to;
  double *weight;
} Graph;

static void
graph_clear (Graph *g)
{
  g_free (g->start);
  g_free (g->to);
  g_free (g->weight);
}

static gboolean
graph_build (Graph *g, const SumiImage *luminance, GError **error)
{
  const int w = luminance->width, h = luminance->height, n = w * h;
  int used = 0;

  g->n = n;
  g->start = g_try_new (int, (gsize) n + 1);
  g->to = g_try_new (int, 8 * (gsize) n);
  g->weight = g_try_new (double, 8 * (gsize) n);
  if (! g->start || ! g->to || ! g->weight)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory to spread colour over %d×%d pixels", w, h);
      return FALSE;
    }

  for (int i = 0; i < n; i++)
    {
      const int x = i % w, y = i / w;

      g->start[i] = used;
      for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
          {
            const int j = i + dy * w + dx;

            if ((dx == 0 && dy == 0) || x + dx < 0 || x + dx >= w || y + dy < 0 || y + dy >= h)
              continue;
            const double d = ((double) luminance->data[i] - (double) luminance->data[j]) / LIKE;
            const double near = dx && dy ? 0.5 : 1;

            g->to[used] = j;
            g->weight[used++] = near * MAX (1 / (1 + d * d * d * d * d * d), FAINTEST);
          }
    }
  g->start[n] = used;
  return TRUE;
}

typedef struct
{
  const SumiLaplacian *colour, *connection;
  const SumiImage *strokes;
  SumiImage *out;
  GCancellable *cancellable;
  gboolean failed[3];
} Solve;

static double
hold (const float *stroke)
{
  return HOLD * (double) MIN (stroke[3], 1);
}

/* @index: R − Y, B − Y, connection. */
static void
solve_one (gpointer data, int index, int thread)
{
  Solve *s = data;
  const gsize n = (gsize) s->out->width * (gsize) s->out->height;
  g_autofree double *b = g_try_new (double, n), *u = g_try_new0 (double, n);

  if (! b || ! u)
    {
      s->failed[index] = TRUE;
      return;
    }
  for (gsize i = 0; i < n; i++)
    {
      const float *stroke = s->strokes->data + 4 * i;

      b[i] = stroke[3] > 0 ? hold (stroke) * (index < 2 ? (double) (stroke[index] / stroke[3]) : 1) : 0;
    }
  sumi_laplacian_solve (index < 2 ? s->colour : s->connection, b, u, TOLERANCE, MOST_STEPS, s->cancellable);
  for (gsize i = 0; i < n; i++)
    s->out->data[3 * i + index] = (float) u[i];
}

SumiImage *
sumi_propagate (SumiPool *pool, const SumiImage *luminance, const SumiImage *strokes, SumiJob *job, GError **error)
{
  const gsize n = (gsize) luminance->width * (gsize) luminance->height;
  g_autoptr (SumiImage) out = sumi_image_new (luminance->width, luminance->height, 3, error);
  g_autoptr (SumiLaplacian) colour = NULL, connection = NULL;
  g_autofree double *diagonal = NULL;
  Graph graph = { 0 };
  gboolean any = FALSE, ok;

  if (! out)
    return NULL;
  diagonal = g_try_new0 (double, n);
  for (gsize i = 0; diagonal && i < n; i++)
    if (strokes->data[4 * i + 3] > 0)
      {
        diagonal[i] = hold (strokes->data + 4 * i);
        any = TRUE;
      }
  if (diagonal && ! any)
    return g_steal_pointer (&out);

  ok = diagonal && graph_build (&graph, luminance, error);
  if (ok)
    colour = sumi_laplacian_new (graph.n, graph.start, graph.to, graph.weight, diagonal, error);
  for (gsize i = 0; colour && i < n; i++)
    diagonal[i] += PULL;
  if (colour)
    connection = sumi_laplacian_new (graph.n, graph.start, graph.to, graph.weight, diagonal, error);
  graph_clear (&graph);
  if (! connection)
    {
      if (! diagonal)
        g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory to spread colour over %d×%d pixels",
                     luminance->width, luminance->height);
      return NULL;
    }

  Solve s = { colour, connection, strokes, out, job ? job->cancellable : NULL };
  sumi_parallel_for (pool, 3, solve_one, &s);
  if (s.failed[0] || s.failed[1] || s.failed[2])
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory to spread colour over %d×%d pixels",
                   luminance->width, luminance->height);
      return NULL;
    }
  return sumi_job_check (job, error) ? g_steal_pointer (&out) : NULL;
}
