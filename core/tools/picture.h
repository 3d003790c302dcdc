/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Picture files as the command sees them: decoded in memory in their own precision, upright, with their metadata. */
#pragma once

#include "core/sumi.h"
#include "core/tools/colour.h"
#include "core/tools/pictures/module.h"

G_BEGIN_DECLS

/* What a file's numbers are. */
typedef struct
{
  SumiSample sample;
  int bands;          /* of colour: 1 or 3 */
  gboolean has_alpha; /* one band more, straight */
  SumiColour *colour;
} SumiPixels;

gsize sumi_pixels_size (const SumiPixels *pixels); /* bytes of one pixel */

typedef struct
{
  SumiPixmap pixmap; /* of @pixels' sample and bands */
  SumiPixels pixels;
  char *path;
  gboolean owns_file; /* whether pixmap.file is freed with this */
  guint8 *own;        /* (nullable): pixmap.data where the file's are not used */
} SumiPicture;

/* Reads @path whole; sumi_pictures_open() must have succeeded. Palettes are expanded; the EXIF orientation is applied
 * and taken out. An alpha that is opaque everywhere stays. Fails with a GFileError, %SUMI_ERROR_FORMAT (damaged,
 * truncated, not a picture), %SUMI_ERROR_UNSUPPORTED (CMYK, several pages ...) or %SUMI_ERROR_MEMORY; messages name the
 * file. Float files without a profile are taken as linear light with sRGB's primaries.
 * @cancellable: (nullable) */
SumiPicture *sumi_picture_load (const char *path, GCancellable *cancellable, GError **error);
void sumi_picture_free (SumiPicture *picture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiPicture, sumi_picture_free)

/* Returns: row @y from column @x on */
static inline const guint8 *
sumi_picture_at (const SumiPicture *picture, int x, int y)
{
  return picture->pixmap.data +
         ((gsize) y * (gsize) picture->pixmap.width + (gsize) x) * sumi_pixels_size (&picture->pixels);
}

/* Returns: whether every pixel's alpha is full, or there is none. */
gboolean sumi_picture_is_opaque (const SumiPicture *picture);

/* The picture in another form: bits rounded, grey to RGB, or through the core's colours where @pixels->colour
 * differs. Alpha is dropped or added (opaque). Metadata do not come along. @picture must
 * outlive the new one, which shares its pixels where nothing changes.
 * Returns: (transfer full) */
SumiPicture *sumi_picture_convert (const SumiPicture *picture, const SumiPixels *pixels, GError **error);

/* RGBA for the core. @picture must outlive it. */
SumiSource *sumi_picture_source (const SumiPicture *picture);
/* One channel: luminance of the stored numbers × alpha, [0, 1]. */
SumiSource *sumi_picture_coverage (const SumiPicture *picture);

/* Rows of @n pixels between the forms. @native: [n, bands + alpha] of @pixels->sample; @scratch: [n, 6] */
void sumi_pixels_decode (const SumiPixels *pixels, gconstpointer native, float *rgba, float *scratch, int n);
void sumi_pixels_encode (const SumiPixels *pixels, const float *rgba, gpointer native, float *scratch, int n);
/* native += coverage · (rgba − native), pixel by pixel, in the stored numbers; colours are weighted by their alphas.
 * Where coverage is 0 not a bit changes. @coverage: [n] */
void sumi_pixels_mix (const SumiPixels *pixels,
                      const float *rgba,
                      const float *coverage,
                      gpointer native,
                      float *scratch,
                      int n);
int sumi_pixels_bits (const SumiPixels *pixels); /* of one sample */

G_END_DECLS
