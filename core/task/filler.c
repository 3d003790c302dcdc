/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A hole is looked at with as much of its surroundings as pays off. Where hole or memory do not allow that at full
 * size, the whole is filled at a smaller one first; that answer then guides tiles of full size, the ones with most
 * known around them first, each of which sees the tiles that are done. */
#include "core/task/filler.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/diffusion/method.h"
#include "core/task/resample.h"
#include "core/tensor/backend.h"
#include "core/tensor/eval.h"

/* a model that looks anywhere gets the hole's own size around it, within these */
#define MARGIN_MIN      192
#define MARGIN_MAX      1024
/* so many times what a model of limited sight sees */
#define SIGHTS          3
/* above this a model costs more time than a user waits for in one piece */
#define MOST_HOLE       (1500.0 * 1500.0)
#define MOST_PIXELS     6e6
#define OWN_BYTES       44 /* per pixel: evidence and answer */
#define REFERENCE_BYTES 16 /* of evidence, too */
/* sides of a tile and what it sees around: half of it, in each direction */
#define TILE_MIN        96
#define TILE_MAX        640
/* pixels beyond a tile that are synthesised with it, so that it does not end at a blind edge */
#define TILE_OVERLAP    32
#define BAND_PIXELS     (1 << 17)

static SumiRect
grow (const SumiCanvas *canvas, const SumiRect *r, int margin, int align)
{
  const int x0 = MAX (r->x - margin, 0) / align * align, y0 = MAX (r->y - margin, 0) / align * align;
  const int x1 = MIN (r->x + r->width + margin, canvas->width), y1 = MIN (r->y + r->height + margin, canvas->height);

  return (SumiRect){ x0, y0, MIN ((x1 + align - 1) / align * align, canvas->width) - x0,
                     MIN ((y1 + align - 1) / align * align, canvas->height) - y0 };
}

static double
area_of (const SumiRect *r)
{
  return (double) r->width * (double) r->height;
}

/* Whether the method asked for starts from what the hole held. */
static gboolean
wants_reference (const SumiFiller *filler)
{
  const char *key = filler->run->common->method;
  const SumiMethodClass *method = key && strcmp (key, "auto") ? sumi_method_find (key, NULL) : NULL;

  return method && method->needs_reference;
}

/* Per pixel that a prediction looks at. */
static double
bytes_of (const SumiFiller *filler)
{
  SumiPredict how;

  sumi_common_get_predict (filler->run->common, 0, &how);
  return sumi_model_get_bytes (filler->model, &how, 1) + OWN_BYTES + (wants_reference (filler) ? REFERENCE_BYTES : 0);
}

gboolean
sumi_filler_prepare (SumiFiller *filler, GError **error)
{
  const SumiFamilyClass *family = filler->model->family;
  const double most = MIN (MOST_PIXELS, (double) filler->run->memory / bytes_of (filler));
  const int side = MAX (filler->bounds.width, filler->bounds.height);
  int margin = family->margin > 0 ? CLAMP (side / 2, SIGHTS * family->margin, MARGIN_MAX) :
                                    CLAMP (2 * side, MARGIN_MIN, MARGIN_MAX);

  filler->factor = 1;
  for (;;)
    {
      const int f = filler->factor;
      const int least = MIN (margin, MARGIN_MIN * f);

      filler->context = grow (&filler->canvas, &filler->bounds, margin, f);
      while (area_of (&filler->context) > most * f * f && margin > least)
        {
          margin = MAX (margin * 3 / 4, least);
          filler->context = grow (&filler->canvas, &filler->bounds, margin, f);
        }
      if ((area_of (&filler->context) <= most * f * f && area_of (&filler->bounds) <= MOST_HOLE * f * f) || f >= 256)
        break;
      filler->factor *= 2;
    }
  if (area_of (&filler->context) > most * filler->factor * filler->factor * 4)
    {
      g_set_error (
          error, SUMI_ERROR, SUMI_ERROR_MEMORY,
          "filling %d×%d pixels needs more than the %.0f MB allowed: allow more with --memory, or fill a smaller part",
          filler->bounds.width, filler->bounds.height, (double) filler->run->memory / 1048576);
      return FALSE;
    }
  return TRUE;
}

