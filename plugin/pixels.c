/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plugin/pixels.h"

#include <math.h>
#include <string.h>

/* ---- profiles ---------------------------------------------------------- */

gboolean
sumi_pixels_profile_init (SumiPixelsProfile *self, GimpColorProfile *profile, const Babl *layer_format, GError **error)
{
  GimpColorProfile *srgb = NULL;
  const Babl *srgb_format = babl_format ("R'G'B'A float");
  const GimpColorRenderingIntent intent = GIMP_COLOR_RENDERING_INTENT_RELATIVE_COLORIMETRIC;
  const GimpColorTransformFlags flags =
      GIMP_COLOR_TRANSFORM_FLAGS_BLACK_POINT_COMPENSATION | GIMP_COLOR_TRANSFORM_FLAGS_NOOPTIMIZE;
  GError *ignored = NULL;

  memset (self, 0, sizeof *self);
  if (! profile)
    return TRUE;
  if (gimp_color_profile_get_space (profile, intent, &ignored))
    return TRUE;
  g_clear_error (&ignored);
  if (! gimp_color_profile_is_rgb (profile))
    return TRUE;

  /* the layers' format has no space then: babl hands the numbers over as they are if only the encoding stays */
  self->format = sumi_pixels_get_encoding (layer_format) ? srgb_format : babl_format ("RGBA float");
  srgb = gimp_color_profile_new_rgb_srgb ();
  self->to_srgb = gimp_color_transform_new (profile, self->format, srgb, srgb_format, intent, flags);
  self->from_srgb = gimp_color_transform_new (srgb, srgb_format, profile, self->format, intent, flags);
  g_object_unref (srgb);
  if (self->to_srgb && self->from_srgb)
    return TRUE;
  sumi_pixels_profile_clear (self);
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
               "the image's colour profile “%s” works in one direction only: convert the image to sRGB "
               "(Image ▸ Color Management) and try again",
               gimp_color_profile_get_label (profile));
  return FALSE;
}

void
sumi_pixels_profile_clear (SumiPixelsProfile *self)
{
  g_clear_object (&self->to_srgb);
  g_clear_object (&self->from_srgb);
}

/* ---- formats ----------------------------------------------------------- */

/* "R'G'B'A" -> '\'' */
char
sumi_pixels_get_encoding (const Babl *format)
{
  const char *model = babl_get_name (babl_format_get_model (format));

  return strchr (model, '\'') ? '\'' : strchr (model, '~') ? '~' : '\0';
}

const Babl *
sumi_pixels_get_result_format (const Babl *layer_format, gboolean colour)
{
  const char encoding = sumi_pixels_get_encoding (layer_format);
  const gboolean was_grey = babl_format_get_n_components (layer_format) < 3;
  const char *type = babl_get_name (babl_format_get_type (layer_format, 0));
  g_autofree char *name = NULL;
  char mark[2] = { encoding, '\0' };

  if (colour || ! was_grey)
    name = g_strdup_printf ("R%sG%sB%sA %s", mark, mark, mark, type);
  else
    name = g_strdup_printf ("Y%sA %s", mark, type);
  /* a grey image that becomes RGB becomes sRGB */
  return babl_format_with_space (name, colour && was_grey ? NULL : babl_format_get_space (layer_format));
}

/* ---- reading ----------------------------------------------------------- */

typedef struct
{
  SumiSource source;
  GeglBuffer *buffer;
  int x, y;
  gboolean may_be_wild; /* floats hold anything */
  gboolean is_bounded;
  SumiRect bounds;
  const Babl *format;
  const SumiPixelsProfile *profile;
} BufferSource;

static void
tame (float *pixels, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (! isfinite (pixels[i]))
      pixels[i] = isnan (pixels[i]) ? 0.0f : CLAMP (pixels[i], -65504.0f, 65504.0f);
}

