/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row of tiles is predicted into a window of full width; as soon as enough rows lie below, the rows above are made
 * consistent with the photo and written. The window keeps what the next rows still depend on, so consistency costs no
 * overlap of tiles. Noise is keyed by absolute pixel: the cut shows in nothing but the model's reach beyond
 * its margin. */
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
#include "core/task/detail.h"
#include "core/task/resample.h"
#include "core/task/tile.h"
#include "core/tensor/backend.h"
#include "core/tensor/eval.h"

/* Factor 8 is 2, then 4: smoother edges and 0.16 dB more on the test photos than asking the model for 8. */
#define FIRST_OF_8 2

/* What is held per pixel of a tile besides the model's own buffers: guide, two answers, alpha, conversions. */
#define TILE_BYTES 72
/* Small rows that are made consistent at a time. */
#define CHUNK      32

typedef struct Between Between;

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
  int row;           /* of tiles, next */
  int written;       /* rows of the photo whose enlargement is out */
  Between *between;  /* (nullable): the stage before */
} Stage;

/* The enlargement of a first stage as the photo of a second: made as far down as it is read. */
struct Between
{
  SumiSource source;
  SumiSink sink;
  SumiEnlarge what;
  SumiJob job; /* can be cancelled; progress is the second stage's */
  Stage stage;
  float *rows; /* [n_rows, width, 4] from row first_row on */
  int first_row, n_rows, space;
};

gboolean
sumi_enlarge_check (SumiModel *model, GError **error)
{
  if (model->family->evidence & SUMI_EVIDENCE_COARSE)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
               "model “%s” (family “%s”) cannot enlarge or clean: choose one of family “restore”, such as sumi-restore",
               model->name, model->family->key);
  return FALSE;
}

gboolean
sumi_enlarge_check_size (SumiSource *photo, int factor, GError **error)
{
  const int most = 1 << 24; /* keeps every sum of coordinates far from overflow */

  if (photo->width <= most / factor && photo->height <= most / factor)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_INPUT,
               "a photo of %d×%d pixels is too large to be enlarged %d times: a side may have %d", photo->width,
               photo->height, factor, most);
  return FALSE;
}

/* The photo at @rect, which may stick out, as it is to be enlarged: no hidden colours, cleaned, grey if it is. */
static SumiImage *
read_photo (Stage *s, const SumiRect *rect, GError **error)
{
  const SumiEnlarge *e = s->what;
  const int m = s->reach;
  const SumiRect around = { rect->x - m, rect->y - m, rect->width + 2 * m, rect->height + 2 * m };
  const SumiRect inside = { m, m, rect->width, rect->height };
  g_autoptr (SumiImage) pixels = sumi_source_read (e->photo, &around, TRUE, error);

  if (! pixels || (e->photo->has_alpha && ! sumi_bleed_colour (pixels, error)))
    return NULL;
  if (e->denoise > 0 && ! sumi_clean (e->pool, pixels, around.x, around.y,
                                      sumi_clean_sigma (e->denoise) * (e->grey_noise ? sqrt (3) : 1), error))
    return NULL;
  if (m == 0)
    return g_steal_pointer (&pixels);
  return sumi_image_crop (pixels, &inside, error);
}

/* The model's answer over @guide, which @photo was enlarged to: the mean, moved towards a sample by detail; all the
 * way, where only a sample has what was asked for. */
static SumiImage *
predict (Stage *s, SumiImage *guide, const SumiRect *seen, SumiImage *photo, const SumiRect *where, GError **error)
{
  const SumiEnlarge *e = s->what;
  SumiEvidence evidence = { seen->x, seen->y, guide };
  SumiPredict how = e->how;
  g_autoptr (SumiImage) mean = NULL, sample = NULL;
  SumiJobRange outer;

  evidence.coarse = TRUE;
  evidence.factor = e->factor;
  evidence.shrunk = photo;
  evidence.shrunk_x = where->x;
  evidence.shrunk_y = where->y;
  evidence.noise = e->denoise > 0 ? sumi_clean_left (e->denoise) : 0;

  if (e->detail <= 0 && ! how.mean)
    return sumi_model_predict (e->model, s->eval, &evidence, &how, s->job, error);
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
  if (! sample || ! sumi_mix_detail (e->pool, mean, sample, e->detail, error))
    return NULL;
  return g_steal_pointer (&mean);
}

