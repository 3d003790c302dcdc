/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two working sizes: the model sees the whole scene at the size it knows scenes at; strokes are spread at a larger
 * one, where thin strokes and edges still show. Where a pixel is well connected to strokes they decide, elsewhere the
 * model, which was told of the strokes too. */
#include "core/task/tint.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/base/parallel.h"
#include "core/task/clean.h"
#include "core/task/colour.h"
#include "core/task/guided.h"
#include "core/task/propagate.h"
#include "core/task/resample.h"
#include "core/tensor/backend.h"
#include "core/tensor/eval.h"

#define MODEL_SIDE 320
#define WORK_SIDE  512
#define LEAST_SIDE 64 /* with less there is nothing to see */

/* Per pixel: of the model's picture besides its own buffers; of the working picture, without strokes and with. */
#define MODEL_BYTES  60
#define WORK_BYTES   64
#define STROKE_BYTES 400

/* Connection to strokes at which they begin to count, and from which they alone do. */
#define FAINT 0.02f
#define SURE  0.12f

/* Coverage from which a small pixel counts as told to the model. */
#define TOLD 0.2f

/* Estimated noise beyond this is texture. */
#define MOST_NOISE 0.06

gboolean
sumi_tint_check (SumiModel *model, GError **error)
{
  if (model->family->evidence & SUMI_EVIDENCE_GREY)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
               "model “%s” (family “%s”) cannot colour: choose one of family “restore”, such as sumi-restore",
               model->name, model->family->key);
  return FALSE;
}

gboolean
sumi_tint_check_hints (SumiSource *hints, GError **error)
{
  if (! hints || hints->has_alpha)
    return TRUE;
  g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_INPUT,
                       "the picture of colour hints has no transparency, so all of it would be a stroke: paint strokes "
                       "on a transparent layer");
  return FALSE;
}

static void
to_luminance (gpointer data, float *pixels, gsize n, int channels)
{
  for (; n > 0; n--, pixels += channels)
    {
      const float y = sumi_luminance (pixels);
      pixels[0] = CLAMP (y, 0, 1);
    }
}

/* R − Y, B − Y times coverage, unused, coverage: may be averaged. */
static void
to_stroke (gpointer data, float *pixels, gsize n, int channels)
{
  for (; n > 0; n--, pixels += channels)
    {
      float chroma[2];
      const float alpha = CLAMP (pixels[3], 0, 1);

      sumi_chroma (pixels, chroma);
      pixels[0] = CLAMP (chroma[0], -1, 1) * alpha;
      pixels[1] = CLAMP (chroma[1], -1, 1) * alpha;
      pixels[2] = 0;
      pixels[3] = alpha;
    }
}

static SumiImage *
first_channel (const SumiImage *in, GError **error)
{
  SumiImage *out = sumi_image_new (in->width, in->height, 1, error);

  for (gsize i = 0, n = (gsize) in->width * (gsize) in->height; out && i < n; i++)
    out->data[i] = in->data[i * (gsize) in->channels];
  return out;
}

/* The model's answer: Y, R − Y, B − Y at the size of @luminance. */
static SumiImage *
ask_model (const SumiTint *tint, const SumiImage *luminance, const SumiImage *strokes, SumiJob *job, GError **error)
{
  const int w = luminance->width, h = luminance->height;
  g_autoptr (SumiImage) picture = sumi_image_new (w, h, 3, error);
  g_autoptr (SumiImage) grey = picture ? sumi_image_new (w, h, 1, error) : NULL;
  g_autoptr (SumiImage) answer = NULL;
  g_autoptr (SumiEval) eval = NULL;
  SumiEvidence evidence = { .picture = picture, .grey = grey, .factor = 1 };

  if (! grey)
    return NULL;
  for (gsize i = 0, n = (gsize) w * (gsize) h; i < n; i++)
    {
      const float *stroke = strokes ? strokes->data + 4 * i : NULL;
      const gboolean told = stroke && stroke[3] >= TOLD;
      const float chroma[2] = { told ? stroke[0] / stroke[3] : 0, told ? stroke[1] / stroke[3] : 0 };

      sumi_colour_join (luminance->data[i], chroma, picture->data + 3 * i);
      grey->data[i] = ! told;
    }
  eval = sumi_eval_new (sumi_backend_default (), tint->pool);
  eval->bf16 = tint->bf16;
  eval->cancellable = job ? job->cancellable : NULL;
  answer = sumi_model_predict (tint->model, eval, &evidence, &tint->how, job, error);
  if (! answer)
    return NULL;
  for (gsize i = 0, n = (gsize) w * (gsize) h; i < n; i++)
    {
      float *p = answer->data + 3 * i, chroma[2];

      sumi_chroma (p, chroma);
      p[0] = luminance->data[i], p[1] = chroma[0], p[2] = chroma[1];
    }
  return g_steal_pointer (&answer);
}