static gboolean
buffer_source_read (SumiSource *source, const SumiRect *rect, float *pixels, GError **error)
{
  BufferSource *self = (BufferSource *) source;
  const GeglRectangle where = { rect->x + self->x, rect->y + self->y, rect->width, rect->height };
  const gsize n = (gsize) rect->width * (gsize) rect->height;
  SumiRect common;

  if (self->is_bounded && ! sumi_rect_intersect (rect, &self->bounds, &common))
    {
      memset (pixels, 0, n * (gsize) source->channels * sizeof (float));
      return TRUE;
    }
  gegl_buffer_get (self->buffer, &where, 1.0, self->format, pixels, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
  if (self->may_be_wild)
    tame (pixels, n * (gsize) source->channels);
  if (self->profile && self->profile->to_srgb)
    gimp_color_transform_process_pixels (self->profile->to_srgb, self->format, pixels, babl_format ("R'G'B'A float"),
                                         pixels, n);
  return TRUE;
}

static void
buffer_source_free (SumiSource *source)
{
  BufferSource *self = (BufferSource *) source;

  g_object_unref (self->buffer);
  g_free (self);
}

static BufferSource *
buffer_source_new (GeglBuffer *buffer, int x, int y, int width, int height, int channels)
{
  BufferSource *self = g_new0 (BufferSource, 1);
  const Babl *own = gegl_buffer_get_format (buffer);
  const char *type = babl_get_name (babl_format_get_type (own, 0));

  self->source = (SumiSource){
    .width = width,
    .height = height,
    .channels = channels,
    .has_alpha = channels == 4 && babl_format_has_alpha (own),
    .is_grey = babl_format_get_n_components (own) < 3,
    .read = buffer_source_read,
    .free = buffer_source_free,
  };
  self->buffer = g_object_ref (buffer);
  self->x = x;
  self->y = y;
  self->may_be_wild = ! g_str_has_prefix (type, "u");
  /* a selection's coverage is stored as linear "Y" whatever the image's encoding */
  self->format = channels == 1 ? babl_format ("Y float") : babl_format ("R'G'B'A float");
  return self;
}

SumiSource *
sumi_source_new_buffer (GeglBuffer *buffer, int x, int y, int width, int height, const SumiPixelsProfile *profile)
{
  BufferSource *self = buffer_source_new (buffer, x, y, width, height, 4);

  if (profile && profile->to_srgb)
    {
      self->profile = profile;
      self->format = profile->format;
    }
  return &self->source;
}

SumiSource *
sumi_source_new_coverage (GeglBuffer *buffer, int x, int y, int width, int height, const SumiRect *bounds)
{
  BufferSource *self = buffer_source_new (buffer, x, y, width, height, 1);

  self->is_bounded = TRUE;
  self->bounds = *bounds;
  return &self->source;
}

/* ---- writing ----------------------------------------------------------- */

static gboolean
buffer_sink_write (SumiSink *sink, int y, int rows, const float *rgba, const float *coverage, GError **error)
{
  SumiBufferSink *self = (SumiBufferSink *) sink;
  const GeglRectangle where = { 0, y, sink->width, rows };
  const gsize n = (gsize) sink->width * (gsize) rows;

  g_return_val_if_fail (y >= 0 && rows > 0 && y + rows <= sink->height, FALSE);
  if (self->profile && self->profile->from_srgb)
    {
      g_autofree float *own = g_try_malloc_n (n, 4 * sizeof (float));

      if (! own)
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory for %d rows of the result", rows);
          return FALSE;
        }
      gimp_color_transform_process_pixels (self->profile->from_srgb, babl_format ("R'G'B'A float"), rgba,
                                           self->profile->format, own, n);
      gegl_buffer_set (self->pixels, &where, 0, self->profile->format, own, GEGL_AUTO_ROWSTRIDE);
    }
  else
    gegl_buffer_set (self->pixels, &where, 0, babl_format ("R'G'B'A float"), rgba, GEGL_AUTO_ROWSTRIDE);
  if (self->coverage && coverage)
    gegl_buffer_set (self->coverage, &where, 0, babl_format ("Y float"), coverage, GEGL_AUTO_ROWSTRIDE);
  return TRUE;
}

SumiBufferSink *
sumi_buffer_sink_new (int width,
                      int height,
                      const Babl *format,
                      gboolean has_coverage,
                      const SumiPixelsProfile *profile)
{
  SumiBufferSink *self = g_new0 (SumiBufferSink, 1);
  const GeglRectangle extent = { 0, 0, width, height };

  self->sink = (SumiSink){ .width = width, .height = height, .write = buffer_sink_write };
  self->pixels = gegl_buffer_new (&extent, format);
  self->coverage = has_coverage ? gegl_buffer_new (&extent, babl_format ("Y float")) : NULL;
  self->profile = profile;
  return self;
}

void
sumi_buffer_sink_free (SumiBufferSink *self)
{
  g_clear_object (&self->pixels);
  g_clear_object (&self->coverage);
  g_free (self);
}
