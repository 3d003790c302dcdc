/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the command and its picture module say to each other. Everything that needs libvips, lcms2 and GExiv2 is in the
 * module, a shared object that is opened when the first picture is read: linking these libraries takes longer than most
 * commands. The module and the command share no symbols, only the table at the end. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

typedef enum
{
  SUMI_SAMPLE_U8,
  SUMI_SAMPLE_U16,
  SUMI_SAMPLE_F32,
} SumiSample;

/* A decoded file. */
typedef struct
{
  int width, height, bands; /* bands: 1 to 4 */
  SumiSample sample;
  const guint8 *data;    /* [height, width, bands] of @sample */
  gboolean has_profile;  /* then ... */
  gconstpointer profile; /* ... its ICC profile, NULL when it cannot be read */
  gsize profile_size;    /* bytes */
  gpointer file;         /* the module's own: metadata, and what keeps @data; NULL: @data is the command's */
} SumiPixmap;

/* A result as it is to be saved: rows from a file, on a canvas that shows the photo or nothing around them. */
typedef struct
{
  const char *format;      /* label of the SumiFileFormat */
  const char *path, *name; /* where; what to call it in messages */
  int rows_file;           /* descriptor of [place.height, place.width, bands] samples */
  SumiRect place;          /* of the rows on the canvas */
  int bands, colours;      /* with and without alpha */
  SumiSample sample;
  int canvas_width, canvas_height;
  const SumiPixmap *base;  /* (nullable): of the same form, shown where there are no rows ... */
  int base_x, base_y;      /* ... at this place */
  const SumiPixmap *photo; /* EXIF, XMP, IPTC, resolution and comments come from it ... */
  const char *photo_path;
  gboolean keep_profile; /* ... and its profile */
} SumiPictureSave;

typedef struct SumiIcc SumiIcc;

typedef struct
{
  const char *version; /* SUMI_VERSION: another one means that the parts of two installations meet */

  /* Needed before any other call, once. @threads: 0 for all. */
  gboolean (*init) (int threads, GError **error);

  /* Reads @path whole, upright, palettes expanded. Fails with a GFileError, %SUMI_ERROR_FORMAT (damaged, truncated, not
   * a picture), %SUMI_ERROR_UNSUPPORTED (CMYK, several pages ...) or %SUMI_ERROR_MEMORY; messages name the file. */
  gboolean (*load) (const char *path, GCancellable *cancellable, SumiPixmap *pixmap, GError **error);
  void (*unload) (gpointer file);

  /* Cancel leaves a broken file. */
  gboolean (*save) (const SumiPictureSave *what, GCancellable *cancellable, GError **error);

  /* For a profile of @colours (1 or 3). @is_srgb: out, whether it means sRGB. Fails with %SUMI_ERROR_UNSUPPORTED when
   * it is damaged, of another colour space, or for output only in one way. */
  SumiIcc *(*icc_new) (gconstpointer profile, gsize size, int colours, gboolean *is_srgb, GError **error);
  void (*icc_free) (SumiIcc *icc);
  /* [n, colours] of the profile's numbers to [n, 3] sRGB-encoded, and back; unbounded float */
  void (*icc_decode) (const SumiIcc *icc, const float *native, float *rgb, int n);
  void (*icc_encode) (const SumiIcc *icc, const float *rgb, float *native, int n);
} SumiPictures;

/* The one symbol that the module exports, a SumiPictures. */
#define SUMI_PICTURES_SYMBOL "sumi_pictures_module"

G_END_DECLS
