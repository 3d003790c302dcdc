/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GEGL buffers as the core's sources and sinks. Knows buffers and profiles, no drawables: the same code serves every
 * GIMP. babl converts between a buffer's own precision and colour space and the core's sRGB floats; only profiles that
 * are tables ("LUT") are beyond babl and go through lcms (SumiPixelsProfile). */
#pragma once

#include <cairo.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gegl.h>
#include <libgimpcolor/gimpcolor.h>

#include "core/sumi.h"

G_BEGIN_DECLS

/* Transforms between a table profile and sRGB; both NULL when babl does it all. */
typedef struct
{
  const Babl *format; /* the numbers that the profile speaks of, as RGBA float */
  GimpColorTransform *to_srgb, *from_srgb;
} SumiPixelsProfile;

/* @profile: (nullable): of the image; @layer_format: of one of its layers. Fails when the profile is broken. */
gboolean
sumi_pixels_profile_init (SumiPixelsProfile *self, GimpColorProfile *profile, const Babl *layer_format, GError **error);
void sumi_pixels_profile_clear (SumiPixelsProfile *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SumiPixelsProfile, sumi_pixels_profile_clear)

/* Reads @width × @height pixels of @buffer whose first is at (@x, @y), as colours with straight alpha; what lies
 * outside the buffer is 0. @profile: (nullable): must outlive the source. Returns: (transfer full) */
SumiSource *
sumi_source_new_buffer (GeglBuffer *buffer, int x, int y, int width, int height, const SumiPixelsProfile *profile);

/* The same for coverage (a selection). @bounds: nothing outside it is > 0, in the source's coordinates: of a huge image
 * only that much is fetched. */
SumiSource *sumi_source_new_coverage (GeglBuffer *buffer, int x, int y, int width, int height, const SumiRect *bounds);

/* Returns: the format of a result beside a layer of @layer_format: same precision, with alpha; RGB when @colour. */
const Babl *sumi_pixels_get_result_format (const Babl *layer_format, gboolean colour);

/* Returns: '\'' for the curve of the format's space, '~' for the sRGB curve, 0 for linear light. */
char sumi_pixels_get_encoding (const Babl *format);

/* A result, off the image until the run has succeeded. */
typedef struct
{
  SumiSink sink;
  GeglBuffer *pixels;
  GeglBuffer *coverage; /* (nullable) "Y float" */
  const SumiPixelsProfile *profile;
} SumiBufferSink;

SumiBufferSink *sumi_buffer_sink_new (int width,
                                      int height,
                                      const Babl *format,
                                      gboolean has_coverage,
                                      const SumiPixelsProfile *profile);
void sumi_buffer_sink_free (SumiBufferSink *self);

G_END_DECLS