static gboolean
is_within (const float *values, gsize n)
{
  gboolean out = FALSE;

  for (gsize i = 0; i < n; i++)
    out |= ! (values[i] >= 0) | ! (values[i] <= 1);
  return ! out;
}

/* Enlarges what of the photo is outside [0, 1], which models cannot see, and takes it out of @photo. */
static SumiImage *
enlarge_excess (Stage *s, SumiImage *photo, const SumiRect *where, const SumiRect *seen, GError **error)
{
  const gsize n = (gsize) photo->width * (gsize) photo->height;
  g_autoptr (SumiImage) excess = NULL;

  if (is_within (photo->data, 4 * n)) /* a 1 × 1 picture says "nothing" */
    return sumi_image_new (1, 1, 4, error);
  excess = sumi_image_new (photo->width, photo->height, 4, error);
  if (! excess)
    return NULL;
  for (gsize i = 0; i < 4 * n; i++)
    {
      const float v = photo->data[i], kept = CLAMP (v, 0, 1);

      if (v == kept)
        continue;
      excess->data[i] = v - kept;
      photo->data[i] = kept;
    }
  return sumi_enlarge_bicubic (s->what->pool, excess, where, s->what->factor, seen, error);
}

/* What goes from picture to picture around the model, a row at a time. */
typedef struct
{
  const SumiImage *big, *excess, *answer; /* RGBA, (nullable) RGBA, RGB */
  SumiImage *guide, *window;
  gboolean grey;
  const SumiRect *core, *seen;
  int first; /* row of the window */
} Rows;

static void
guide_row (gpointer data, int y, int thread)
{
  const Rows *r = data;
  const float *in = sumi_image_at (r->big, 0, y);
  float *out = sumi_image_at (r->guide, 0, y);

  for (int x = 0; x < r->guide->width; x++, in += 4, out += 3)
    for (int c = 0; c < 3; c++)
      out[c] = CLAMP (in[c], 0, 1);
}

static void
answer_row (gpointer data, int y, int thread)
{
  const Rows *r = data;
  const int sy = r->core->y + y - r->seen->y, sx = r->core->x - r->seen->x, width = r->core->width;
  float *in = sumi_image_at (r->answer, sx, sy);
  const float *alpha = sumi_image_at (r->big, sx, sy) + 3, *more = r->excess ? sumi_image_at (r->excess, sx, sy) : NULL;
  float *out = sumi_image_at (r->window, r->core->x, r->core->y + y - r->first);

  if (r->grey)
    sumi_make_grey (in, (gsize) width, 3);
  for (int x = 0; x < width; x++, in += 3, alpha += 4, out += 4)
    {
      for (int c = 0; c < 3; c++)
        out[c] = in[c] + (more ? more[4 * x + c] : 0);
      out[3] = CLAMP (*alpha, 0, 1);
    }
}

static gboolean
do_tile (Stage *s, int column, int row, GError **error)
{
  const SumiEnlarge *e = s->what;
  SumiRect core, seen, where;
  g_autoptr (SumiImage) photo = NULL, excess = NULL, big = NULL, guide = NULL, answer = NULL;
  Rows rows = { .window = s->window, .grey = e->grey, .core = &core, .seen = &seen, .first = s->first };

  sumi_tiling_get (&s->tiling, column, row, &core, &seen);
  where = sumi_enlarge_needs (&seen, e->factor, SUMI_BICUBIC_MARGIN);
  photo = read_photo (s, &where, error);
  excess = photo ? enlarge_excess (s, photo, &where, &seen, error) : NULL;
  big = excess ? sumi_enlarge_bicubic (e->pool, photo, &where, e->factor, &seen, error) : NULL;
  guide = big ? sumi_image_new_unset (seen.width, seen.height, 3, error) : NULL;
  if (! guide)
    return FALSE;
  rows.big = big;
  rows.guide = guide;
  sumi_parallel_for (e->pool, seen.height, guide_row, &rows);
  answer = predict (s, guide, &seen, photo, &where, error);
  if (! answer)
    return FALSE;
  rows.answer = answer;
  rows.excess = excess->width == seen.width && excess->height == seen.height ? excess : NULL;
  sumi_parallel_for (e->pool, core.height, answer_row, &rows);
  return TRUE;
}

