/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/task/mend.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/task/colour.h"
#include "core/tensor/backend.h"
#include "core/tensor/eval.h"

#define CELL    1024 /* masks up to this in one go, larger ones in cells of this */
#define CONTEXT 160  /* around a cell: what the model copies from */

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

/* Whether @rect of the filled cells' area holds (@x, @y). */
static gboolean
is_mended (const MendSource *s, int x, int y)
{
  for (guint i = 0; i < s->patches->len; i++)
    {
      const SumiRect *r = &g_array_index (s->patches, Patch, i).rect;

      if (x >= r->x && x < r->x + r->width && y >= r->y && y < r->y + r->height)
        return TRUE;
    }
  return FALSE;
}

/* Fills what of the mask lies in @cell. */
static gboolean
mend_cell (MendSource *s,
           SumiSource *mask,
           const SumiRect *cell,
           gboolean grey,
           SumiModel *model,
           SumiEval *eval,
           const SumiPredict *how,
           SumiJob *job,
           GError **error)
{
  const SumiRect all = { 0, 0, mask->width, mask->height };
  SumiRect seen = { cell->x - CONTEXT, cell->y - CONTEXT, cell->width + 2 * CONTEXT, cell->height + 2 * CONTEXT };
  g_autoptr (SumiImage) photo = NULL, picture = NULL, missing = NULL, usable = NULL, answer = NULL;
  SumiRect part;
  gboolean any = FALSE;

  sumi_rect_intersect (&seen, &all, &seen);
  missing = sumi_source_read (mask, &seen, FALSE, error);
  if (! missing)
    return FALSE;
  for (int y = cell->y; y < cell->y + cell->height && ! any; y++)
    for (int x = cell->x; x < cell->x + cell->width && ! any; x++)
      any = *sumi_image_at (missing, x - seen.x, y - seen.y) > 0;
  if (! any)
    return TRUE;

  photo = sumi_source_read (&s->source, &seen, FALSE, error);
  picture = photo ? sumi_image_new (seen.width, seen.height, 3, error) : NULL;
  usable = picture ? sumi_image_new (seen.width, seen.height, 1, error) : NULL;
  if (! usable)
    return FALSE;
  for (int y = 0; y < seen.height; y++)
    for (int x = 0; x < seen.width; x++)
      {
        const float *p = sumi_image_at (photo, x, y);
        float *m = sumi_image_at (missing, x, y);

        if (*m > 0 && is_mended (s, seen.x + x, seen.y + y))
          *m = 0;
        memcpy (sumi_image_at (picture, x, y), p, 3 * sizeof (float));
        *sumi_image_at (usable, x, y) = p[3] > 0;
      }

  SumiEvidence evidence = { seen.x, seen.y, picture, missing };
  evidence.source = s->photo->has_alpha ? usable : NULL;
  evidence.factor = 1;
  answer = sumi_model_predict (model, eval, &evidence, how, job, error);
  if (! answer)
    return FALSE;
  if (grey)
    sumi_make_grey (answer->data, (gsize) seen.width * (gsize) seen.height, 3);

  Patch patch = { *cell };
  part = (SumiRect){ cell->x - seen.x, cell->y - seen.y, cell->width, cell->height };
  patch.pixels = sumi_image_crop (photo, &part, error);
  if (! patch.pixels)
    return FALSE;
  for (int y = 0; y < cell->height; y++)
    for (int x = 0; x < cell->width; x++)
      {
        const float m = *sumi_image_at (missing, part.x + x, part.y + y);
        const float *in = sumi_image_at (answer, part.x + x, part.y + y);
        float *out = sumi_image_at (patch.pixels, x, y);

        for (int c = 0; c < 3 && m > 0; c++)
          out[c] += MIN (m, 1) * (in[c] - out[c]);
      }
  g_array_append_val (s->patches, patch);
  return TRUE;
}

SumiSource *
sumi_mend_source_new (SumiSource *photo,
                      SumiSource *mask,
                      gboolean grey,
                      SumiModel *model,
                      const SumiPredict *how,
                      SumiPool *pool,
                      SumiJob *job,
                      GError **error)
{
  g_autoptr (SumiSource) source = NULL;
  g_autoptr (SumiEval) eval = NULL;
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

  eval = sumi_eval_new (sumi_backend_default (), pool);
  eval->cancellable = job ? job->cancellable : NULL;
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
      ok = mend_cell (s, mask, &cell, grey, model, eval, how, job, error);
      sumi_job_leave (job, outer);
      if (! ok)
        return NULL;
    }
  return g_steal_pointer (&source);
}
