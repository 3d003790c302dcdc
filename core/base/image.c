/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/image.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"

/* From here on the C library asks the system each time: huge pages are cheaper then. */
#define LARGE_MEMORY ((gsize) 32 << 20)

static SumiImage *
new_image (int width, int height, int channels, gboolean clear, GError **error)
{
  SumiImage *image;
  gsize n;

  g_return_val_if_fail (channels >= 1 && channels <= 4, NULL);
  if (width < 1 || height < 1)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE,
                   "a picture of %d×%d pixels was asked for: sides must be at least 1", width, height);
      return NULL;
    }
  n = (gsize) width * (gsize) height * (gsize) channels;
  image = g_new0 (SumiImage, 1);
  image->width = width;
  image->height = height;
  image->channels = channels;
  if (n < G_MAXSIZE / 8)
    image->data = clear                             ? calloc (n, sizeof (float)) :
                  n * sizeof (float) < LARGE_MEMORY ? malloc (n * sizeof (float)) :
                                                      sumi_memory_alloc (n * sizeof (float));
  g_atomic_ref_count_init (&image->refs);
  if (! image->data)
    {
      g_free (image);
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY,
                   "no memory for a picture of %d×%d pixels (%.0f MB); close other programs, or work on a smaller part",
                   width, height, (double) n * 4e-6);
      return NULL;
    }
  return image;
}

SumiImage *
sumi_image_new (int width, int height, int channels, GError **error)
{
  return new_image (width, height, channels, TRUE, error);
}

SumiImage *
sumi_image_new_unset (int width, int height, int channels, GError **error)
{
  return new_image (width, height, channels, FALSE, error);
}

SumiImage *
sumi_image_ref (SumiImage *image)
{
  g_atomic_ref_count_inc (&image->refs);
  return image;
}

void
sumi_image_unref (SumiImage *image)
{
  if (image && g_atomic_ref_count_dec (&image->refs))
    {
      free (image->data);
      g_free (image);
    }
}

SumiImage *
sumi_image_crop (const SumiImage *image, const SumiRect *rect, GError **error)
{
  SumiImage *out;

  g_return_val_if_fail (rect->x >= 0 && rect->y >= 0 && rect->x + rect->width <= image->width &&
                            rect->y + rect->height <= image->height,
                        NULL);
  out = sumi_image_new_unset (rect->width, rect->height, image->channels, error);
  if (! out)
    return NULL;
  for (int y = 0; y < rect->height; y++)
    memcpy (sumi_image_at (out, 0, y), sumi_image_at (image, rect->x, rect->y + y),
            sizeof (float) * (gsize) rect->width * (gsize) image->channels);
  return out;
}

SumiImage *
sumi_image_dup (const SumiImage *image, GError **error)
{
  return sumi_image_crop (image, &(SumiRect){ 0, 0, image->width, image->height }, error);
}

gboolean
sumi_rect_intersect (const SumiRect *a, const SumiRect *b, SumiRect *out)
{
  int x0 = MAX (a->x, b->x), y0 = MAX (a->y, b->y);
  int x1 = MIN (a->x + a->width, b->x + b->width), y1 = MIN (a->y + a->height, b->y + b->height);

  *out = (SumiRect){ x0, y0, MAX (0, x1 - x0), MAX (0, y1 - y0) };
  return x1 > x0 && y1 > y0;
}

/* ---- sources ---------------------------------------------------------- */

void
sumi_source_free (SumiSource *source)
{
  if (source)
    source->free (source);
}

typedef struct
{
  SumiSource source;
  SumiImage *image;
} ImageSource;

static gboolean
image_source_read (SumiSource *self, const SumiRect *rect, float *pixels, GError **error)
{
  const SumiImage *image = ((ImageSource *) self)->image;

  for (int y = 0; y < rect->height; y++)
    {
      const float *in = sumi_image_at (image, rect->x, rect->y + y);
      float *out = pixels + (gsize) y * (gsize) rect->width * (gsize) self->channels;

      if (image->channels == self->channels)
        memcpy (out, in, sizeof (float) * (gsize) rect->width * (gsize) self->channels);
      else
        for (int x = 0; x < rect->width; x++, in += 3, out += 4)
          {
            memcpy (out, in, 3 * sizeof (float));
            out[3] = 1;
          }
    }
  return TRUE;
}

static void
image_source_free (SumiSource *self)
{
  sumi_image_unref (((ImageSource *) self)->image);
  g_free (self);
}