/* Rounding must not make an opaque picture a little transparent. */
typedef struct
{
  float *pixels;
  gsize width;
  gboolean has_alpha;
} Snap;

static void
snap_row (gpointer data, int index, int thread)
{
  const Snap *s = data;
  float *p = s->pixels + 4 * (gsize) index * s->width;

  for (gsize n = s->width; n > 0; n--, p += 4)
    if (! s->has_alpha || p[3] > 1 - 1e-5f)
      p[3] = 1;
    else if (p[3] < 1e-5f)
      p[3] = 0;
}

/* Writes rows [from, to) of the photo, enlarged; the window holds them and their surroundings. */
static gboolean
write_rows (Stage *s, int from, int to, GError **error)
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
      float *pixels = settled ? settled->data : out.data;
      sumi_parallel_for (e->pool, out.height, snap_row, &(Snap){ pixels, (gsize) out.width, e->photo->has_alpha });
      if (! s->sink->write (s->sink, y * f, rows * f, pixels, NULL, error))
        return FALSE;
    }
  s->written = to;
  return TRUE;
}

/* Forgets the window's rows above @first. */
static void
advance (Stage *s, int first)
{
  const gsize row = (gsize) s->window->width * 4;

  if (first <= s->first)
    return;
  memmove (s->window->data, s->window->data + (gsize) (first - s->first) * row,
           (gsize) (s->rows - (first - s->first)) * row * sizeof (float));
  s->rows -= first - s->first;
  s->first = first;
}

/* ---- two stages in a row ----------------------------------------------- */

static gboolean step (Stage *s, GError **error);

static gboolean
between_write (SumiSink *self, int y, int rows, const float *rgba, const float *coverage, GError **error)
{
  Between *b = (Between *) ((char *) self - G_STRUCT_OFFSET (Between, sink));
  const gsize row = (gsize) self->width * 4;

  if (b->n_rows + rows > b->space)
    {
      const int space = b->n_rows + rows + 64;
      float *more = g_try_realloc_n (b->rows, (gsize) space * row, sizeof (float));

      if (! more)
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory for %d rows of %d pixels", space, self->width);
          return FALSE;
        }
      b->rows = more;
      b->space = space;
    }
  memcpy (b->rows + (gsize) b->n_rows * row, rgba, (gsize) rows * row * sizeof (float));
  b->n_rows += rows;
  return TRUE;
}

static gboolean
between_read (SumiSource *self, const SumiRect *rect, float *pixels, GError **error)
{
  Between *b = (Between *) self;
  const gsize width = (gsize) self->width;

  while (b->first_row + b->n_rows < rect->y + rect->height)
    if (! step (&b->stage, error))
      return FALSE;
  g_return_val_if_fail (rect->y >= b->first_row, FALSE);
  for (int y = 0; y < rect->height; y++)
    memcpy (pixels + (gsize) y * (gsize) rect->width * 4,
            b->rows + ((gsize) (rect->y + y - b->first_row) * width + (gsize) rect->x) * 4,
            (gsize) rect->width * 4 * sizeof (float));
  return TRUE;
}

/* No row above @first will be read again. */
static void
between_forget (Between *b, int first)
{
  const int n = CLAMP (first - b->first_row, 0, b->n_rows);
  const gsize row = (gsize) b->source.width * 4;

  if (n == 0)
    return;
  memmove (b->rows, b->rows + (gsize) n * row, (gsize) (b->n_rows - n) * row * sizeof (float));
  b->first_row += n;
  b->n_rows -= n;
}

