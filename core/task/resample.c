/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cubic convolution: R. Keys, "Cubic convolution interpolation for digital image processing", 1981, eq. 15 with
 * a = −1/2, the value that reproduces second-degree polynomials and that the models' guides were made with. */
#include "core/task/resample.h"

#include <math.h>
#include <string.h>

#include "core/base/clones.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/base/parallel.h"

#define CUBIC_A (-0.5)

double
sumi_cubic (double t)
{
  t = fabs (t);
  if (t < 1)
    return ((CUBIC_A + 2) * t - (CUBIC_A + 3)) * t * t + 1;
  if (t < 2)
    return ((CUBIC_A * t - 5 * CUBIC_A) * t + 8 * CUBIC_A) * t - 4 * CUBIC_A;
  return 0;
}

static int
floor_div (int a, int b)
{
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

SumiRect
sumi_enlarge_needs (const SumiRect *out, int factor, int margin)
{
  int x0 = floor_div (out->x, factor) - margin, x1 = floor_div (out->x + out->width - 1, factor) + 1 + margin;
  int y0 = floor_div (out->y, factor) - margin, y1 = floor_div (out->y + out->height - 1, factor) + 1 + margin;

  return (SumiRect){ x0, y0, x1 - x0, y1 - y0 };
}

/* Where an output pixel is in the small pixel that covers it: its first tap from there, and the weights, which sum
 * to 1. */
typedef struct
{
  int first;
  float weights[4];
} Phase;

typedef struct
{
  const SumiImage *in;
  const SumiRect *where, *out;
  int factor, first_row;
  Phase *phases; /* [factor] */
  float *rows;   /* [needed rows of in, out.width, channels]: enlarged sideways only */
  float *result;
} Bicubic;

static void
find_phases (const Bicubic *b)
{
  for (int i = 0; i < b->factor; i++)
    {
      const double centre = (i + 0.5) / b->factor - 0.5; /* in pixels from the cell's centre, (−0.5, 0.5) */

      b->phases[i].first = centre < 0 ? -2 : -1;
      for (int k = 0; k < 4; k++)
        b->phases[i].weights[k] = (float) sumi_cubic (centre - (b->phases[i].first + k));
    }
}

/* First tap of output pixel @at, one side, and its weights. */
static int
taps_at (const Bicubic *b, int at, const float **weights)
{
  const int cell = floor_div (at, b->factor);
  const Phase *phase = b->phases + (at - cell * b->factor);

  *weights = phase->weights;
  return cell + phase->first;
}

/* @n pixels of four channels from the cell of @p on, the first of phase @phase. */
SUMI_CLONES_EXACT static void
enlarge_4_across (const Bicubic *b, const float *p, int phase, int n, float *out)
{
  for (int x = 0; x < n; x++, out += 4)
    {
      const float *w = b->phases[phase].weights, *q = p + 4 * b->phases[phase].first;

      for (int i = 0; i < 4; i++)
        out[i] = w[0] * q[i] + w[1] * q[4 + i] + w[2] * q[8 + i] + w[3] * q[12 + i];
      if (++phase == b->factor)
        {
          phase = 0;
          p += 4;
        }
    }
}

static void
enlarge_row_across (gpointer data, int index, int thread)
{
  const Bicubic *b = data;
  const int c = b->in->channels, cell = floor_div (b->out->x, b->factor);
  const float *row = sumi_image_at (b->in, 0, b->first_row - b->where->y + index);
  float *out = b->rows + (gsize) index * (gsize) (b->out->width * c);

  if (c == 4)
    {
      enlarge_4_across (b, row + 4 * (cell - b->where->x), b->out->x - cell * b->factor, b->out->width, out);
      return;
    }
  for (int x = 0; x < b->out->width; x++, out += c)
    {
      const float *w, *p = row + (gssize) (taps_at (b, b->out->x + x, &w) - b->where->x) * c;

      for (int i = 0; i < c; i++)
        out[i] = w[0] * p[i] + w[1] * p[c + i] + w[2] * p[2 * c + i] + w[3] * p[3 * c + i];
    }
}

SUMI_CLONES_EXACT static void
mix_rows (const float *restrict p, const float *restrict w, gsize n, float *restrict out)
{
  for (gsize i = 0; i < n; i++)
    out[i] = w[0] * p[i] + w[1] * p[n + i] + w[2] * p[2 * n + i] + w[3] * p[3 * n + i];
}

static void
enlarge_row_down (gpointer data, int index, int thread)
{
  const Bicubic *b = data;
  const gsize n = (gsize) b->out->width * (gsize) b->in->channels;
  const float *w, *p = b->rows + (gsize) (taps_at (b, b->out->y + index, &w) - b->first_row) * n;

  mix_rows (p, w, n, b->result + (gsize) index * n);
}

SumiImage *
sumi_enlarge_bicubic (SumiPool *pool,
                      const SumiImage *in,
                      const SumiRect *where,
                      int factor,
                      const SumiRect *out,
                      GError **error)
{
  const SumiRect needs = sumi_enlarge_needs (out, factor, SUMI_BICUBIC_MARGIN);
  g_autoptr (SumiImage) rows = NULL, result = NULL;
  g_autofree Phase *phases = NULL;

  g_return_val_if_fail (where->x <= needs.x && where->x + in->width >= needs.x + needs.width, NULL);
  g_return_val_if_fail (where->y <= needs.y && where->y + in->height >= needs.y + needs.height, NULL);

  if (factor == 1)
    {
      const SumiRect part = { out->x - where->x, out->y - where->y, out->width, out->height };
      return sumi_image_crop (in, &part, error);
    }

  phases = g_new (Phase, factor);
  rows = sumi_image_new_unset (out->width, needs.height, in->channels, error);
  result = rows ? sumi_image_new_unset (out->width, out->height, in->channels, error) : NULL;
  if (! result)
    return NULL;

  Bicubic b = { .in = in,
                .where = where,
                .out = out,
                .factor = factor,
                .first_row = needs.y,
                .phases = phases,
                .rows = rows->data,
                .result = result->data };
  find_phases (&b);
  sumi_parallel_for (pool, needs.height, enlarge_row_across, &b);
  sumi_parallel_for (pool, out->height, enlarge_row_down, &b);
  return g_steal_pointer (&result);
}

typedef struct
{
  const SumiImage *in;
  SumiImage *out;
  int factor;
} Box;

static inline void
shrink_box_4 (const float *p, gsize row, int f, float scale, float *out)
{
  float sum[4] = { 0 };

  for (int dy = 0; dy < f; dy++, p += row)
    for (int dx = 0; dx < f; dx++)
      for (int i = 0; i < 4; i++)
        sum[i] += p[4 * dx + i];
  for (int i = 0; i < 4; i++)
    out[i] = sum[i] * scale;
}

static void
shrink_box_row (gpointer data, int index, int thread)
{
  const Box *b = data;
  const int c = b->in->channels, f = b->factor;
  const float scale = 1.0f / (float) (f * f);
  float *out = sumi_image_at (b->out, 0, index);

  if (c == 4)
    {
      for (int x = 0; x < b->out->width; x++, out += 4)
        shrink_box_4 (sumi_image_at (b->in, x * f, index * f), (gsize) b->in->width * 4, f, scale, out);
      return;
    }
  for (int x = 0; x < b->out->width; x++)
    for (int i = 0; i < c; i++)
      {
        float sum = 0;

        for (int dy = 0; dy < f; dy++)
          {
            const float *p = sumi_image_at (b->in, x * f, index * f + dy) + i;

            for (int dx = 0; dx < f; dx++)
              sum += p[dx * c];
          }
        out[x * c + i] = sum * scale;
      }
}

SumiImage *
sumi_shrink_box (SumiPool *pool, const SumiImage *in, int factor, GError **error)
{
  g_return_val_if_fail (in->width % factor == 0 && in->height % factor == 0, NULL);

  g_autoptr (SumiImage) out = sumi_image_new_unset (in->width / factor, in->height / factor, in->channels, error);
  if (! out)
    return NULL;
  Box b = { in, out, factor };
  sumi_parallel_for (pool, out->height, shrink_box_row, &b);
  return g_steal_pointer (&out);
}

static int
linear_tap (int at, int out_side, int in_side, float *t)
{
  double s = (at + 0.5) * in_side / out_side - 0.5;

  s = CLAMP (s, 0, in_side - 1);
  int i = MIN ((int) s, MAX (in_side - 2, 0));
  *t = (float) (s - i);
  return i;
}

SumiImage *
sumi_resize_linear (const SumiImage *in, int width, int height, GError **error)
{
  const int c = in->channels;
  g_autoptr (SumiImage) out = sumi_image_new (width, height, c, error);

  if (! out)
    return NULL;
  for (int y = 0; y < height; y++)
    {
      float ty;
      int y0 = linear_tap (y, height, in->height, &ty), y1 = MIN (y0 + 1, in->height - 1);

      for (int x = 0; x < width; x++)
        {
          float tx, *o = sumi_image_at (out, x, y);
          int x0 = linear_tap (x, width, in->width, &tx), x1 = MIN (x0 + 1, in->width - 1);
          const float *a = sumi_image_at (in, x0, y0), *b = sumi_image_at (in, x1, y0);
          const float *d = sumi_image_at (in, x0, y1), *e = sumi_image_at (in, x1, y1);

          for (int i = 0; i < c; i++)
            {
              float upper = a[i] + tx * (b[i] - a[i]), lower = d[i] + tx * (e[i] - d[i]);
              o[i] = upper + ty * (lower - upper);
            }
        }
    }
  return g_steal_pointer (&out);
}

/* Cells of n_out that pixel @at of n_in falls into: at most two, as n_out ≤ n_in; weights are in cells.
 * Returns: the first. */
static int
area_cells (int at, int n_in, int n_out, double weights[2])
{
  gint64 from = (gint64) at * n_out, to = from + n_out; /* in units of 1/n_in of a cell */
  gint64 cell = from / n_in, edge = (cell + 1) * n_in;

  weights[0] = (double) (MIN (to, edge) - from) / n_in;
  weights[1] = to > edge ? (double) (to - edge) / n_in : 0;
  return (int) cell;
}

typedef struct
{
  gsize at;
  double weights[2];
} AreaColumn;

typedef struct
{
  const SumiImage *pixels;
  const AreaColumn *columns;
  SumiPixelFunc map;
  gpointer data;
  gsize n;
  double *rows; /* [pixels.height, n] */
} Across;

static void
shrink_across (gpointer data, int index, int thread)
{
  const Across *a = data;
  const int c = a->pixels->channels;
  float *p = sumi_image_at (a->pixels, 0, index);
  double *row = a->rows + (gsize) index * a->n;

  if (a->map)
    a->map (a->data, p, (gsize) a->pixels->width, c);
  memset (row, 0, a->n * sizeof *row);
  for (int x = 0; x < a->pixels->width; x++, p += c)
    {
      const double *across = a->columns[x].weights;
      double *cell = row + a->columns[x].at;

      for (int i = 0; i < c; i++)
        cell[i] += across[0] * (double) p[i];
      if (across[1] > 0)
        for (int i = 0; i < c; i++)
          cell[c + i] += across[1] * (double) p[i];
    }
}

/* @sums: the row being filled and the next; @n: of a row */
static void
add_row (const double *row, const double weights[2], gsize n, double *sums)
{
  for (gsize i = 0; i < n; i++)
    sums[i] += weights[0] * row[i];
  if (weights[1] > 0)
    for (gsize i = 0; i < n; i++)
      sums[n + i] += weights[1] * row[i];
}

SumiImage *
sumi_source_shrink (SumiPool *pool,
                    SumiSource *source,
                    int width,
                    int height,
                    SumiPixelFunc map,
                    gpointer data,
                    SumiJob *job,
                    GError **error)
{
  const int c = source->channels, band = (int) CLAMP ((1 << 17) / source->width, 1, 64);
  const gsize n = (gsize) width * (gsize) c;
  g_autoptr (SumiImage) out = NULL;
  g_autofree double *sums = NULL, *rows = NULL;
  g_autofree AreaColumn *columns = NULL;
  Across across = { .map = map, .data = data, .n = n };

  g_return_val_if_fail (width <= source->width && height <= source->height, NULL);

  out = sumi_image_new (width, height, c, error);
  if (! out)
    return NULL;
  sums = g_new0 (double, 2 * n);
  across.rows = rows = g_new (double, (gsize) band *n);
  across.columns = columns = g_new (AreaColumn, source->width);
  for (int x = 0; x < source->width; x++)
    columns[x].at = (gsize) area_cells (x, source->width, width, columns[x].weights) * (gsize) c;

  for (int y0 = 0; y0 < source->height; y0 += band)
    {
      const SumiRect rect = { 0, y0, source->width, MIN (band, source->height - y0) };
      g_autoptr (SumiImage) pixels = NULL;

      if (! sumi_job_check (job, error))
        return NULL;
      pixels = sumi_source_read (source, &rect, FALSE, error);
      if (! pixels)
        return NULL;
      across.pixels = pixels;
      sumi_parallel_for (pool, rect.height, shrink_across, &across);

      for (int y = 0; y < rect.height; y++)
        {
          double w[2];
          const int cell_y = area_cells (y0 + y, source->height, height, w);

          add_row (rows + (gsize) y * n, w, n, sums);
          if ((gint64) (y0 + y + 1) * height >= (gint64) (cell_y + 1) * source->height)
            {
              float *o = sumi_image_at (out, 0, cell_y);

              /* the weights of a full cell add up to 1 */
              for (gsize i = 0; i < n; i++)
                o[i] = (float) sums[i];
              memcpy (sums, sums + n, n * sizeof *sums);
              memset (sums + n, 0, n * sizeof *sums);
            }
        }
      sumi_job_progress (job, (double) (y0 + rect.height) / source->height, NULL);
    }
  return g_steal_pointer (&out);
}

void
sumi_size_within (int width, int height, int longest, int *out_width, int *out_height)
{
  const int side = MAX (width, height);
  const double scale = side > longest ? (double) longest / side : 1;

  *out_width = CLAMP ((int) floor (width * scale + 0.5), 1, width);
  *out_height = CLAMP ((int) floor (height * scale + 0.5), 1, height);
}
