/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row of tiles is predicted into a window of full width; as soon as enough rows lie below, the rows above are made
 * consistent with the photo and written. The window keeps what the next rows still depend on, so consistency costs no
 * overlap of tiles. Noise is keyed by absolute pixel: the cut shows in nothing but the model's reach beyond a margin. */
#include "core/task/enlarge.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/base/parallel.h"
#include "core/task/bleed.h"
#include "core/task/clean.h"
#include "core/task/colour.h"
#include "core/task/consistent.h"
#include "core/task/resample.h"
#include "core/task/tile.h"
#include "core/tensor/backend.h"
#include "core/tensor/eval.h"

/* What is held per pixel of a tile besides the model's own buffers: guide, two answers, alpha, conversions. */
#define TILE_BYTES    72
/* Small rows that are made consistent at a time. */
#define CHUNK         32
/* A model that does not say what it takes. */
#define UNKNOWN_BYTES 1500

typedef struct
{
  const SumiEnlarge *what;
  SumiSink *sink;
  SumiJob *job;
  SumiEval *eval;
  SumiTiling tiling;
  int reach; /* context that a piece of the photo needs around it */
  gboolean consistent;
  SumiImage *window; /* full width, 4 channels */
  int first, rows;   /* of the enlarged picture in it */
  int written;
} Stage;

gboolean
sumi_enlarge_check (SumiModel *model,
                    GError **error)
{
  if (model->family->evidence & SUMI_EVIDENCE_COARSE)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
               "model “%s” (family “%s”) cannot enlarge or clean: choose one of family “restore”, such as sumi-restore", model->name,
               model->family->key);
  return FALSE;
}

/* The photo at @rect, which may stick out, as it is to be enlarged: no hidden colours, cleaned, grey if it is. */
static SumiImage *
read_photo (Stage *s,
            const SumiRect *rect,
            GError **error)
{
  const SumiEnlarge *e = s->what;
  const int m = s->reach;
  const SumiRect around = { rect->x - m, rect->y - m, rect->width + 2 * m, rect->height + 2 * m };
  const SumiRect inside = { m, m, rect->width, rect->height };
  g_autoptr (SumiImage) pixels = sumi_source_read (e->photo, &around, TRUE, error);

  if (! pixels || (e->photo->has_alpha && ! sumi_bleed_colour (pixels, error)))
    return NULL;
  if (e->denoise > 0 && ! sumi_clean (e->pool, pixels, around.x, around.y, sumi_clean_sigma (e->denoise), error))
    return NULL;
  if (m == 0)
    return g_steal_pointer (&pixels);
  return sumi_image_crop (pixels, &inside, error);
}

/* The model's answer over @guide: the mean, moved towards a sample by detail. */
static SumiImage *
predict (Stage *s,
         SumiImage *guide,
         const SumiRect *seen,
         GError **error)
{
  const SumiEnlarge *e = s->what;
  SumiEvidence evidence = { seen->x, seen->y, guide };
  SumiPredict how = e->how;
  g_autoptr (SumiImage) mean = NULL, sample = NULL;
  SumiJobRange outer;

  evidence.coarse = TRUE;
  evidence.factor = e->factor;
  evidence.noise = e->denoise > 0 ? sumi_clean_left (e->denoise) : 0;

  how.mean = TRUE;
  outer = sumi_job_enter (s->job, 0, e->detail > 0 ? 0.2 : 1);
  mean = sumi_model_predict (e->model, s->eval, &evidence, &how, s->job, error);
  sumi_job_leave (s->job, outer);
  if (! mean || e->detail <= 0)
    return g_steal_pointer (&mean);

  how.mean = FALSE;
  outer = sumi_job_enter (s->job, 0.2, 1);
  sample = sumi_model_predict (e->model, s->eval, &evidence, &how, s->job, error);
  sumi_job_leave (s->job, outer);
  if (! sample)
    return NULL;
  for (gsize i = 0, n = (gsize) mean->width * (gsize) mean->height * 3; i < n; i++)
    mean->data[i] += (float) e->detail * (sample->data[i] - mean->data[i]);
  return g_steal_pointer (&mean);
}

