/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The residual of a known pixel is 0, for there the guess is the picture; so is the luminance of a residual over a grey
 * guess. Of an enlarged guide the photo's own pixels are known: they are means of the picture's blocks. */
#include "core/model/restore-method.h"

#include <string.h>

#include "core/base/image.h"
#include "core/model/model.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

static float
map_value (const SumiImage *map, int x, int y)
{
  return map ? *sumi_image_at (map, x, y) : 0;
}

/* A tensor of zeros. */
static SumiTensor *
new_zeros (SumiEval *ev, const int *shape)
{
  SumiTensor *t = sumi_eval_tensor (ev, 4, shape);

  for (gsize i = 0, n = ev->error ? 0 : sumi_tensor_count (t); i < n; i++)
    sumi_tensor_f32 (t)[i] = 0;
  return t;
}

static SumiTensor *
new_map (SumiEval *ev, const SumiTensor *like)
{
  return new_zeros (ev, (const int[]){ 1, like->shape[1], like->shape[2], 1 });
}

/* The picture's pixel that the padded one at (@i, @j) shows. */
static void
find_pixel (const SumiRestoreFrame *f, int i, int j, int *x, int *y)
{
  *x = sumi_restore_reflect (i - f->left, f->guess->width);
  *y = sumi_restore_reflect (j - f->top, f->guess->height);
}

/* (@picture − b)/s where pixels are missing, 0 elsewhere. */
static SumiTensor *
read_residual (SumiEval *ev, const SumiRestoreFrame *f, const SumiImage *picture)
{
  SumiTensor *u = new_zeros (ev, f->b->shape);
  const int width = f->b->shape[2], height = f->b->shape[1];

  for (int j = 0; ! ev->error && j < height; j++)
    for (int i = 0; i < width; i++)
      {
        const gsize at = 3 * ((gsize) j * (gsize) width + (gsize) i);
        int x, y;

        find_pixel (f, i, j, &x, &y);
        if (f->evidence->missing && ! (map_value (f->evidence->missing, x, y) > 0))
          continue;
        for (gsize c = 0; c < 3; c++)
          {
            const float v = CLAMP (2 * sumi_image_at (picture, x, y)[c] - 1, -1, 1);

            sumi_tensor_f32 (u)[at + c] = (v - sumi_tensor_f32 (f->b)[at + c]) / (float) f->s;
          }
      }
  return u;
}

/* Where pixels may change: all that is missing or, with @grey, known by luminance only. @known: out, whether any pixel
 * is known exactly. */
static SumiTensor *
read_free (SumiEval *ev, const SumiRestoreFrame *f, gboolean *known)
{
  SumiTensor *free = new_map (ev, f->b);
  const int width = f->b->shape[2], height = f->b->shape[1];

  *known = FALSE;
  for (int j = 0; ! ev->error && j < height; j++)
    for (int i = 0; i < width; i++)
      {
        float *out = sumi_tensor_f32 (free) + (gsize) j * (gsize) width + i;
        int x, y;

        find_pixel (f, i, j, &x, &y);
        *out = map_value (f->evidence->missing, x, y);
        if (! (*out > 0) && map_value (f->evidence->grey, x, y) > 0)
          *out = 1;
        *out = CLAMP (*out, 0, 1);
        *known |= ! (*out > 0);
      }
  return free;
}

/* ---- grey ------------------------------------------------------------------ */

/* 0 where only the luminance is known, 1 elsewhere. */
static SumiTensor *
read_colourful (SumiEval *ev, const SumiRestoreFrame *f)
{
  SumiTensor *map = new_map (ev, f->b);
  const int width = f->b->shape[2], height = f->b->shape[1];

  for (int j = 0; ! ev->error && j < height; j++)
    for (int i = 0; i < width; i++)
      {
        int x, y;

        find_pixel (f, i, j, &x, &y);
        sumi_tensor_f32 (map)[(gsize) j * (gsize) width + (gsize) i] =
            map_value (f->evidence->missing, x, y) > 0 || ! (map_value (f->evidence->grey, x, y) > 0);
      }
  return map;
}

/* The luminance of grey pixels, and exact ones. */
static SumiOperator *
observe_grey (SumiEval *ev, const SumiRestoreFrame *f, const SumiTensor *free, gboolean known, GError **error)
{
  const int *shape = f->b->shape;
  const int flat[] = { 1, shape[1], shape[2], 1 };
  SumiTensor *colourful = read_colourful (ev, f);
  SumiOperator *parts[2];

  if (ev->error)
    return NULL;
  parts[0] = sumi_operator_new_composed (sumi_operator_new_mask (flat, colourful, FALSE, error),
                                         sumi_operator_new_grey (shape, error), error);
  if (! known || ! parts[0])
    return parts[0];
  parts[1] = sumi_operator_new_mask (shape, free, FALSE, error);
  return sumi_operator_new_stack (2, parts, error);
}

