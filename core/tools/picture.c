/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/picture.h"

#include <glib/gi18n-lib.h>

#include "core/sumi.h"
#include "core/tools/pictures.h"

/* ---- load ------------------------------------------------------------- */

static gboolean
find_pixels (SumiPicture *self, GError **error)
{
  const SumiPixmap *m = &self->pixmap;
  SumiPixels *p = &self->pixels;

  p->sample = m->sample;
  p->bands = m->bands < 3 ? 1 : 3;
  p->has_alpha = m->bands == 2 || m->bands == 4;
  if (! m->has_profile)
    {
      p->colour = sumi_colour_new (p->sample == SUMI_SAMPLE_F32 ? SUMI_COLOUR_LINEAR : SUMI_COLOUR_SRGB, p->bands);
      return TRUE;
    }
  p->colour = sumi_colour_new_icc (m->profile, m->profile_size, p->bands, error);
  if (! p->colour)
    g_prefix_error (error, "“%s”: ", self->path);
  return p->colour != NULL;
}

SumiPicture *
sumi_picture_load (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (SumiPicture) self = g_new0 (SumiPicture, 1);

  self->path = g_strdup (path);
  if (! sumi_pictures ()->load (path, cancellable, &self->pixmap, error))
    return NULL;
  self->owns_file = TRUE;
  return find_pixels (self, error) ? g_steal_pointer (&self) : NULL;
}

void
sumi_picture_free (SumiPicture *self)
{
  if (! self)
    return;
  if (self->owns_file)
    sumi_pictures ()->unload (self->pixmap.file);
  g_clear_pointer (&self->pixels.colour, sumi_colour_unref);
  g_free (self->own);
  g_free (self->path);
  g_free (self);
}

gboolean
sumi_picture_is_opaque (const SumiPicture *self)
{
  const gsize bands = (gsize) self->pixmap.bands;

  if (! self->pixels.has_alpha)
    return TRUE;
  for (int y = 0; y < self->pixmap.height; y++)
    {
      gconstpointer row = sumi_picture_at (self, 0, y);

      for (gsize i = bands - 1; i < bands * (gsize) self->pixmap.width; i += bands)
        if (self->pixels.sample == SUMI_SAMPLE_U8  ? ((const guint8 *) row)[i] != 255 :
            self->pixels.sample == SUMI_SAMPLE_U16 ? ((const guint16 *) row)[i] != 65535 :
                                                     ! (((const float *) row)[i] >= 1))
          return FALSE;
    }
  return TRUE;
}

/* ---- convert ---------------------------------------------------------- */

SumiPicture *
sumi_picture_convert (const SumiPicture *self, const SumiPixels *pixels, GError **error)
{
  g_autoptr (SumiPicture) out = g_new0 (SumiPicture, 1);
  const int width = self->pixmap.width, height = self->pixmap.height;
  const gboolean same_colours = self->pixels.colour == pixels->colour;
  g_autofree float *row = g_new (float, 10 * (gsize) width);
  SumiPixels from = self->pixels, to = *pixels;
  gsize size;
  /* numbers of one colour space go across as they are: as sRGB's, since sRGB to and from the core is no change */
  g_autoptr (SumiColour) as_is = sumi_colour_new (SUMI_COLOUR_SRGB, from.bands);

  if (same_colours)
    from.colour = to.colour = as_is;
  out->path = g_strdup (self->path);
  out->pixels = *pixels;
  out->pixels.colour = sumi_colour_ref (pixels->colour);
  /* nothing to do, and nothing may be done: broken values of float files stay too */
  if (same_colours && from.sample == to.sample && from.bands == to.bands && from.has_alpha == to.has_alpha)
    {
      out->pixmap = self->pixmap;
      return g_steal_pointer (&out);
    }
  size = sumi_pixels_size (pixels) * (gsize) width;
  out->own = g_try_malloc_n ((gsize) height, size);
  if (! out->own)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, _ ("no memory to convert “%s”"), self->path);
      return NULL;
    }
  out->pixmap = (SumiPixmap){
    .width = width,
    .height = height,
    .bands = pixels->bands + (pixels->has_alpha ? 1 : 0),
    .sample = pixels->sample,
    .data = out->own,
  };
  for (int y = 0; y < height; y++)
    {
      sumi_pixels_decode (&from, sumi_picture_at (self, 0, y), row, row + 4 * (gsize) width, width);
      sumi_pixels_encode (&to, row, out->own + (gsize) y * size, row + 4 * (gsize) width, width);
    }
  return g_steal_pointer (&out);
}

/* ---- sources ---------------------------------------------------------- */

typedef struct
{
  SumiSource source;
  const SumiPicture *picture;
  SumiPixels pixels; /* of the picture; a mask's numbers count as they are stored, so colour is then sRGB's, owned */
  gboolean coverage;
  float *row;
} PictureSource;

static gboolean
read_pixels (SumiSource *source, const SumiRect *rect, float *pixels, GError **error)
{
  PictureSource *self = (PictureSource *) source;
  const gsize n = (gsize) rect->width;

  for (int y = 0; y < rect->height; y++)
    {
      float *rgba = self->coverage ? self->row : pixels + 4 * n * (gsize) y;

      sumi_pixels_decode (&self->pixels, sumi_picture_at (self->picture, rect->x, rect->y + y), rgba, self->row + 4 * n,
                          rect->width);
      if (self->coverage)
        for (gsize i = 0; i < n; i++)
          {
            const float *p = rgba + 4 * i;
            /* the luminance of sRGB, exact where all three are the same */
            const float v = p[1] + 0.2126f * (p[0] - p[1]) + 0.0722f * (p[2] - p[1]);

            pixels[n * (gsize) y + i] = CLAMP (v, 0, 1) * p[3];
          }
    }
  return TRUE;
}

static void
free_source (SumiSource *source)
{
  PictureSource *self = (PictureSource *) source;

  sumi_colour_unref (self->pixels.colour);
  g_free (self->row);
  g_free (self);
}

static SumiSource *
new_source (const SumiPicture *picture, gboolean coverage)
{
  PictureSource *self = g_new0 (PictureSource, 1);

  self->source = (SumiSource){
    .width = picture->pixmap.width,
    .height = picture->pixmap.height,
    .channels = coverage ? 1 : 4,
    .has_alpha = ! coverage && picture->pixels.has_alpha,
    .is_grey = picture->pixels.bands == 1,
    .read = read_pixels,
    .free = free_source,
  };
  self->picture = picture;
  self->pixels = picture->pixels;
  self->pixels.colour =
      coverage ? sumi_colour_new (SUMI_COLOUR_SRGB, picture->pixels.bands) : sumi_colour_ref (picture->pixels.colour);
  self->coverage = coverage;
  self->row = g_new (float, 10 * (gsize) picture->pixmap.width);
  return &self->source;
}

SumiSource *
sumi_picture_source (const SumiPicture *picture)
{
  return new_source (picture, FALSE);
}

SumiSource *
sumi_picture_coverage (const SumiPicture *picture)
{
  return new_source (picture, TRUE);
}
