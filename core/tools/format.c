/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/format.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "core/sumi.h"

static const SumiFileFormat formats[] = {
  { "PNG", { "png" }, G_MAXINT / 16, G_MAXINT, .alpha = TRUE, .deep = TRUE },
  { "JPEG", { "jpg", "jpeg", "jpe" }, 65500, G_MAXINT },
  { "WebP", { "webp" }, 16383, 50, .alpha = TRUE },
  { "TIFF", { "tif", "tiff" }, G_MAXINT / 16, G_MAXINT, .alpha = TRUE, .deep = TRUE, .real = TRUE },
};

const SumiFileFormat *
sumi_file_format_find (const char *path, GError **error)
{
  g_autofree char *name = g_path_get_basename (path);
  const char *dot = strrchr (name, '.');

  for (gsize i = 0; dot && i < G_N_ELEMENTS (formats); i++)
    for (int e = 0; formats[i].extensions[e]; e++)
      if (! g_ascii_strcasecmp (dot + 1, formats[i].extensions[e]))
        return &formats[i];
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
               _ ("“%s” does not say which format to write: end the name in .png, .jpg, .webp or .tif"), path);
  return NULL;
}

gboolean
sumi_file_format_choose (const SumiFileFormat *self,
                         const SumiPicture *photo,
                         gboolean has_colour,
                         SumiPixels *pixels,
                         GError **error)
{
  SumiPixels p = photo->pixels;
  SumiColourKind kind = sumi_colour_get_kind (p.colour);
  gboolean keep = TRUE;

  if (p.has_alpha && ! self->alpha)
    {
      if (! sumi_picture_is_opaque (photo))
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                       _ ("“%s” has transparency, which %s does not hold: write .png, .webp or .tif"), photo->path,
                       self->label);
          return FALSE;
        }
      p.has_alpha = FALSE;
    }
  if (has_colour && p.bands == 1)
    {
      p.bands = 3;
      keep = FALSE;
    }
  if (p.sample == SUMI_SAMPLE_F32 && ! self->real)
    {
      p.sample = SUMI_SAMPLE_U16;
      keep = keep && kind != SUMI_COLOUR_LINEAR;
      kind = SUMI_COLOUR_SRGB;
    }
  if (p.sample == SUMI_SAMPLE_U16 && ! self->deep)
    p.sample = SUMI_SAMPLE_U8;
  if (keep)
    p.colour = sumi_colour_ref (p.colour);
  else
    p.colour = sumi_colour_new (p.sample == SUMI_SAMPLE_F32 ? SUMI_COLOUR_LINEAR : SUMI_COLOUR_SRGB, p.bands);
  *pixels = p;
  return TRUE;
}

gboolean
sumi_file_format_check_size (const SumiFileFormat *self, int width, int height, GError **error)
{
  const gint64 area = (gint64) width * height;

  if (area > (gint64) self->max_mega * 1000000)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                   _ ("the result has %d×%d pixels, too many for %s, which needs them all in memory: "
                      "write .png or .tif"),
                   width, height, self->label);
      return FALSE;
    }
  if (MAX (width, height) <= self->max_side)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
               _ ("the result has %d×%d pixels, more than the %d that %s allows on a side: write .png or .tif"), width,
               height, self->max_side, self->label);
  return FALSE;
}