/* The evidence of the context at the working size; where nothing is known near the hole, of the whole canvas. */
static gboolean
read_context (const SumiFiller *filler, SumiHole *hole, SumiRect *context, int *factor, SumiJob *job, GError **error)
{
  const SumiRect whole = { 0, 0, filler->canvas.width, filler->canvas.height };

  *context = filler->context;
  *factor = filler->factor;
  if (! sumi_hole_read (hole, &filler->canvas, context, *factor, filler->run->pool, job, error))
    return FALSE;
  if (hole->n_known == 0 && area_of (context) < area_of (&whole))
    {
      while (area_of (&whole) > area_of (context) * *factor * *factor &&
             area_of (&whole) / (*factor * *factor) > MOST_PIXELS)
        *factor *= 2;
      *context = whole;
      sumi_hole_clear (hole);
      if (! sumi_hole_read (hole, &filler->canvas, context, *factor, filler->run->pool, job, error))
        return FALSE;
    }
  if (hole->n_known > 0)
    return TRUE;
  g_set_error_literal (
      error, SUMI_ERROR, SUMI_ERROR_INPUT,
      "nothing of the photo is left to fill from: all of it is marked or transparent; mark a smaller part");
  return FALSE;
}

/* ---- tiles ------------------------------------------------------------- */

typedef struct
{
  SumiRect core; /* on the canvas */
  SumiRect seen;
  double score; /* how much is known around it; < 0: done */
} Tile;

typedef struct
{
  const SumiFiller *filler;
  SumiEval *eval;
  SumiPredict how;
  const SumiImage *coarse; /* the whole context, filled */
  const SumiImage *open;   /* of the coarse size: > 0 where still missing */
  SumiRect context;
  int factor;
  SumiImage *result; /* bounds, 3 channels */
  Tile *tiles;
  int n_tiles;
} Tiling;

static gboolean
inside (const SumiRect *r, int x, int y)
{
  return x >= r->x && y >= r->y && x < r->x + r->width && y < r->y + r->height;
}

/* Share of what a tile sees that is known or done, by the coarse map. */
static double
tile_score (const Tiling *t, const SumiRect *seen)
{
  const int f = t->factor;
  const int x0 = (seen->x - t->context.x) / f, y0 = (seen->y - t->context.y) / f;
  const int x1 = MIN (x0 + (seen->width + f - 1) / f, t->open->width),
            y1 = MIN (y0 + (seen->height + f - 1) / f, t->open->height);
  double known = 0;

  for (int y = MAX (y0, 0); y < y1; y++)
    for (int x = MAX (x0, 0); x < x1; x++)
      known += ! (*sumi_image_at (t->open, x, y) > 0);
  return known / MAX (1, (double) (x1 - x0) * (double) (y1 - y0));
}

/* Of tiles that are filled on their own. */
static int
tile_side (const SumiFiller *filler)
{
  const double pixels = (double) filler->run->memory / bytes_of (filler);

  return CLAMP ((int) (sqrt (pixels) / 2), TILE_MIN, TILE_MAX);
}

double
sumi_filler_get_peak (const SumiFiller *filler)
{
  const double pixels = area_of (&filler->context) / (filler->factor * filler->factor), side = tile_side (filler);
  const double coarse = pixels * bytes_of (filler);
  /* the coarse evidence and answer stay while tiles are filled */
  const double tiles = filler->factor > 1 ? pixels * OWN_BYTES + 4 * side * side * (bytes_of (filler) + 12) : 0;

  return MAX (coarse, tiles) + 12 * area_of (&filler->bounds) + 40.0 * BAND_PIXELS;
}