/* The luminance as strokes are to see it: noise, which would stop them, taken out. */
static SumiImage *
calm_luminance (const SumiTint *tint, const SumiImage *luminance, GError **error)
{
  const gsize n = (gsize) luminance->width * (gsize) luminance->height;
  g_autoptr (SumiImage) rgb = sumi_image_new (luminance->width, luminance->height, 3, error);
  const double sigma = MIN (sumi_noise_sigma (luminance), MOST_NOISE);

  if (! rgb)
    return NULL;
  for (gsize i = 0; i < n; i++)
    rgb->data[3 * i] = rgb->data[3 * i + 1] = rgb->data[3 * i + 2] = luminance->data[i];
  if (sigma > 0 && ! sumi_clean (tint->pool, rgb, 0, 0, sigma * sqrt (3), error))
    return NULL;
  return first_channel (rgb, error);
}

static SumiImage *
read_strokes (const SumiTint *tint, int width, int height, SumiJob *job, GError **error)
{
  return sumi_source_shrink (tint->pool, tint->hints, width, height, to_stroke, NULL, job, error);
}

/* Lets strokes decide where they reach. */
static void
blend_strokes (SumiImage *map, const SumiImage *spread)
{
  for (gsize i = 0, n = (gsize) map->width * (gsize) map->height; i < n; i++)
    {
      const float *s = spread->data + 3 * i;
      float *p = map->data + 3 * i, t = CLAMP ((s[2] - FAINT) / (SURE - FAINT), 0, 1);

      t = t * t * (3 - 2 * t);
      p[1] += t * (s[0] - p[1]);
      p[2] += t * (s[1] - p[2]);
    }
}

/* The two working sizes, smaller than they could be where memory is short. */
static gboolean
find_sides (const SumiTint *tint, int *model_side, int *work_side, GError **error)
{
  const double model_bytes = sumi_model_get_bytes (tint->model, &tint->how, 1) + MODEL_BYTES;
  const double work_bytes = tint->hints ? STROKE_BYTES : WORK_BYTES, half = (double) tint->memory / 2;

  *model_side = (int) MIN (sqrt (half / model_bytes), MODEL_SIDE);
  *work_side = (int) MIN (sqrt (half / work_bytes), WORK_SIDE);
  if (*model_side >= LEAST_SIDE && *work_side >= LEAST_SIDE)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY,
               "colouring needs at least %.0f MB, %.0f MB are allowed: raise “memory”",
               ceil (2 * LEAST_SIDE * LEAST_SIDE * MAX (model_bytes, work_bytes) * 1e-6), (double) tint->memory * 1e-6);
  return FALSE;
}

gboolean
sumi_tint_get_peak (const SumiTint *tint, double *bytes, GError **error)
{
  const SumiSource *photo = tint->photo;
  int side, model_side, width, height, model_width, model_height;

  if (! sumi_tint_check (tint->model, error) || ! find_sides (tint, &model_side, &side, error))
    return FALSE;
  sumi_size_within (photo->width, photo->height, side, &width, &height);
  sumi_size_within (photo->width, photo->height, model_side, &model_width, &model_height);
  *bytes = sumi_model_get_bytes (tint->model, &tint->how, (double) model_width * model_height) +
           (double) model_width * model_height * MODEL_BYTES +
           (double) width * height * (tint->hints ? STROKE_BYTES : WORK_BYTES) + 80.0 * (1 << 17);
  return TRUE;
}

