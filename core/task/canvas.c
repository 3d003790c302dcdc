/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/task/canvas.h"

#include <math.h>
#include <string.h>

#include "core/base/image.h"
#include "core/base/job.h"

#define BAND_PIXELS (1 << 20)

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
}

void
sumi_hole_settle (SumiHole *hole)
{
  const SumiEvidence *e = &hole->evidence;
  const gsize n = (gsize) e->picture->width * (gsize) e->picture->height;
  double sum[3] = { 0 };

  hole->n_known = hole->n_missing = 0;
  for (gsize i = 0; i < n; i++)
    {
      const gboolean missing = e->missing->data[i] > 0, known = ! missing && e->source->data[i] > 0;

      hole->n_missing += missing;
      hole->n_known += known;
      for (gsize c = 0; known && c < 3; c++)
        sum[c] += (double) e->picture->data[3 * i + c];
    }
  for (gsize i = 0; i < n && hole->n_known > 0; i++)
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

gboolean
sumi_hole_read (SumiHole *hole,
                const SumiCanvas *canvas,
                const SumiRect *rect,
                int factor,
                SumiJob *job,
                GError **error)
{
  const int width = (rect->width + factor - 1) / factor, height = (rect->height + factor - 1) / factor;
  const int rows = CLAMP (BAND_PIXELS / MAX (rect->width, 1) / factor, 1, height);
  SumiEvidence *e = &hole->evidence;

  *e = (SumiEvidence){ .x = rect->x / factor, .y = rect->y / factor, .factor = 1, .guide_factor = 1 };
  e->picture = sumi_image_new (width, height, 3, error);
  e->missing = e->picture ? sumi_image_new (width, height, 1, error) : NULL;
  e->source = e->missing ? sumi_image_new (width, height, 1, error) : NULL;
  if (! e->source)
    return FALSE;
  for (int y0 = 0; y0 < height; y0 += rows)
    {
      const int y1 = MIN (y0 + rows, height);
      const SumiRect band = { rect->x, rect->y + y0 * factor, rect->width,
                              MIN (y1 * factor, rect->height) - y0 * factor };
      g_autoptr (SumiImage) rgba = NULL;
      g_autoptr (SumiImage) coverage = NULL;

      if (! sumi_job_check (job, error) || ! sumi_canvas_read (canvas, &band, &rgba, &coverage, error))
        return FALSE;
      for (int y = y0; y < y1; y++)
        for (int x = 0; x < width; x++)
          {
            Block b = { { 0 } };

            for (int j = (y - y0) * factor; j < MIN ((y - y0 + 1) * factor, band.height); j++)
              for (int i = x * factor; i < MIN ((x + 1) * factor, rect->width); i++)
                block_add (&b, sumi_image_at (rgba, i, j), *sumi_image_at (coverage, i, j));
            block_store (&b, e, x, y);
          }
    }
  sumi_hole_settle (hole);
  return TRUE;
}