static void
plan_tiles (Tiling *t)
{
  const SumiRect *b = &t->filler->bounds;
  const int side = tile_side (t->filler);
  const int columns = (b->width + side - 1) / side, rows = (b->height + side - 1) / side;

  t->tiles = g_new0 (Tile, (gsize) columns * (gsize) rows);
  for (int j = 0; j < rows; j++)
    for (int i = 0; i < columns; i++)
      {
        Tile *tile = t->tiles + t->n_tiles++;
        const int x0 = b->x + (int) ((gint64) b->width * i / columns),
                  x1 = b->x + (int) ((gint64) b->width * (i + 1) / columns);
        const int y0 = b->y + (int) ((gint64) b->height * j / rows),
                  y1 = b->y + (int) ((gint64) b->height * (j + 1) / rows);

        tile->core = (SumiRect){ x0, y0, x1 - x0, y1 - y0 };
        tile->seen = grow (&t->filler->canvas, &tile->core, side / 2, t->factor);
        tile->score = tile_score (t, &tile->seen);
      }
}

/* Marks @tile as done and looks again at those that see it. */
static void
finish_tile (Tiling *t, Tile *tile)
{
  const int f = t->factor;

  for (int y = (tile->core.y - t->context.y) / f; y < (tile->core.y + tile->core.height - t->context.y + f - 1) / f;
       y++)
    for (int x = (tile->core.x - t->context.x) / f; x < (tile->core.x + tile->core.width - t->context.x + f - 1) / f;
         x++)
      if (x >= 0 && y >= 0 && x < t->open->width && y < t->open->height)
        *sumi_image_at (t->open, x, y) = 0;
  tile->score = -1;
  for (int i = 0; i < t->n_tiles; i++)
    {
      SumiRect common;

      if (t->tiles[i].score >= 0 && sumi_rect_intersect (&t->tiles[i].seen, &tile->core, &common))
        t->tiles[i].score = tile_score (t, &t->tiles[i].seen);
    }
}

/* What is done becomes known, what comes later is left out. */
static void
place_done (const Tiling *t, const Tile *tile, SumiHole *hole)
{
  const SumiRect *b = &t->filler->bounds;
  const SumiEvidence *e = &hole->evidence;
  const SumiRect work = grow (&t->filler->canvas, &tile->core, TILE_OVERLAP, 1);

  for (int i = 0; i < t->n_tiles; i++)
    {
      const Tile *other = t->tiles + i;
      SumiRect common;

      if (other == tile || ! sumi_rect_intersect (&other->core, &tile->seen, &common))
        continue;
      for (int y = common.y; y < common.y + common.height; y++)
        for (int x = common.x; x < common.x + common.width; x++)
          {
            const int px = x - tile->seen.x, py = y - tile->seen.y;
            float *missing = sumi_image_at (e->missing, px, py), *p = sumi_image_at (e->picture, px, py);
            const float *done = sumi_image_at (t->result, x - b->x, y - b->y), m = *missing;

            if (! (m > 0) || (other->score >= 0 && inside (&work, x, y)))
              continue;
            *missing = 0;
            for (int c = 0; c < 3 && other->score < 0; c++)
              p[c] = m * done[c] + (1 - m) * p[c];
            if (other->score >= 0)
              *sumi_image_at (e->source, px, py) = 0;
          }
    }
  sumi_hole_settle (hole, t->filler->run->pool);
}

/* The coarse answer under a tile, each pixel @factor² times: a family averages it back. */
static SumiImage *
guide_of (const Tiling *t, const SumiRect *seen, GError **error)
{
  SumiImage *guide = sumi_image_new (seen->width, seen->height, 3, error);

  for (int y = 0; guide && y < seen->height; y++)
    for (int x = 0; x < seen->width; x++)
      memcpy (sumi_image_at (guide, x, y),
              sumi_image_at (t->coarse, CLAMP ((seen->x + x - t->context.x) / t->factor, 0, t->coarse->width - 1),
                             CLAMP ((seen->y + y - t->context.y) / t->factor, 0, t->coarse->height - 1)),
              3 * sizeof (float));
  return guide;
}

static void
copy_core (const SumiRect *core, const SumiImage *from, int from_x, int from_y, const SumiRect *bounds, SumiImage *to)
{
  for (int y = core->y; y < core->y + core->height; y++)
    memcpy (sumi_image_at (to, core->x - bounds->x, y - bounds->y), sumi_image_at (from, core->x - from_x, y - from_y),
            3 * sizeof (float) * (gsize) core->width);
}

