/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pixel's chroma is the mean of the small picture's around it, weighted by nearness and by likeness of luminance.
 * A cell across an edge has a mixed luminance and so counts little on both sides. Every pixel depends on its own
 * luminance and the small picture only: pieces come out as the whole.
 *
 * Rows of the photo that see the same rows of the small picture are done together, some columns at a time: first the
 * cells that each column sees are laid out side by side, then the columns run through the vector units. */
#include "core/task/guided.h"

#include <math.h>
#include <string.h>

#include "core/base/clones.h"
#include "core/base/image.h"
#include "core/base/parallel.h"

#define REACH       2    /* cells around the nearest one */
#define SIGMA_SPACE 1.0  /* cells */
#define SIGMA_RANGE 0.06 /* luminance */
#define LEAST       1e-4 /* where nothing is alike, nearness decides */

#define TAPS    (2 * REACH + 1)
#define CELLS   (TAPS * TAPS)
/* columns at a time: what they see fits the first-level cache */
#define COLUMNS 96

/* What a column of the photo sees, the same in every row, or a row. */
typedef struct
{
  int cell[TAPS]; /* offset in a row of the map; row */
  float weight[TAPS];
} Line;

typedef struct
{
  const SumiImage *map;
  int width, height;
  const SumiRect *rect;
  const float *luminance;
  int stride;
  float *chroma;
  const Line *columns, *rows; /* [rect.width], [rect.height] */
} Guided;

/* What COLUMNS columns see in rows of the same cells: luminance, chroma and weight by nearness along the row. */
typedef struct
{
  float y[CELLS][COLUMNS], a[CELLS][COLUMNS], b[CELLS][COLUMNS];
  float weight[TAPS][COLUMNS];
} Seen;

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

#define LANES 16
typedef float Lanes __attribute__ ((vector_size (LANES * sizeof (float)), aligned (sizeof (float)), may_alias));
typedef gint32 Ints __attribute__ ((vector_size (LANES * sizeof (gint32)), aligned (sizeof (gint32)), may_alias));

/* A row of COLUMNS pixels. @down: weights of the rows of cells. Likeness is e^(−d²/2σ²) = 2^t to 4e-6: 2^n·p(t − n),
 * where t + 3·2^22 has n in its last bits; t is kept above −126, as an integer: the compiler would make branches. */
SUMI_CLONES static void
mix_columns (const Seen *seen, const float *down, const float *luminance, float *a, float *b)
{
  const float scale = (float) (-0.5 / G_LN2 / (SIGMA_RANGE * SIGMA_RANGE));
  const float lowest = -126;
  gint32 limit;

  memcpy (&limit, &lowest, sizeof limit);
  for (int x = 0; x < COLUMNS; x += LANES)
    {
      const Lanes y = *(const Lanes *) (luminance + x);
      Lanes sum = { 0 }, sum_a = { 0 }, sum_b = { 0 };

      for (int k = 0; k < CELLS; k++)
        {
          const Lanes d = *(const Lanes *) (seen->y[k] + x) - y, t = d * d * scale;
          const Ints bits = (Ints) t, low = (bits & 0x7fffffff) > (limit & 0x7fffffff);
          const Lanes near = (Lanes) ((bits & ~low) | (limit & low)), shifted = near + 12582912.0f;
          const Lanes r = near - (shifted - 12582912.0f);
          const Lanes p =
              0.9999992847f + r * (0.6931217909f + r * (0.2402474433f + r * (0.0559178628f + r * 0.009570102207f)));
          const Lanes like = (Lanes) ((Ints) p + ((Ints) shifted << 23));
          const Lanes weight = down[k / TAPS] * *(const Lanes *) (seen->weight[k % TAPS] + x) * (like + (float) LEAST);

          sum += weight;
          sum_a += weight * *(const Lanes *) (seen->a[k] + x);
          sum_b += weight * *(const Lanes *) (seen->b[k] + x);
        }
      *(Lanes *) (a + x) = sum_a / sum;
      *(Lanes *) (b + x) = sum_b / sum;
    }
}

/* Lays out what @n columns from @first on see in a row. */
static void
look (const Guided *g, const Line *row, int first, int n, Seen *seen)
{
  for (int j = 0; j < TAPS; j++)
    for (int x = 0; x < n; x++)
      {
        const Line *column = g->columns + first + x;

        for (int i = 0; i < TAPS; i++)
          {
            const float *p = sumi_image_at (g->map, 0, row->cell[j]) + column->cell[i];

            seen->y[TAPS * j + i][x] = p[0];
            seen->a[TAPS * j + i][x] = p[1];
            seen->b[TAPS * j + i][x] = p[2];
          }
      }
}

/* The map is as large as the photo. */
static void
copy_columns (const Guided *g, int first, int n)
{
  for (int y = 0; y < g->rect->height; y++)
    {
      const float *row = sumi_image_at (g->map, 0, g->rows[y].cell[REACH]);
      float *out = g->chroma + 2 * ((gsize) y * (gsize) g->rect->width + (gsize) first);

      for (int x = 0; x < n; x++, out += 2)
        memcpy (out, row + g->columns[first + x].cell[REACH] + 1, 2 * sizeof (float));
    }
}

/* Some columns of all rows. */
static void
guided_piece (gpointer data, int index, int thread)
{
  const Guided *g = data;
  const int first = index * COLUMNS, n = MIN (COLUMNS, g->rect->width - first);
  Seen seen = { 0 };
  float luminance[COLUMNS] = { 0 }, a[COLUMNS], b[COLUMNS];

  if (g->map->width == g->width && g->map->height == g->height)
    {
      copy_columns (g, first, n);
      return;
    }
  for (int x = 0; x < COLUMNS; x++)
    for (int i = 0; i < TAPS; i++)
      seen.weight[i][x] = x < n ? g->columns[first + x].weight[i] : 1;
  for (int y = 0; y < g->rect->height; y++)
    {
      const gsize at = (gsize) y * (gsize) g->rect->width + (gsize) first;
      const Line *row = g->rows + y;
      float *out = g->chroma + 2 * at;

      if (y == 0 || memcmp (row[-1].cell, row->cell, sizeof row->cell))
        look (g, row, first, n, &seen);
      for (int x = 0; x < n; x++)
        luminance[x] = g->luminance[(at + (gsize) x) * (gsize) g->stride];
      mix_columns (&seen, row->weight, luminance, a, b);
      for (int x = 0; x < n; x++, out += 2)
        {
          out[0] = a[x];
          out[1] = b[x];
        }
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
  g_autofree Line *columns = g_new (Line, rect->width), *rows = g_new (Line, rect->height);
  Guided g = { map, width, height, rect, luminance, stride, chroma, columns, rows };

  for (int x = 0; x < rect->width; x++)
    {
      Line *column = columns + x;

      find_taps ((rect->x + x + 0.5) * map->width / width - 0.5, map->width, column->cell, column->weight);
      for (int k = 0; k < TAPS; k++)
        column->cell[k] *= map->channels;
    }
  for (int y = 0; y < rect->height; y++)
    find_taps ((rect->y + y + 0.5) * map->height / height - 0.5, map->height, rows[y].cell, rows[y].weight);
  sumi_parallel_for (pool, (rect->width + COLUMNS - 1) / COLUMNS, guided_piece, &g);
}