/* Enlarges what of the photo is outside [0, 1], which models cannot see, and takes it out of @photo. */
static SumiImage *
enlarge_excess (Stage *s,
                SumiImage *photo,
                const SumiRect *where,
                const SumiRect *seen,
                GError **error)
{
  const gsize n = (gsize) photo->width * (gsize) photo->height;
  g_autoptr (SumiImage) excess = NULL;

  for (gsize i = 0; i < 4 * n; i++)
    {
      const float v = photo->data[i], kept = CLAMP (v, 0, 1);

      if (v == kept)
        continue;
      if (! excess && ! (excess = sumi_image_new (photo->width, photo->height, 4, error)))
        return NULL;
      excess->data[i] = v - kept;
      photo->data[i] = kept;
    }
  if (! excess) /* a 1 × 1 picture says "nothing" */
    return sumi_image_new (1, 1, 4, error);
  return sumi_enlarge_bicubic (s->what->pool, excess, where, s->what->factor, seen, error);
}

static gboolean
do_tile (Stage *s,
         int column,
         int row,
         GError **error)
{
  const SumiEnlarge *e = s->what;
  SumiRect core, seen, where;
  g_autoptr (SumiImage) photo = NULL, excess = NULL, big = NULL, guide = NULL, answer = NULL;

  sumi_tiling_get (&s->tiling, column, row, &core, &seen);
  where = sumi_enlarge_needs (&seen, e->factor, SUMI_BICUBIC_MARGIN);
  photo = read_photo (s, &where, error);
  excess = photo ? enlarge_excess (s, photo, &where, &seen, error) : NULL;
  big = excess ? sumi_enlarge_bicubic (e->pool, photo, &where, e->factor, &seen, error) : NULL;
  guide = big ? sumi_image_new (seen.width, seen.height, 3, error) : NULL;
  if (! guide)
    return FALSE;
  for (gsize i = 0, n = (gsize) seen.width * (gsize) seen.height; i < n; i++)
    for (int c = 0; c < 3; c++)
      guide->data[3 * i + c] = CLAMP (big->data[4 * i + c], 0, 1);
  answer = predict (s, guide, &seen, error);
  if (! answer)
    return FALSE;
  if (e->grey)
    sumi_make_grey (answer->data, (gsize) seen.width * (gsize) seen.height, 3);

  const gboolean more = excess->width == seen.width && excess->height == seen.height;
  for (int y = 0; y < core.height; y++)
    {
      const int sy = core.y + y - seen.y, sx = core.x - seen.x;
      const float *in = sumi_image_at (answer, sx, sy), *alpha = sumi_image_at (big, sx, sy) + 3;
      const float *out_of_range = more ? sumi_image_at (excess, sx, sy) : NULL;
      float *out = sumi_image_at (s->window, core.x, core.y + y - s->first);

      for (int x = 0; x < core.width; x++, in += 3, alpha += 4, out += 4)
        {
          for (int c = 0; c < 3; c++)
            out[c] = in[c] + (more ? out_of_range[4 * x + c] : 0);
          out[3] = CLAMP (*alpha, 0, 1);
        }
    }
  return TRUE;
}

/* Writes rows [from, to) of the photo, enlarged; the window holds them and their surroundings. */
static gboolean
write_rows (Stage *s,
            int from,
            int to,
            GError **error)
{
  const SumiEnlarge *e = s->what;
  const int f = e->factor, height = e->photo->height, m = SUMI_CONSISTENT_MARGIN;

  for (int y = from; y < to; y += CHUNK)
    {
      const int rows = MIN (CHUNK, to - y);
      g_autoptr (SumiImage) settled = NULL;
      SumiImage out = { e->photo->width * f, rows * f, 4, sumi_image_at (s->window, 0, y * f - s->first) };

      if (! sumi_job_check (s->job, error))
        return FALSE;
      if (s->consistent)
        {
          const int y0 = MAX (y - m, 0), y1 = MIN (y + rows + m, height);
          const SumiRect rect = { 0, y0, e->photo->width, y1 - y0 };
          const SumiImage big = { out.width, rect.height * f, 4, sumi_image_at (s->window, 0, y0 * f - s->first) };
          g_autoptr (SumiImage) small = read_photo (s, &rect, error);

          settled = small ? sumi_make_consistent (e->pool, small, &big, y0, height, f, y, rows, error) : NULL;
          if (! settled)
            return FALSE;
        }
      if (! s->sink->write (s->sink, y * f, rows * f, settled ? settled->data : out.data, NULL, error))
        return FALSE;
    }
  s->written = to;
  return TRUE;
}