static gboolean
predict_tile (Tiling *t, Tile *tile, SumiJob *job, GError **error)
{
  const SumiFiller *filler = t->filler;
  g_auto (SumiHole) hole = { { 0 } };
  g_autoptr (SumiImage) answer = NULL;

  if (! sumi_hole_read (&hole, &filler->canvas, &tile->seen, 1, filler->run->pool, job, error))
    return FALSE;
  place_done (t, tile, &hole);
  if (hole.n_missing > 0 && hole.n_known > 0)
    {
      hole.evidence.guide = guide_of (t, &tile->seen, error);
      hole.evidence.guide_factor = t->factor;
      if (! hole.evidence.guide)
        return FALSE;
      answer = sumi_model_predict (filler->model, t->eval, &hole.evidence, &t->how, job, error);
      if (! answer)
        return FALSE;
    }
  else if (hole.n_missing > 0)
    {
      answer = guide_of (t, &tile->seen, error); /* nothing at all is known in sight */
      if (! answer)
        return FALSE;
    }
  copy_core (&tile->core, answer ? answer : hole.evidence.picture, tile->seen.x, tile->seen.y, &filler->bounds,
             t->result);
  finish_tile (t, tile);
  return TRUE;
}

static gboolean
predict_tiles (Tiling *t, SumiJob *job, GError **error)
{
  plan_tiles (t);
  for (int k = 0; k < t->n_tiles; k++)
    {
      SumiJobRange outer;
      int best = -1;
      gboolean ok;

      for (int i = 0; i < t->n_tiles; i++)
        if (t->tiles[i].score >= 0 && (best < 0 || t->tiles[i].score > t->tiles[best].score))
          best = i;
      outer = sumi_job_enter (job, (double) k / t->n_tiles, (k + 1.0) / t->n_tiles);
      ok = predict_tile (t, t->tiles + best, job, error);
      sumi_job_leave (job, outer);
      if (! ok)
        return FALSE;
    }
  return TRUE;
}

/* The coarse answer enlarged smoothly, for families that take no guide. */
static gboolean
enlarge_coarse (Tiling *t, GError **error)
{
  const SumiRect *b = &t->filler->bounds;
  const SumiRect where = { 0, 0, t->coarse->width, t->coarse->height };
  const SumiRect out = { b->x - t->context.x, b->y - t->context.y, b->width, b->height };

  sumi_image_unref (t->result);
  t->result = sumi_enlarge_bicubic (t->filler->run->pool, t->coarse, &where, t->factor, &out, error);
  return t->result != NULL;
}

SumiImage *
sumi_filler_predict (const SumiFiller *filler, int candidate, SumiJob *job, GError **error)
{
  g_autoptr (SumiEval) eval = sumi_eval_new (sumi_backend_default (), filler->run->pool);
  g_auto (SumiHole) hole = { { 0 } };
  g_autoptr (SumiImage) answer = NULL;
  const SumiRect *b = &filler->bounds;
  Tiling t = { .filler = filler, .eval = eval };
  SumiJobRange outer;
  gboolean ok;

  hole.wants_reference = wants_reference (filler);
  eval->bf16 = filler->run->bf16;
  eval->cancellable = job ? job->cancellable : NULL;
  sumi_common_get_predict (filler->run->common, candidate, &t.how);
  /* the first proposal is the most faithful one */
  t.how.mean =
      filler->model->family->has_mean && candidate == 0 && t.how.seed == 0 && sumi_common_is_auto (filler->run->common);
  if (! read_context (filler, &hole, &t.context, &t.factor, job, error))
    return NULL;
  t.result = sumi_image_new (b->width, b->height, 3, error);
  if (! t.result)
    return NULL;

  outer = sumi_job_enter (job, 0, t.factor > 1 ? 0.2 : 1);
  answer = sumi_model_predict (filler->model, eval, &hole.evidence, &t.how, job, error);
  sumi_job_leave (job, outer);
  ok = answer != NULL;
  if (ok && t.factor == 1)
    copy_core (b, answer, t.context.x, t.context.y, b, t.result);
  else if (ok)
    {
      t.coarse = answer;
      t.open = hole.evidence.missing;
      outer = sumi_job_enter (job, 0.2, 1);
      ok = filler->model->family->takes_guide ? predict_tiles (&t, job, error) : enlarge_coarse (&t, error);
      sumi_job_leave (job, outer);
    }
  g_free (t.tiles);
  if (! ok)
    g_clear_pointer (&t.result, sumi_image_unref);
  return t.result;
}

