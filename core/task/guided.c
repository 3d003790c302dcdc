/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pixel's chroma is the mean of the small picture's around it, weighted by nearness and by likeness of luminance.
 * A cell across an edge has a mixed luminance and so counts little on both sides. Every pixel depends on its own
 * luminance and the small picture only: pieces come out as the whole. */
#include "core/task/guided.h"

#include <math.h>
#include <string.h>

#include "core/base/image.h"
#include "core/base/parallel.h"

#define REACH       2    /* cells around the nearest one */
#define SIGMA_SPACE 1.0  /* cells */
#define SIGMA_RANGE 0.06 /* luminance */
#define LEAST       1e-4 /* where nothing is alike, nearness decides */
#define TABLE       1024

#define TAPS (2 * REACH + 1)

/* What a column of the photo sees: the same in every row. */
typedef struct
{
  int cell[TAPS]; /* offset in a row of the map */
  float weight[TAPS];
} Column;

typedef struct
{
  const SumiImage *map;
  int width, height;
  const SumiRect *rect;
  const float *luminance;
  int stride;
  float *chroma;
  const Column *columns;  /* [rect.width] */
  float range[TABLE + 1]; /* by |difference| in [0, 1] */
} Guided;

/* Cells around @at, in cells, and their weights. */
static void
find_taps (double at, int n_cells, int cells[TAPS], float weights[TAPS])
{
  const int cell = (int) floor (at + 0.5);

  for (int k = 0; k < TAPS; k++)
    {
      const double d = (cell + k - REACH - at) / SIGMA_SPACE;

      cells[k] = CLAMP (cell + k - REACH, 0, n_cells - 1);
      weights[k] = (float) exp (-0.5 * d * d);
    }
}

static void
guided_row (gpointer data, int index, int thread)
{
  const Guided *g = data;
  const int n = g->rect->width;
  const float *y = g->luminance + (gsize) index * (gsize) n * (gsize) g->stride;
  const float *rows[TAPS];
  float *out = g->chroma + (gsize) index * (gsize) n * 2, down[TAPS];
  int cells[TAPS];

  find_taps ((g->rect->y + index + 0.5) * g->map->height / g->height - 0.5, g->map->height, cells, down);
  for (int j = 0; j < TAPS; j++)
    rows[j] = sumi_image_at (g->map, 0, cells[j]);
  if (g->map->width == g->width && g->map->height == g->height)
    {
      for (int x = 0; x < n; x++, out += 2)
        memcpy (out, rows[REACH] + g->columns[x].cell[REACH] + 1, 2 * sizeof (float));
      return;
    }
  for (int x = 0; x < n; x++, y += g->stride, out += 2)
    {
      const Column *column = g->columns + x;
      float sum = 0, a = 0, b = 0;

      for (int j = 0; j < TAPS; j++)
        for (int i = 0; i < TAPS; i++)
          {
            const float *p = rows[j] + column->cell[i];
            const float d = MIN (fabsf (p[0] - *y), 1) * TABLE;
            const float weight = down[j] * column->weight[i] * g->range[(int) d];

            sum += weight;
            a += weight * p[1];
            b += weight * p[2];
          }
      out[0] = a / sum, out[1] = b / sum;
    }
}

void
sumi_guided_chroma (SumiPool *pool,
                    const SumiImage *map,
                    int width,
                    int height,
                    const SumiRect *rect,
                    const float *luminance,
                    int stride,
                    float *chroma)
{
  g_autofree Column *columns = g_new (Column, rect->width);
  Guided g = { map, width, height, rect, luminance, stride, chroma, columns };

  for (int x = 0; x < rect->width; x++)
    {
      Column *column = columns + x;

      find_taps ((rect->x + x + 0.5) * map->width / width - 0.5, map->width, column->cell, column->weight);
      for (int k = 0; k < TAPS; k++)
        column->cell[k] *= map->channels;
    }
  for (int i = 0; i <= TABLE; i++)
    {
      const double d = (double) i / TABLE / SIGMA_RANGE;
      g.range[i] = (float) (exp (-0.5 * d * d) + LEAST);
    }
  sumi_parallel_for (pool, rect->height, guided_row, &g);
}
