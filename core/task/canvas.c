/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/task/canvas.h"

#include <math.h>
#include <string.h>

#include "core/base/image.h"
#include "core/base/job.h"
#include "core/base/parallel.h"
#include "core/model/pushpull.h"

#define BAND_PIXELS (1 << 18)

gboolean
sumi_canvas_read (const SumiCanvas *canvas,
                  const SumiRect *rect,
                  SumiImage **rgba,
                  SumiImage **coverage,
                  GError **error)
{
  const SumiRect at = { rect->x - canvas->photo_x, rect->y - canvas->photo_y, rect->width, rect->height };
  g_autoptr (SumiImage) colour = sumi_source_read (canvas->photo, &at, FALSE, error);
  g_autoptr (SumiImage) hole = NULL;

  if (! colour)
    return FALSE;
  hole = canvas->mask ? sumi_source_read (canvas->mask, &at, FALSE, error) :
                        sumi_image_new (rect->width, rect->height, 1, error);
  if (! hole)
    return FALSE;
  for (int y = 0; y < rect->height && ! canvas->mask; y++)
    for (int x = 0; x < rect->width; x++)
      {
        const int px = at.x + x, py = at.y + y;

        *sumi_image_at (hole, x, y) =
            px < 0 || py < 0 || px >= canvas->photo->width || py >= canvas->photo->height ? 1 : 0;
      }
  *rgba = g_steal_pointer (&colour);
  *coverage = g_steal_pointer (&hole);
  return TRUE;
}

void
sumi_hole_clear (SumiHole *hole)
{
  SumiEvidence *e = &hole->evidence;

  g_clear_pointer (&e->picture, sumi_image_unref);
  g_clear_pointer (&e->missing, sumi_image_unref);
  g_clear_pointer (&e->source, sumi_image_unref);
  g_clear_pointer (&e->guide, sumi_image_unref);
  g_clear_pointer (&e->reference, sumi_image_unref);
}

/* Of one row. */
typedef struct
{
  double sum[3];
  int known, missing, unseen;
} Count;

typedef struct
{
  const SumiEvidence *evidence;
  Count *rows;
} Settle;

static void
count_row (gpointer data, int index, int thread)
{
  const Settle *s = data;
  const SumiEvidence *e = s->evidence;
  Count count = { { 0 } };

  for (int x = 0; x < e->picture->width; x++)
    {
      const float *p = sumi_image_at (e->picture, x, index);
      const gboolean missing = *sumi_image_at (e->missing, x, index) > 0,
                     source = *sumi_image_at (e->source, x, index) > 0, known = source && ! missing;

      count.missing += missing;
      count.known += known;
      count.unseen += ! source;
      for (int c = 0; c < 3; c++)
        count.sum[c] += known ? (double) p[c] : 0;
    }
  s->rows[index] = count;
}

void
sumi_hole_settle (SumiHole *hole, SumiPool *pool)
{
  const SumiEvidence *e = &hole->evidence;
  const gsize n = (gsize) e->picture->width * (gsize) e->picture->height;
  g_autofree Count *rows = g_new (Count, e->picture->height);
  gboolean any_unseen = FALSE;
  double sum[3] = { 0 };

  sumi_parallel_for (pool, e->picture->height, count_row, &(Settle){ e, rows });
  hole->n_known = hole->n_missing = 0;
  for (int y = 0; y < e->picture->height; y++)
    {
      hole->n_missing += (gsize) rows[y].missing;
      hole->n_known += (gsize) rows[y].known;
      any_unseen = any_unseen || rows[y].unseen > 0;
      for (int c = 0; c < 3; c++)
        sum[c] += rows[y].sum[c];
    }
  for (gsize i = 0; i < n && any_unseen && hole->n_known > 0; i++)
    for (gsize c = 0; ! (e->source->data[i] > 0) && c < 3; c++)
      e->picture->data[3 * i + c] = (float) (sum[c] / (double) hole->n_known);
}

/* One pixel of the evidence: sums over the block that it stands for. */
typedef struct
{
  double known[3], soft[3]; /* colours of what is known; of what shows through */
  double n_known, soft_weight, coverage;
  int n, n_missing;
} Block;

static void
block_add (Block *b, const float *rgba, float coverage)
{
  const gboolean visible = rgba[3] > 0;

  b->n++;
  if (coverage > 0)
    {
      /* nothing shows through where there is nothing */
      const double shows = visible ? 1 - (double) MIN (coverage, 1) : 0;

      b->n_missing++;
      b->coverage += 1 - shows;
      b->soft_weight += shows;
      for (int c = 0; c < 3; c++)
        b->soft[c] += shows * (double) rgba[c];
    }
  else if (visible)
    {
      b->n_known += 1;
      for (int c = 0; c < 3; c++)
        b->known[c] += (double) rgba[c];
    }
}