/* ---- handing out -------------------------------------------------------- */

/* Inside the hole the answer, opaque; elsewhere the photo. */
static void
compose (SumiImage *rgba,
         const SumiImage *coverage,
         const SumiRect *band,
         const SumiRect *bounds,
         const SumiImage *answer,
         gboolean grey)
{
  for (int y = 0; y < band->height; y++)
    for (int x = 0; x < band->width; x++)
      {
        float *out = sumi_image_at (rgba, x, y);
        const int px = band->x + x, py = band->y + y;

        if (! (*sumi_image_at (coverage, x, y) > 0) || ! inside (bounds, px, py))
          continue;
        memcpy (out, sumi_image_at (answer, px - bounds->x, py - bounds->y), 3 * sizeof (float));
        out[3] = 1;
        if (grey)
          out[0] = out[1] = out[2] = (out[0] + out[1] + out[2]) / 3;
      }
}

static gboolean
write_result (const SumiFiller *filler,
              const SumiRect *area,
              const SumiImage *answer,
              SumiSink *sink,
              SumiJob *job,
              GError **error)
{
  const int rows = CLAMP (BAND_PIXELS / area->width, 1, area->height);

  for (int y = 0; y < area->height; y += rows)
    {
      const SumiRect band = { area->x, area->y + y, area->width, MIN (rows, area->height - y) };
      g_autoptr (SumiImage) rgba = NULL;
      g_autoptr (SumiImage) coverage = NULL;

      if (! sumi_job_check (job, error) || ! sumi_canvas_read (&filler->canvas, &band, &rgba, &coverage, error))
        return FALSE;
      compose (rgba, coverage, &band, &filler->bounds, answer, filler->canvas.photo->is_grey);
      if (! sink->write (sink, y, band.height, rgba->data, coverage->data, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
sumi_filler_run (SumiFiller *filler, const SumiRect *area, int n_candidates, const char *extra, GError **error)
{
  SumiRun *run = filler->run;
  const SumiCanvas *canvas = &filler->canvas;

  if (! sumi_filler_prepare (filler, error))
    return FALSE;
  for (int i = 0; i < n_candidates; i++)
    {
      const SumiRect *c = &filler->context;
      SumiJobRange outer = sumi_job_enter (run->job, (double) i / n_candidates, (i + 1.0) / n_candidates);
      g_autoptr (SumiImage) answer = sumi_filler_predict (filler, i, run->job, error);
      g_autofree char *more = g_strdup_printf ("%scandidate=%d\ncrop=%d,%d,%d,%d\n", extra ? extra : "", i, c->x, c->y,
                                               c->width, c->height);
      g_autofree char *recipe = sumi_run_dup_recipe (run, filler->model, more);
      const SumiResult result = {
        .index = i,
        .count = n_candidates,
        .x = area->x,
        .y = area->y,
        .width = area->width,
        .height = area->height,
        .canvas_width = canvas->width,
        .canvas_height = canvas->height,
        .photo_x = canvas->photo_x,
        .photo_y = canvas->photo_y,
        .scale = 1,
        .has_coverage = TRUE,
        .has_colour = ! canvas->photo->is_grey,
        .recipe = recipe,
      };
      SumiSink *sink = answer ? run->open (run, &result, error) : NULL;
      gboolean ok = sink && write_result (filler, area, answer, sink, run->job, error);

      sumi_job_leave (run->job, outer);
      if (! ok)
        return FALSE;
    }
  return TRUE;
}
