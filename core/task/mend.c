/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/task/mend.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/task/colour.h"
#include "core/task/filler.h"

#define CELL 1024 /* masks up to this in one go, larger ones in cells of this */

typedef struct
{
  SumiRect rect;
  SumiImage *pixels; /* 4 channels: the photo mended */
} Patch;

typedef struct
{
  SumiSource source;
  SumiSource *photo;
  GArray *patches; /* of Patch; do not overlap */
} MendSource;

/* What of a mask is still to be filled: nothing of it in the patches. */
typedef struct
{
  SumiSource source;
  SumiSource *mask;
  const GArray *patches;
} OpenMask;

gboolean
sumi_mend_check (SumiModel *model, GError **error)
{
  if (model->family->evidence & SUMI_EVIDENCE_MISSING)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
               "model “%s” (family “%s”) cannot fill holes: choose another, such as patches", model->name,
               model->family->key);
  return FALSE;
}

static gboolean
mend_source_read (SumiSource *self, const SumiRect *rect, float *pixels, GError **error)
{
  const MendSource *s = (MendSource *) self;

  if (! s->photo->read (s->photo, rect, pixels, error))
    return FALSE;
  for (guint i = 0; i < s->patches->len; i++)
    {
      const Patch *patch = &g_array_index (s->patches, Patch, i);
      SumiRect both;

      if (! sumi_rect_intersect (rect, &patch->rect, &both))
        continue;
      for (int y = both.y; y < both.y + both.height; y++)
        memcpy (pixels + ((gsize) (y - rect->y) * (gsize) rect->width + (gsize) (both.x - rect->x)) * 4,
                sumi_image_at (patch->pixels, both.x - patch->rect.x, y - patch->rect.y),
                (gsize) both.width * 4 * sizeof (float));
    }
  return TRUE;
}

static void
mend_source_free (SumiSource *self)
{
  MendSource *s = (MendSource *) self;

  for (guint i = 0; i < s->patches->len; i++)
    sumi_image_unref (g_array_index (s->patches, Patch, i).pixels);
  g_array_free (s->patches, TRUE);
  g_free (s);
}

static gboolean
open_mask_read (SumiSource *self, const SumiRect *rect, float *pixels, GError **error)
{
  const OpenMask *o = (OpenMask *) self;

  if (! o->mask->read (o->mask, rect, pixels, error))
    return FALSE;
  for (guint i = 0; i < o->patches->len; i++)
    {
      SumiRect both;

      if (! sumi_rect_intersect (rect, &g_array_index (o->patches, Patch, i).rect, &both))
        continue;
      for (int y = both.y; y < both.y + both.height; y++)
        memset (pixels + (gsize) (y - rect->y) * (gsize) rect->width + (both.x - rect->x), 0,
                (gsize) both.width * sizeof (float));
    }
  return TRUE;
}

/* Shrinks @rect to what of @mask [@rect] is to be filled. Returns: FALSE when nothing is. */
static gboolean
tighten (const SumiImage *mask, SumiRect *rect)
{
  int x0 = rect->width, x1 = -1, y0 = rect->height, y1 = -1;

  for (int y = 0; y < rect->height; y++)
    for (int x = 0; x < rect->width; x++)
      if (*sumi_image_at (mask, x, y) > 0)
        {
          x0 = MIN (x0, x), x1 = MAX (x1, x);
          y0 = MIN (y0, y), y1 = y;
        }
  if (x1 < 0)
    return FALSE;
  *rect = (SumiRect){ rect->x + x0, rect->y + y0, x1 - x0 + 1, y1 - y0 + 1 };
  return TRUE;
}