static void
block_store (const Block *b, const SumiEvidence *e, int x, int y)
{
  float *out = sumi_image_at (e->picture, x, y);
  const gboolean known = 4 * b->n_known >= 3 * b->n, missing = ! known && b->n_missing > 0;
  const double weight = known ? b->n_known : b->n_known + b->soft_weight;

  *sumi_image_at (e->missing, x, y) = missing ? (float) (b->coverage / b->n_missing) : 0;
  *sumi_image_at (e->source, x, y) = known || missing;
  for (int c = 0; c < 3 && weight > 0; c++)
    out[c] = (float) ((b->known[c] + (known ? 0 : b->soft[c])) / weight);
}

/* A block of one pixel. */
static void
pixel_store (const float *rgba, float coverage, const SumiEvidence *e, int x, int y)
{
  const gboolean visible = rgba[3] > 0, missing = coverage > 0;
  const float shows = ! visible ? 0 : missing ? 1 - MIN (coverage, 1) : 1;

  *sumi_image_at (e->missing, x, y) = missing ? 1 - shows : 0;
  *sumi_image_at (e->source, x, y) = visible || missing;
  for (int c = 0; c < 3 && shows > 0; c++)
    sumi_image_at (e->picture, x, y)[c] = rgba[c];
}

/* A band of rows at hand. */
typedef struct
{
  const SumiEvidence *evidence;
  const SumiImage *rgba, *coverage;
  SumiImage *unseen; /* (nullable): with evidence->reference: 1 where it holds nothing */
  int factor, y0;
} Band;

/* The mean of what a pixel of the evidence held, marked or not. */
static void
read_reference (const Band *b, int x, int index)
{
  const int f = b->factor;
  float *out = sumi_image_at (b->evidence->reference, x, b->y0 + index);
  double sum[3] = { 0 };
  int n = 0;

  for (int j = index * f; j < MIN ((index + 1) * f, b->rgba->height); j++)
    for (int i = x * f; i < MIN ((x + 1) * f, b->rgba->width); i++)
      {
        const float *p = sumi_image_at (b->rgba, i, j);

        for (int c = 0; c < 3 && p[3] > 0; c++)
          sum[c] += (double) p[c];
        n += p[3] > 0;
      }
  for (int c = 0; c < 3 && n > 0; c++)
    out[c] = (float) (sum[c] / n);
  *sumi_image_at (b->unseen, x, b->y0 + index) = n == 0;
}

/* One row of the evidence; @index counts from the band's first. */
static void
read_row (gpointer data, int index, int thread)
{
  const Band *b = data;
  const int f = b->factor;

  for (int x = 0; x < b->evidence->picture->width; x++)
    {
      Block block = { { 0 } };

      if (b->unseen)
        read_reference (b, x, index);
      if (f == 1)
        {
          pixel_store (sumi_image_at (b->rgba, x, index), *sumi_image_at (b->coverage, x, index), b->evidence, x,
                       b->y0 + index);
          continue;
        }
      for (int j = index * f; j < MIN ((index + 1) * f, b->rgba->height); j++)
        for (int i = x * f; i < MIN ((x + 1) * f, b->rgba->width); i++)
          block_add (&block, sumi_image_at (b->rgba, i, j), *sumi_image_at (b->coverage, i, j));
      block_store (&block, b->evidence, x, b->y0 + index);
    }
}

gboolean
sumi_hole_read (SumiHole *hole,
                const SumiCanvas *canvas,
                const SumiRect *rect,
                int factor,
                SumiPool *pool,
                SumiJob *job,
                GError **error)
{
  const int width = (rect->width + factor - 1) / factor, height = (rect->height + factor - 1) / factor;
  const int rows = CLAMP (BAND_PIXELS / MAX (rect->width, 1) / factor, 1, height);
  SumiEvidence *e = &hole->evidence;
  g_autoptr (SumiImage) unseen = NULL;

  *e = (SumiEvidence){ .x = rect->x / factor, .y = rect->y / factor, .factor = 1, .guide_factor = 1 };
  e->picture = sumi_image_new (width, height, 3, error);
  e->missing = e->picture ? sumi_image_new (width, height, 1, error) : NULL;
  e->source = e->missing ? sumi_image_new (width, height, 1, error) : NULL;
  if (! e->source)
    return FALSE;
  if (hole->wants_reference)
    {
      e->reference = sumi_image_new (width, height, 3, error);
      unseen = e->reference ? sumi_image_new (width, height, 1, error) : NULL;
      if (! unseen)
        return FALSE;
    }
  for (int y0 = 0; y0 < height; y0 += rows)
    {
      const int y1 = MIN (y0 + rows, height);
      const SumiRect band = { rect->x, rect->y + y0 * factor, rect->width,
                              MIN (y1 * factor, rect->height) - y0 * factor };
      g_autoptr (SumiImage) rgba = NULL;
      g_autoptr (SumiImage) coverage = NULL;

      if (! sumi_job_check (job, error) || ! sumi_canvas_read (canvas, &band, &rgba, &coverage, error))
        return FALSE;
      sumi_parallel_for (pool, y1 - y0, read_row, &(Band){ e, rgba, coverage, unseen, factor, y0 });
    }
  sumi_hole_settle (hole, pool);
  return ! unseen || sumi_pushpull_fill (e->reference, unseen, e->x, e->y, error);
}