/* ---- running ------------------------------------------------------------ */

/* Does the next row of tiles and writes what is ready. */
static gboolean
step (Stage *s, GError **error)
{
  const SumiEnlarge *e = s->what;
  const int f = e->factor, m = s->consistent ? SUMI_CONSISTENT_MARGIN : 0;
  const double n_tiles = (double) s->tiling.rows * s->tiling.columns;
  const gboolean last = s->row == s->tiling.rows - 1;
  SumiRect core, seen;
  int ready;

  g_return_val_if_fail (s->row < s->tiling.rows, FALSE);
  for (int column = 0; column < s->tiling.columns; column++)
    {
      const double at = s->row * (double) s->tiling.columns + column;
      SumiJobRange outer;
      gboolean ok;

      if (! sumi_job_check (s->job, error))
        return FALSE;
      outer = sumi_job_enter (s->job, at / n_tiles, (at + 1) / n_tiles);
      ok = do_tile (s, column, s->row, error);
      sumi_job_leave (s->job, outer);
      if (! ok)
        return FALSE;
      sumi_job_progress (s->job, (at + 1) / n_tiles, f > 1 ? _ ("Enlarging") : _ ("Cleaning"));
    }
  sumi_tiling_get (&s->tiling, 0, s->row++, &core, &seen);
  s->rows = core.y + core.height - s->first;

  ready = last ? e->photo->height : (core.y + core.height) / f - m;
  if (ready > s->written)
    {
      if (! write_rows (s, s->written, ready, error))
        return FALSE;
      advance (s, MAX (s->written - m, 0) * f);
    }
  if (s->between && ! last)
    {
      SumiRect needs;

      sumi_tiling_get (&s->tiling, 0, s->row, &core, &seen);
      needs = sumi_enlarge_needs (&seen, f, SUMI_BICUBIC_MARGIN);
      between_forget (s->between, MIN (needs.y, s->written - m) - s->reach);
    }
  return TRUE;
}

/* Cuts the picture into tiles.
 * @rows: memory for rows of full width, @copies of each; the rest of what @what allows is for tiles
 * @bytes: (nullable): out, what the stage takes
 * Returns: rows of the window, 0 on failure. */
static int
stage_plan (Stage *s, const SumiEnlarge *what, double rows, int copies, double *bytes, GError **error)
{
  const SumiFamilyClass *family = what->model->family;
  const int f = what->factor, width = what->photo->width * f, height = what->photo->height * f;
  SumiPredict how = what->how;
  double tile_bytes;
  const SumiTiling *t = &s->tiling;
  int keep, most, window;

  how.mean = how.mean && what->detail <= 0;
  tile_bytes = sumi_model_get_bytes (what->model, &how, 1) + TILE_BYTES;
  s->consistent = f > 1 && what->denoise <= 0;
  /* what is kept for consistency, and a chunk on its way out with what it is made of */
  keep = s->consistent ? (2 * SUMI_CONSISTENT_MARGIN + 1) * f : f;
  most = (int) MIN (rows / copies / (width * 16.0), 1 << 16) - keep - 2 * CHUNK * f;
  if (! sumi_tiling_plan (&s->tiling, width, height, MAX (family->align, 1),
                          MAX (family->margin, what->detail > 0 ? SUMI_DETAIL_MARGIN : 0), tile_bytes,
                          (double) what->memory * 2 / 3, most, error))
    return 0;
  window = MIN (t->tile_height + keep, height);
  if (bytes)
    *bytes = (double) MIN (t->tile_width + 2 * t->margin, width) * MIN (t->tile_height + 2 * t->margin, height) *
                 tile_bytes +
             16.0 * width * (window + 2 * CHUNK * f) * copies;
  return window;
}

