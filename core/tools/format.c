/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing picture files through libvips. Everything but JPEG is written without loss, so that what a task left alone
 * stays as it was. */
#include "core/tools/format.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "core/tools/exif.h"

#include "core/sumi.h"

static int
save_png (VipsImage *image, const char *path)
{
  return vips_pngsave (image, path, "compression", 6, "filter", VIPS_FOREIGN_PNG_FILTER_ALL, "bitdepth",
                       image->BandFmt == VIPS_FORMAT_UCHAR ? 8 : 16, NULL);
}

static int
save_jpeg (VipsImage *image, const char *path)
{
  /* better codes are a few per cent of the file, but libjpeg keeps the whole picture in memory to count for them */
  const gboolean optimize = (gint64) image->Xsize * image->Ysize < 20000000;

  return vips_jpegsave (image, path, "Q", 95, "subsample_mode", VIPS_FOREIGN_SUBSAMPLE_OFF, "optimize_coding", optimize,
                        NULL);
}

static int
save_webp (VipsImage *image, const char *path)
{
  /* "exact" keeps the colours under alpha 0, where libvips (8.16) has it */
  static gsize checked = 0;
  static gboolean exact;

  if (g_once_init_enter (&checked))
    {
      g_autoptr (SumiVipsOperation) operation = vips_operation_new ("webpsave");

      exact = operation && g_object_class_find_property (G_OBJECT_GET_CLASS (operation), "exact") != NULL;
      g_once_init_leave (&checked, 1);
    }
  return exact ? vips_webpsave (image, path, "lossless", TRUE, "exact", TRUE, NULL) :
                 vips_webpsave (image, path, "lossless", TRUE, NULL);
}

static int
save_tiff (VipsImage *image, const char *path)
{
  const gboolean real = image->BandFmt == VIPS_FORMAT_FLOAT;

  return vips_tiffsave (image, path, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE, "predictor",
                        real ? VIPS_FOREIGN_TIFF_PREDICTOR_FLOAT : VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, "bigtiff",
                        VIPS_IMAGE_SIZEOF_IMAGE (image) > 4000000000u, NULL);
}

static const SumiFileFormat formats[] = {
  { "PNG", { "png" }, G_MAXINT / 16, G_MAXINT, .alpha = TRUE, .deep = TRUE, .save = save_png },
  { "JPEG", { "jpg", "jpeg", "jpe" }, 65500, G_MAXINT, .save = save_jpeg },
  { "WebP", { "webp" }, 16383, 50, .alpha = TRUE, .save = save_webp },
  { "TIFF", { "tif", "tiff" }, G_MAXINT / 16, G_MAXINT, .alpha = TRUE, .deep = TRUE, .real = TRUE, .save = save_tiff },
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
  if (p.format == VIPS_FORMAT_FLOAT && ! self->real)
    {
      p.format = VIPS_FORMAT_USHORT;
      keep = keep && kind != SUMI_COLOUR_LINEAR;
      kind = SUMI_COLOUR_SRGB;
    }
  if (p.format == VIPS_FORMAT_USHORT && ! self->deep)
    p.format = VIPS_FORMAT_UCHAR;
  if (keep)
    p.colour = sumi_colour_ref (p.colour);
  else
    p.colour = sumi_colour_new (p.format == VIPS_FORMAT_FLOAT ? SUMI_COLOUR_LINEAR : SUMI_COLOUR_SRGB, p.bands);
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

/* ---- save ------------------------------------------------------------- */

typedef struct
{
  VipsImage *image;
  gboolean with_profile;
} Metadata;

static void *
copy_field (VipsImage *from, const char *name, GValue *value, void *data)
{
  static const char *const prefixes[] = { "exif-",       "xmp-data",          "iptc-data",      "photoshop-data",
                                          "png-comment", "image-description", "resolution-unit" };
  const Metadata *to = data;

  for (gsize i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (name, prefixes[i]))
      vips_image_set (to->image, name, value);
  if (to->with_profile && ! strcmp (name, VIPS_META_ICC_NAME))
    vips_image_set (to->image, name, value);
  return NULL;
}

static gboolean
is_tiff (VipsImage *image)
{
  const char *loader;

  return ! vips_image_get_string (image, VIPS_META_LOADER, &loader) && g_str_has_prefix (loader, "tiff");
}

static void
kill_if_cancelled (VipsImage *image, VipsProgress *progress, gpointer cancellable)
{
  if (g_cancellable_is_cancelled (cancellable))
    vips_image_set_kill (image, TRUE);
}

gboolean
sumi_file_format_save (const SumiFileFormat *self,
                       VipsImage *image,
                       const SumiPicture *photo,
                       const SumiPixels *pixels,
                       const char *path,
                       const char *name,
                       GCancellable *cancellable,
                       GError **error)
{
  g_autoptr (SumiVipsImage) out = NULL;
  GStatBuf st;

  if (! vips_copy (image, &out, "xres", photo->image->Xres, "yres", photo->image->Yres, NULL))
    {
      Metadata to = { out, pixels->colour == photo->pixels.colour };

      vips_image_map (photo->image, copy_field, &to);
      /* the photo was turned upright when it was read, but the EXIF block still tells how it lay */
      if (vips_image_get_typeof (out, VIPS_META_EXIF_NAME))
        vips_image_set_int (out, VIPS_META_ORIENTATION, 1);
      vips_image_remove (out, "jpeg-thumbnail-data");
      if (cancellable)
        {
          vips_image_set_progress (out, TRUE);
          g_signal_connect (out, "eval", G_CALLBACK (kill_if_cancelled), cancellable);
        }
      /* libvips may overlook a full disk when it closes the file */
      if (! self->save (out, path) && ! g_stat (path, &st) && st.st_size > 0)
        {
          if (self->save == save_tiff || is_tiff (photo->image))
            sumi_exif_copy (photo->path, path, image->Xsize, image->Ysize);
          return TRUE;
        }
    }
  if (! g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      g_auto (GStrv) lines = g_strsplit (vips_error_buffer (), "\n", 2);

      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_IO, _ ("“%s” cannot be written (%s): is there room on the disk?"),
                   name, lines[0] && *lines[0] ? lines[0] : _ ("unknown error"));
    }
  vips_error_clear ();
  return FALSE;
}
