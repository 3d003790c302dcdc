/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing picture files through libvips. Everything but JPEG is written without loss, so that what a task left alone
 * stays as it was. */
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "core/tools/pictures/exif.h"
#include "core/tools/pictures/vips.h"

static int
save_png (VipsImage *image, const char *path)
{
  /* photos come out as small as with 6 and no filter or all of them, in a fifth of the time: filtered pixels have few
   * long matches to look for, and one filter need not be chosen */
  return vips_pngsave (image, path, "compression", 2, "filter", VIPS_FOREIGN_PNG_FILTER_PAETH, "bitdepth",
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

static const struct
{
  const char *format;
  int (*save) (VipsImage *image, const char *path);
} savers[] = { { "PNG", save_png }, { "JPEG", save_jpeg }, { "WebP", save_webp }, { "TIFF", save_tiff } };

/* ---- what comes along ------------------------------------------------- */

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

/* ---- the canvas ------------------------------------------------------- */

static VipsInterpretation
interpretation (SumiSample sample, int colours)
{
  switch (sample)
    {
    case SUMI_SAMPLE_U16:
      return colours == 1 ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_RGB16;
    case SUMI_SAMPLE_U8:
      return colours == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    default:
      return colours == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_scRGB;
    }
}

static VipsBandFormat
band_format (SumiSample sample)
{
  return sample == SUMI_SAMPLE_U8  ? VIPS_FORMAT_UCHAR :
         sample == SUMI_SAMPLE_U16 ? VIPS_FORMAT_USHORT :
                                     VIPS_FORMAT_FLOAT;
}

static VipsImage *
wrap (const SumiPixmap *pixmap, int colours)
{
  const gsize sample = pixmap->sample == SUMI_SAMPLE_U8 ? 1 : pixmap->sample == SUMI_SAMPLE_U16 ? 2 : 4;
  VipsImage *image;

  if (pixmap->file)
    return g_object_ref (pixmap->file);
  image = vips_image_new_from_memory (pixmap->data,
                                      sample * (gsize) pixmap->bands * (gsize) pixmap->width * (gsize) pixmap->height,
                                      pixmap->width, pixmap->height, pixmap->bands, band_format (pixmap->sample));
  if (image)
    image->Type = interpretation (pixmap->sample, colours);
  return image;
}

/* The rows on the canvas, the photo around them; computed as it is saved. */
static VipsImage *
compose (const SumiPictureSave *s)
{
  const SumiRect *r = &s->place;
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", s->rows_file);
  g_autoptr (SumiVipsImage) rows = NULL, base = NULL, canvas = NULL;
  VipsImage *out = NULL;

  if (vips_rawload (path, &rows, r->width, r->height, s->bands, "format", band_format (s->sample), "interpretation",
                    interpretation (s->sample, s->colours), NULL))
    return NULL;
  if (r->width == s->canvas_width && r->height == s->canvas_height && ! r->x && ! r->y)
    return g_steal_pointer (&rows);
  if (! s->base)
    return vips_embed (rows, &out, r->x, r->y, s->canvas_width, s->canvas_height, NULL) ? NULL : out;
  base = wrap (s->base, s->colours);
  if (! base || vips_embed (base, &canvas, s->base_x, s->base_y, s->canvas_width, s->canvas_height, NULL))
    return NULL;
  return vips_insert (canvas, rows, &out, r->x, r->y, NULL) ? NULL : out;
}

/* ---- save ------------------------------------------------------------- */

gboolean
sumi_vips_save (const SumiPictureSave *s, GCancellable *cancellable, GError **error)
{
  g_autoptr (SumiVipsImage) image = compose (s), out = NULL;
  g_autofree char *message = NULL;
  VipsImage *photo = s->photo->file;
  int (*save) (VipsImage * image, const char *path) = NULL;
  GStatBuf st;

  for (gsize i = 0; i < G_N_ELEMENTS (savers); i++)
    if (! strcmp (savers[i].format, s->format))
      save = savers[i].save;
  g_return_val_if_fail (save != NULL, FALSE);
  if (! image)
    {
      message = sumi_vips_take_message ();
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_IO, _ ("“%s” cannot be written (%s)"), s->name, message);
      return FALSE;
    }
  if (! vips_copy (image, &out, "xres", photo->Xres, "yres", photo->Yres, NULL))
    {
      Metadata to = { out, s->keep_profile };

      vips_image_map (photo, copy_field, &to);
      /* the photo was turned upright when it was read, but the EXIF block still tells how it lay */
      if (vips_image_get_typeof (out, VIPS_META_EXIF_NAME))
        vips_image_set_int (out, VIPS_META_ORIENTATION, 1);
      vips_image_remove (out, "jpeg-thumbnail-data");
      sumi_vips_watch (out, cancellable);
      /* libvips may overlook a full disk when it closes the file */
      if (! save (out, s->path) && ! g_stat (s->path, &st) && st.st_size > 0)
        {
          if (save == save_tiff || is_tiff (photo))
            sumi_exif_copy (s->photo_path, s->path, image->Xsize, image->Ysize);
          return TRUE;
        }
    }
  if (! g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      message = sumi_vips_take_message ();
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_IO, _ ("“%s” cannot be written (%s): is there room on the disk?"),
                   s->name, message);
    }
  vips_error_clear ();
  return FALSE;
}
