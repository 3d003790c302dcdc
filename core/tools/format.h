/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The formats that are written, chosen by the name's extension, and what they can hold. */
#pragma once

#include "core/tools/picture.h"

G_BEGIN_DECLS

typedef struct
{
  const char *label;
  const char *extensions[4];  /* lower case, NULL-ended */
  int max_side, max_mega;     /* pixels; megapixels: where the encoder holds the whole picture in memory */
  gboolean alpha, deep, real; /* holds transparency, 16 bits, float */
} SumiFileFormat;

/* Returns: (nullable): the format of @path; NULL with %SUMI_ERROR_OPTION that lists what there is. */
const SumiFileFormat *sumi_file_format_find (const char *path, GError **error);

/* The form nearest to @photo that the format holds; @has_colour: a grey photo becomes RGB.
 * @pixels: out, colour is owned. Fails with %SUMI_ERROR_UNSUPPORTED when transparency would be lost. */
gboolean sumi_file_format_choose (const SumiFileFormat *format,
                                  const SumiPicture *photo,
                                  gboolean has_colour,
                                  SumiPixels *pixels,
                                  GError **error);

/* Whether a picture of this size can be saved; else %SUMI_ERROR_UNSUPPORTED. */
gboolean sumi_file_format_check_size (const SumiFileFormat *format, int width, int height, GError **error);

G_END_DECLS