/* ---- coarse ---------------------------------------------------------------- */

/* Whether the whole block of the enlarged picture that begins at the padded (@i, @j) is the photo's. */
static gboolean
is_seen (const SumiRestoreFrame *f, int i, int j, int factor)
{
  const int x = i - f->left, y = j - f->top;

  if (x < 0 || y < 0 || x + factor > f->guess->width || y + factor > f->guess->height)
    return FALSE;
  for (int b = 0; b < factor && f->evidence->missing; b++)
    for (int a = 0; a < factor; a++)
      if (map_value (f->evidence->missing, x + a, y + b) > 0)
        return FALSE;
  return TRUE;
}

/* Residuals of the photo over the means of b's blocks; the blocks that say nothing are marked in @unseen. */
static void
read_shrunk (const SumiRestoreFrame *f, int factor, SumiTensor *y, SumiTensor *unseen)
{
  const SumiEvidence *e = f->evidence;
  const int width = y->shape[2], height = y->shape[1];
  const int x0 = (e->x - f->left) / factor - e->shrunk_x, y0 = (e->y - f->top) / factor - e->shrunk_y;

  for (int j = 0; j < height; j++)
    for (int i = 0; i < width; i++)
      {
        const gsize at = (gsize) j * (gsize) width + (gsize) i;
        const gboolean inside = x0 + i >= 0 && y0 + j >= 0 && x0 + i < e->shrunk->width && y0 + j < e->shrunk->height;
        const gboolean seen = inside && is_seen (f, i * factor, j * factor, factor);
        float *out = sumi_tensor_f32 (y) + 3 * at;

        sumi_tensor_f32 (unseen)[at] = ! seen;
        for (int c = 0; c < 3; c++)
          out[c] = ! seen ?
                       0 :
                       (CLAMP (2 * sumi_image_at (e->shrunk, x0 + i, y0 + j)[c] - 1, -1, 1) - out[c]) / (float) f->s;
      }
}

/* @y: out. */
static SumiOperator *
observe_shrunk (SumiEval *ev, const SumiRestoreFrame *f, int factor, SumiTensor **y, GError **error)
{
  SumiOperator *box = sumi_operator_new_box (f->b->shape, factor, error);
  SumiTensor *unseen, *b;

  if (! box)
    return NULL;
  *y = new_zeros (ev, box->y_shape);
  unseen = new_map (ev, *y);
  b = sumi_operator_apply (box, ev, f->b);
  if (ev->error)
    {
      sumi_operator_free (box);
      return NULL;
    }
  memcpy ((*y)->data, b->data, sizeof (float) * sumi_tensor_count (b));
  read_shrunk (f, factor, *y, unseen);
  return sumi_operator_new_composed (sumi_operator_new_mask (box->y_shape, unseen, FALSE, error), box, error);
}

/* ---- all of it ------------------------------------------------------------- */

gboolean
sumi_restore_method_init (SumiRestoreMethod *self,
                          const SumiPlan *plan,
                          const SumiRestoreFrame *frame,
                          const SumiImage *reference,
                          SumiEval *ev,
                          GError **error)
{
  const SumiEvidence *e = frame->evidence;
  const int factor = (int) e->factor;
  SumiObservation *seen = &self->method.seen;
  gboolean known;
  SumiTensor *free = read_free (ev, frame, &known), *y = NULL;

  *self = (SumiRestoreMethod){ { .klass = plan->method, .options = plan->method_options } };
  if (ev->error)
    return sumi_eval_finish (ev, error);
  if (e->coarse && factor > 1 && e->shrunk)
    self->a = observe_shrunk (ev, frame, factor, &y, error);
  else if (e->grey && ! e->coarse)
    self->a = observe_grey (ev, frame, free, known, error);
  else
    self->a = sumi_operator_new_mask (frame->b->shape, free, FALSE, error);
  if (ev->error)
    return sumi_eval_finish (ev, error);
  if (! self->a)
    return FALSE;
  seen->a = self->a;
  seen->y = y ? y : new_zeros (ev, self->a->y_shape);
  seen->noise = e->coarse ? e->noise / frame->s : 0;
  if (! e->coarse)
    {
      seen->free = free;
      seen->known = read_residual (ev, frame, e->picture);
      seen->beyond_mask = e->grey != NULL;
    }
  if (plan->method->needs_reference)
    seen->reference = reference ? read_residual (ev, frame, reference) : new_zeros (ev, frame->b->shape);
  return sumi_eval_finish (ev, error);
}

void
sumi_restore_method_clear (SumiRestoreMethod *self)
{
  g_clear_pointer (&self->a, sumi_operator_free);
}