/* Forgets the window's rows above @first. */
static void
advance (Stage *s,
         int first)
{
  const gsize row = (gsize) s->window->width * 4;

  if (first <= s->first)
    return;
  memmove (s->window->data, s->window->data + (gsize) (first - s->first) * row,
           (gsize) (s->rows - (first - s->first)) * row * sizeof (float));
  s->rows -= first - s->first;
  s->first = first;
}

static gboolean
run_stage (Stage *s,
           GError **error)
{
  const SumiEnlarge *e = s->what;
  const int f = e->factor, m = s->consistent ? SUMI_CONSISTENT_MARGIN : 0;
  const double n_tiles = (double) s->tiling.rows * s->tiling.columns;

  for (int row = 0; row < s->tiling.rows; row++)
    {
      SumiRect core, seen;

      for (int column = 0; column < s->tiling.columns; column++)
        {
          const double at = row * (double) s->tiling.columns + column;
          SumiJobRange outer;
          gboolean ok;

          if (! sumi_job_check (s->job, error))
            return FALSE;
          outer = sumi_job_enter (s->job, at / n_tiles, (at + 1) / n_tiles);
          ok = do_tile (s, column, row, error);
          sumi_job_leave (s->job, outer);
          if (! ok)
            return FALSE;
          sumi_job_progress (s->job, (at + 1) / n_tiles, f > 1 ? _ ("Enlarging") : _ ("Cleaning"));
        }
      sumi_tiling_get (&s->tiling, 0, row, &core, &seen);
      s->rows = core.y + core.height - s->first;

      const gboolean last = row == s->tiling.rows - 1;
      const int ready = last ? e->photo->height : (core.y + core.height) / f - m;
      if (ready > s->written)
        {
          if (! write_rows (s, s->written, ready, error))
            return FALSE;
          advance (s, MAX (s->written - m, 0) * f);
        }
    }
  return TRUE;
}

gboolean
sumi_enlarge (const SumiEnlarge *enlarge,
              SumiSink *sink,
              SumiJob *job,
              GError **error)
{
  const SumiFamilyClass *family = enlarge->model->family;
  const int f = enlarge->factor, width = enlarge->photo->width * f, height = enlarge->photo->height * f;
  const double row_bytes = (double) width * 4 * sizeof (float);
  g_autoptr (SumiEval) eval = NULL;
  g_autoptr (SumiImage) window = NULL;
  Stage s = { .what = enlarge, .sink = sink, .job = job };
  const double tile_bytes = (family->bytes > 0 ? family->bytes : UNKNOWN_BYTES) + TILE_BYTES;
  int keep, most;

  g_return_val_if_fail (sink->width == width && sink->height == height, FALSE);
  if (! sumi_enlarge_check (enlarge->model, error))
    return FALSE;

  s.consistent = f > 1 && enlarge->denoise <= 0;
  if (enlarge->photo->has_alpha)
    s.reach += SUMI_BLEED;
  if (enlarge->denoise > 0)
    s.reach += SUMI_CLEAN_MARGIN;

  /* a third for rows: the window, and a chunk on its way out with what it is made of */
  keep = s.consistent ? (2 * SUMI_CONSISTENT_MARGIN + 1) * f : f;
  most = (int) MIN (enlarge->memory / 3.0 / row_bytes, 1 << 16) - keep - 2 * CHUNK * f;
  if (! sumi_tiling_plan (&s.tiling, width, height, MAX (family->align, 1), family->margin, tile_bytes,
                          (double) enlarge->memory * 2 / 3, most, error))
    return FALSE;

  s.eval = eval = sumi_eval_new (sumi_backend_default (), enlarge->pool);
  s.eval->cancellable = job ? job->cancellable : NULL;
  s.window = window = sumi_image_new (width, MIN (s.tiling.tile_height + keep, height), 4, error);
  return window && run_stage (&s, error);
}