SumiSource *
sumi_source_new_image (SumiImage *image)
{
  ImageSource *s = g_new0 (ImageSource, 1);

  s->image = sumi_image_ref (image);
  s->source = (SumiSource){
    .width = image->width,
    .height = image->height,
    .channels = image->channels == 1 ? 1 : 4,
    .has_alpha = image->channels == 4,
    .read = image_source_read,
    .free = image_source_free,
  };
  return &s->source;
}

SumiImage *
sumi_source_read (SumiSource *source, const SumiRect *rect, gboolean clamp, GError **error)
{
  const gsize pixel = (gsize) source->channels;
  g_autoptr (SumiImage) out = NULL, part = NULL;
  SumiRect in, inside = { 0, 0, 0, 0 };

  if (! sumi_rect_intersect (rect, &(SumiRect){ 0, 0, source->width, source->height }, &in))
    {
      if (! clamp)
        return sumi_image_new (rect->width, rect->height, source->channels, error);
      /* wholly outside: the nearest pixels of the edge are all that is asked for */
      in.x = CLAMP (rect->x, 0, source->width - 1);
      in.y = CLAMP (rect->y, 0, source->height - 1);
      in.width = CLAMP (rect->x + rect->width, in.x + 1, source->width) - in.x;
      in.height = CLAMP (rect->y + rect->height, in.y + 1, source->height) - in.y;
    }
  if (in.width == rect->width && in.height == rect->height && in.x == rect->x && in.y == rect->y)
    {
      out = sumi_image_new_unset (rect->width, rect->height, source->channels, error);
      return out && source->read (source, &in, out->data, error) ? g_steal_pointer (&out) : NULL;
    }
  part = sumi_image_new_unset (in.width, in.height, source->channels, error);
  out = part ? sumi_image_new (rect->width, rect->height, source->channels, error) : NULL;
  if (! out || ! source->read (source, &in, part->data, error))
    return NULL;
  sumi_rect_intersect (&in, rect, &inside);
  for (int y = 0; y < rect->height; y++)
    {
      const int py = CLAMP (rect->y + y, in.y, in.y + in.height - 1) - in.y, left = in.x - rect->x;
      const float *from = sumi_image_at (part, 0, py);

      if (! clamp && rect->y + y != in.y + py)
        continue;
      if (inside.width > 0)
        memcpy (sumi_image_at (out, left, y), from, (gsize) in.width * pixel * sizeof (float));
      for (int x = 0; clamp && x < rect->width; x++)
        {
          if (x == left && inside.width > 0)
            x += in.width;
          if (x < rect->width)
            memcpy (sumi_image_at (out, x, y), from + (gsize) CLAMP (x - left, 0, in.width - 1) * pixel,
                    pixel * sizeof (float));
        }
    }
  return g_steal_pointer (&out);
}

gboolean
sumi_source_bounds (SumiSource *mask, SumiRect *bounds, GError **error)
{
  const int band = CLAMP ((1 << 20) / mask->width, 1, mask->height);
  g_autofree float *row = g_try_new (float, (gsize) band *(gsize) mask->width);
  int x0 = mask->width, x1 = -1, y0 = mask->height, y1 = -1;

  g_return_val_if_fail (mask->channels == 1, FALSE);
  if (! row)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory to read a mask of %d×%d pixels", mask->width,
                   mask->height);
      return FALSE;
    }
  for (int y = 0; y < mask->height; y += band)
    {
      const int rows = MIN (band, mask->height - y);

      if (! mask->read (mask, &(SumiRect){ 0, y, mask->width, rows }, row, error))
        return FALSE;
      for (int j = 0; j < rows; j++)
        {
          const float *m = row + (gsize) j * (gsize) mask->width;
          int a = 0, b = mask->width - 1;

          while (a <= b && ! (m[a] > 0))
            a++;
          if (a > b)
            continue;
          while (! (m[b] > 0))
            b--;
          x0 = MIN (x0, a);
          x1 = MAX (x1, b);
          y0 = MIN (y0, y + j);
          y1 = y + j;
        }
    }
  if (x1 < 0)
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_INPUT,
                           "nothing is selected: mark the part to be worked on (white in a mask)");
      return FALSE;
    }
  *bounds = (SumiRect){ x0, y0, x1 - x0 + 1, y1 - y0 + 1 };
  return TRUE;
}
