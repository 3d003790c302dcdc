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

typedef struct
{
  const SumiImage *map;
  int width, height;
  const SumiRect *rect;
  const float *luminance;
  int stride;
  float *chroma;
  float range[TABLE + 1]; /* by |difference| in [0, 1] */
} Guided;

static void
space_weights (double at, int cell, float weights[2 * REACH + 1])
{
  for (int k = -REACH; k <= REACH; k++)
    {
      const double d = (cell + k - at) / SIGMA_SPACE;
      weights[k + REACH] = (float) exp (-0.5 * d * d);
    }
}

static void
guided_row (gpointer data, int index, int thread)
{
  const Guided *g = data;
  const int w = g->map->width, h = g->map->height;
  const double at_y = (g->rect->y + index + 0.5) * h / g->height - 0.5;
  const int cell_y = (int) floor (at_y + 0.5);
  const float *y = g->luminance + (gsize) index * (gsize) g->rect->width * (gsize) g->stride;
  float *out = g->chroma + (gsize) index * (gsize) g->rect->width * 2;
  float down[2 * REACH + 1], across[2 * REACH + 1];

  space_weights (at_y, cell_y, down);
  for (int x = 0; x < g->rect->width; x++, y += g->stride, out += 2)
    {
      const double at_x = (g->rect->x + x + 0.5) * w / g->width - 0.5;
      const int cell_x = (int) floor (at_x + 0.5);
      const float *near = sumi_image_at (g->map, CLAMP (cell_x, 0, w - 1), CLAMP (cell_y, 0, h - 1));
      float sum = 0, a = 0, b = 0;

      if (w == g->width && h == g->height)
        {
          out[0] = near[1], out[1] = near[2];
          continue;
        }
      space_weights (at_x, cell_x, across);
      for (int j = -REACH; j <= REACH; j++)
        for (int i = -REACH; i <= REACH; i++)
          {
            const float *p = sumi_image_at (g->map, CLAMP (cell_x + i, 0, w - 1), CLAMP (cell_y + j, 0, h - 1));
            const float d = MIN (fabsf (p[0] - *y), 1) * TABLE;
            const float weight = down[j + REACH] * across[i + REACH] * g->range[(int) d];

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
  Guided g = { map, width, height, rect, luminance, stride, chroma };

  for (int i = 0; i <= TABLE; i++)
    {
      const double d = (double) i / TABLE / SIGMA_RANGE;
      g.range[i] = (float) (exp (-0.5 * d * d) + LEAST);
    }
  sumi_parallel_for (pool, rect->height, guided_row, &g);
}