SumiImage *
sumi_tint_plan (const SumiTint *tint, SumiJob *job, GError **error)
{
  SumiSource *photo = tint->photo;
  g_autoptr (SumiImage) shrunk = NULL, luminance = NULL, small = NULL, strokes = NULL, told = NULL, spread = NULL;
  g_autoptr (SumiImage) answer = NULL, map = NULL, calm = NULL;
  g_autofree float *chroma = NULL;
  SumiJobRange outer;
  int width, height, model_width, model_height, side, model_side;

  if (! sumi_tint_check (tint->model, error) || ! find_sides (tint, &model_side, &side, error))
    return NULL;
  sumi_size_within (photo->width, photo->height, side, &width, &height);
  sumi_size_within (photo->width, photo->height, model_side, &model_width, &model_height);

  sumi_job_progress (job, 0, _ ("Looking at the scene"));
  outer = sumi_job_enter (job, 0, 0.3);
  shrunk = sumi_source_shrink (tint->pool, photo, width, height, to_luminance, NULL, job, error);
  sumi_job_leave (job, outer);
  luminance = shrunk ? first_channel (shrunk, error) : NULL;
  if (! luminance)
    return NULL;
  {
    g_autoptr (SumiSource) again = sumi_source_new_image (luminance);

    small = sumi_source_shrink (tint->pool, again, model_width, model_height, NULL, NULL, NULL, error);
  }
  if (! small)
    return NULL;
  if (tint->hints)
    {
      outer = sumi_job_enter (job, 0.3, 0.4);
      strokes = read_strokes (tint, width, height, job, error);
      sumi_job_leave (job, outer);
      if (! strokes)
        return NULL;
      g_autoptr (SumiSource) again = sumi_source_new_image (strokes);
      told = sumi_source_shrink (tint->pool, again, model_width, model_height, NULL, NULL, NULL, error);
      if (! told)
        return NULL;
    }

  outer = sumi_job_enter (job, 0.4, 0.8);
  answer = ask_model (tint, small, told, job, error);
  sumi_job_leave (job, outer);
  map = answer ? sumi_image_new (width, height, 3, error) : NULL;
  chroma = g_try_new (float, 2 * (gsize) width * (gsize) height);
  if (! map || ! chroma)
    {
      if (map)
        g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory to colour %d×%d pixels", width, height);
      return NULL;
    }
  sumi_guided_chroma (tint->pool, answer, width, height, &(SumiRect){ 0, 0, width, height }, luminance->data, 1,
                      chroma);
  for (gsize i = 0, n = (gsize) width * (gsize) height; i < n; i++)
    {
      float *p = map->data + 3 * i;
      p[0] = luminance->data[i], p[1] = chroma[2 * i], p[2] = chroma[2 * i + 1];
    }
  if (strokes)
    {
      sumi_job_progress (job, 0.8, _ ("Spreading the strokes"));
      calm = calm_luminance (tint, luminance, error);
      spread = calm ? sumi_propagate (tint->pool, calm, strokes, job, error) : NULL;
      if (! spread)
        return NULL;
      blend_strokes (map, spread);
    }
  sumi_job_progress (job, 1, NULL);
  return g_steal_pointer (&map);
}

/* ---- the coloured photo ----------------------------------------------- */

typedef struct
{
  SumiSource source;
  SumiSource *photo;
  SumiImage *map;
  double saturation;
  SumiPool *pool;
} TintSource;

typedef struct
{
  float *pixels, *luminance;
  const float *chroma;
  float saturation;
  gsize width;
} TintRows;

static void
luminance_row (gpointer data, int index, int thread)
{
  const TintRows *r = data;
  const gsize at = (gsize) index * r->width;

  for (gsize i = at; i < at + r->width; i++)
    r->luminance[i] = sumi_luminance (r->pixels + 4 * i);
}

static void
join_row (gpointer data, int index, int thread)
{
  const TintRows *r = data;
  const gsize at = (gsize) index * r->width;

  sumi_colour_join_row (r->luminance + at, r->chroma + 2 * at, r->saturation, r->pixels + 4 * at, (int) r->width);
}

static gboolean
tint_source_read (SumiSource *self, const SumiRect *rect, float *pixels, GError **error)
{
  const TintSource *s = (TintSource *) self;
  const gsize n = (gsize) rect->width * (gsize) rect->height;
  g_autofree float *luminance = NULL, *chroma = NULL;

  if (! s->photo->read (s->photo, rect, pixels, error))
    return FALSE;
  luminance = g_try_new (float, n);
  chroma = g_try_new (float, 2 * n);
  if (! luminance || ! chroma)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory to colour %d×%d pixels", rect->width, rect->height);
      return FALSE;
    }
  TintRows rows = { pixels, luminance, chroma, (float) s->saturation, (gsize) rect->width };
  sumi_parallel_for (s->pool, rect->height, luminance_row, &rows);
  sumi_guided_chroma (s->pool, s->map, self->width, self->height, rect, luminance, 1, chroma);
  sumi_parallel_for (s->pool, rect->height, join_row, &rows);
  return TRUE;
}

static void
tint_source_free (SumiSource *self)
{
  sumi_image_unref (((TintSource *) self)->map);
  g_free (self);
}

SumiSource *
sumi_tint_source_new (SumiSource *photo, SumiImage *map, double saturation, SumiPool *pool)
{
  TintSource *s = g_new0 (TintSource, 1);

  *s = (TintSource){
    .source = {
        .width = photo->width,
        .height = photo->height,
        .channels = 4,
        .has_alpha = photo->has_alpha,
        .read = tint_source_read,
        .free = tint_source_free,
    },
    .photo = photo,
    .map = sumi_image_ref (map),
    .saturation = saturation,
    .pool = pool,
  };
  return &s->source;
}