static gboolean
stage_start (Stage *s,
             const SumiEnlarge *what,
             SumiSink *sink,
             SumiJob *job,
             SumiEval *eval,
             double rows,
             int copies,
             GError **error)
{
  int window;

  *s = (Stage){ .what = what, .sink = sink, .job = job, .eval = eval };
  if (what->photo->has_alpha)
    s->reach += SUMI_BLEED;
  if (what->denoise > 0)
    s->reach += SUMI_CLEAN_MARGIN;
  window = stage_plan (s, what, rows, copies, NULL, error);
  s->window = window > 0 ? sumi_image_new_unset (what->photo->width * what->factor, window, 4, error) : NULL;
  return s->window != NULL;
}

static void
stage_clear (Stage *s)
{
  g_clear_pointer (&s->window, sumi_image_unref);
}

static gboolean
run_stage (Stage *s, GError **error)
{
  while (s->row < s->tiling.rows)
    if (! step (s, error))
      return FALSE;
  return TRUE;
}

/* Of the memory for rows, a third is for the first stage, which holds them twice. */
static void
split (const SumiEnlarge *enlarge, Between *between, SumiEnlarge *second)
{
  *between = (Between){ .what = *enlarge };
  between->what.factor = FIRST_OF_8;
  between->what.detail = 0;
  between->what.how.mean = TRUE;
  between->source = *enlarge->photo;
  between->source.width *= FIRST_OF_8;
  between->source.height *= FIRST_OF_8;
  between->source.read = between_read;
  between->source.free = NULL;
  between->sink = (SumiSink){ between->source.width, between->source.height, between_write };
  *second = *enlarge;
  second->photo = &between->source;
  second->factor = enlarge->factor / FIRST_OF_8;
  second->denoise = 0;
}

gboolean
sumi_enlarge_get_peak (const SumiEnlarge *enlarge, double *bytes, GError **error)
{
  const double rows = (double) enlarge->memory / 3;
  Between between;
  SumiEnlarge second;
  Stage s = { 0 };
  double first, last;

  if (! sumi_enlarge_check (enlarge->model, error))
    return FALSE;
  if (enlarge->factor != 8)
    return stage_plan (&s, enlarge, rows, 1, bytes, error) > 0;
  split (enlarge, &between, &second);
  if (! stage_plan (&between.stage, &between.what, rows / 3, 2, &first, error) ||
      ! stage_plan (&s, &second, rows * 2 / 3, 1, &last, error))
    return FALSE;
  *bytes = first + last;
  return TRUE;
}

static gboolean
enlarge_twice (const SumiEnlarge *enlarge, SumiSink *sink, SumiJob *job, SumiEval *eval, GError **error)
{
  const double rows = (double) enlarge->memory / 3;
  Between between;
  SumiEnlarge second;
  Stage s = { 0 };
  gboolean ok;

  split (enlarge, &between, &second);
  between.job.cancellable = job ? job->cancellable : NULL;
  ok = stage_start (&between.stage, &between.what, &between.sink, &between.job, eval, rows / 3, 2, error) &&
       stage_start (&s, &second, sink, job, eval, rows * 2 / 3, 1, error);
  s.between = &between;
  ok = ok && run_stage (&s, error);
  stage_clear (&s);
  stage_clear (&between.stage);
  g_free (between.rows);
  return ok;
}

gboolean
sumi_enlarge (const SumiEnlarge *enlarge, SumiSink *sink, SumiJob *job, GError **error)
{
  g_autoptr (SumiEval) eval = NULL;
  Stage s = { 0 };
  gboolean ok;

  g_return_val_if_fail (sink->width == enlarge->photo->width * enlarge->factor, FALSE);
  g_return_val_if_fail (sink->height == enlarge->photo->height * enlarge->factor, FALSE);
  if (! sumi_enlarge_check (enlarge->model, error))
    return FALSE;

  eval = sumi_eval_new (sumi_backend_default (), enlarge->pool);
  eval->bf16 = enlarge->bf16;
  eval->cancellable = job ? job->cancellable : NULL;
  if (enlarge->factor == 8)
    return enlarge_twice (enlarge, sink, job, eval, error);

  ok = stage_start (&s, enlarge, sink, job, eval, (double) enlarge->memory / 3, 1, error) && run_stage (&s, error);
  stage_clear (&s);
  return ok;
}