/* Fills what of the mask lies in @cell. */
static gboolean
mend_cell (MendSource *s,
           SumiSource *mask,
           SumiRect cell,
           gboolean grey,
           SumiModel *model,
           SumiRun *run,
           SumiJob *job,
           GError **error)
{
  OpenMask open = { { mask->width, mask->height, 1, .read = open_mask_read }, mask, s->patches };
  g_autoptr (SumiImage) whole = sumi_source_read (mask, &cell, FALSE, error), missing = NULL, answer = NULL;
  SumiFiller filler = { run, model, { &s->source, &open.source, mask->width, mask->height, 0, 0 } };
  Patch patch;

  if (! whole)
    return FALSE;
  if (! tighten (whole, &cell))
    return TRUE;
  filler.bounds = cell;
  if (! sumi_filler_prepare (&filler, error))
    return FALSE;
  answer = sumi_filler_predict (&filler, 0, job, error);
  missing = answer ? sumi_source_read (mask, &cell, FALSE, error) : NULL;
  patch = (Patch){ cell, missing ? sumi_source_read (s->photo, &cell, FALSE, error) : NULL };
  if (! patch.pixels)
    return FALSE;
  if (grey)
    sumi_make_grey (answer->data, (gsize) cell.width * (gsize) cell.height, 3);

  for (int y = 0; y < cell.height; y++)
    for (int x = 0; x < cell.width; x++)
      {
        const float m = *sumi_image_at (missing, x, y), *in = sumi_image_at (answer, x, y);
        float *out = sumi_image_at (patch.pixels, x, y);

        for (int c = 0; c < 3 && m > 0; c++)
          out[c] += MIN (m, 1) * (in[c] - out[c]);
      }
  g_array_append_val (s->patches, patch);
  return TRUE;
}

SumiSource *
sumi_mend_source_new (SumiRun *run, gboolean grey, SumiModel *model, SumiJob *job, GError **error)
{
  SumiSource *photo = run->input->photo, *mask = run->input->mask;
  g_autoptr (SumiSource) source = NULL;
  SumiRect bounds;
  MendSource *s;
  int columns, rows;

  if (! sumi_mend_check (model, error) || ! sumi_source_bounds (mask, &bounds, error))
    return NULL;
  s = g_new0 (MendSource, 1);
  source = &s->source;
  s->source = *photo;
  s->source.read = mend_source_read;
  s->source.free = mend_source_free;
  s->photo = photo;
  s->patches = g_array_new (FALSE, FALSE, sizeof (Patch));

  columns = (bounds.width + CELL - 1) / CELL;
  rows = (bounds.height + CELL - 1) / CELL;
  for (int i = 0; i < rows * columns; i++)
    {
      const SumiRect grid = { bounds.x + i % columns * CELL, bounds.y + i / columns * CELL, CELL, CELL };
      SumiJobRange outer;
      SumiRect cell;
      gboolean ok;

      sumi_job_progress (job, (double) i / (rows * columns), _ ("Mending"));
      if (! sumi_job_check (job, error))
        return NULL;
      sumi_rect_intersect (&grid, &bounds, &cell);
      outer = sumi_job_enter (job, (double) i / (rows * columns), (i + 1.0) / (rows * columns));
      ok = mend_cell (s, mask, cell, grey, model, run, job, error);
      sumi_job_leave (job, outer);
      if (! ok)
        return NULL;
    }
  return g_steal_pointer (&source);
}

gboolean
sumi_mend_get_peak (SumiRun *run, SumiModel *model, double *bytes, double *kept, GError **error)
{
  SumiSource *mask = run->input->mask;
  SumiFiller filler = { run, model, { run->input->photo, mask, mask->width, mask->height, 0, 0 } };
  SumiRect bounds;

  if (! sumi_mend_check (model, error) || ! sumi_source_bounds (mask, &bounds, error))
    return FALSE;
  /* a whole cell, in the middle of the picture, where it sees most */
  filler.bounds.width = MIN (bounds.width, CELL);
  filler.bounds.height = MIN (bounds.height, CELL);
  filler.bounds.x = (mask->width - filler.bounds.width) / 2;
  filler.bounds.y = (mask->height - filler.bounds.height) / 2;
  if (! sumi_filler_prepare (&filler, error))
    return FALSE;
  *kept = 16.0 * bounds.width * bounds.height;
  *bytes = *kept + sumi_filler_get_peak (&filler);
  return TRUE;
}
