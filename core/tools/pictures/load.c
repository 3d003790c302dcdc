/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading picture files through libvips. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "core/tools/pictures/vips.h"

static VipsImage *
into_memory (VipsImage *image, const char *path, GCancellable *cancellable, GError **error)
{
  VipsImage *memory;

  sumi_vips_watch (image, cancellable);
  errno = 0;
  memory = vips_image_copy_memory (image);
  if (! memory && ! g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      const gboolean no_memory = errno == ENOMEM || strstr (vips_error_buffer (), "out of memory");
      g_autofree char *message = sumi_vips_take_message ();

      if (no_memory)
        g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY,
                     _ ("no memory for “%s”, which has %d×%d pixels: close other programs or use a smaller picture"),
                     path, image->Xsize, image->Ysize);
      else
        g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT,
                     _ ("“%s” is damaged or cut off (%s): get a whole copy of it"), path, message);
    }
  vips_error_clear ();
  return memory;
}

static VipsImage *
open_file (const char *path, GError **error)
{
  g_autoptr (SumiVipsSource) source = NULL;
  g_autofree char *message = NULL;
  VipsImage *image;
  int file;

  /* libvips does not say why a file does not open */
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_ISDIR, _ ("“%s” is a folder: name the pictures in it"), path);
      return NULL;
    }
  file = open (path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), _ ("“%s” cannot be read: %s"), path,
                   g_strerror (errno));
      return NULL;
    }
  close (file);
  /* a source, since names given to libvips may end in [options] */
  source = vips_source_new_from_file (path);
  if (source && ! vips_foreign_find_load_source (source))
    {
      vips_error_clear ();
      sumi_vips_open_formats ();
    }
  image = source ? vips_image_new_from_source (source, "", "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                               VIPS_FAIL_ON_TRUNCATED, NULL) :
                   NULL;
  if (image)
    return image;
  message = sumi_vips_take_message ();
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT, _ ("“%s” is not a picture that can be read, or is damaged (%s)"),
               path, message);
  return NULL;
}

static gboolean
refuse (const char *path, const char *what, GError **error)
{
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED, _ ("“%s” %s"), path, what);
  return FALSE;
}

static gboolean
check_kind (VipsImage *image, const char *path, GError **error)
{
  if (vips_image_get_n_pages (image) > 1)
    {
      g_autofree char *what = g_strdup_printf (
          _ ("has %d pages or frames: save the one you mean as a picture of its own"), vips_image_get_n_pages (image));

      return refuse (path, what, error);
    }
  switch (image->Type)
    {
    case VIPS_INTERPRETATION_CMYK:
      return refuse (path, _ ("is a CMYK picture: convert it to RGB first"), error);
    case VIPS_INTERPRETATION_LAB:
    case VIPS_INTERPRETATION_LABQ:
    case VIPS_INTERPRETATION_LABS:
    case VIPS_INTERPRETATION_LCH:
    case VIPS_INTERPRETATION_XYZ:
    case VIPS_INTERPRETATION_YXY:
    case VIPS_INTERPRETATION_HSV:
      return refuse (path, _ ("is in a device-independent colour space: convert it to RGB first"), error);
    default:
      break;
    }
  if (image->Coding != VIPS_CODING_NONE ||
      (image->BandFmt != VIPS_FORMAT_UCHAR && image->BandFmt != VIPS_FORMAT_USHORT &&
       image->BandFmt != VIPS_FORMAT_FLOAT))
    return refuse (path, _ ("has samples of an unusual kind: convert it to 8 bits, 16 bits or 32-bit float first"),
                   error);
  if (image->Bands > 4)
    return refuse (path, _ ("has more channels than red, green, blue and alpha: take the others out first"), error);
  return TRUE;
}

static void
describe (VipsImage *image, SumiPixmap *pixmap)
{
  size_t size;

  *pixmap = (SumiPixmap){
    .width = image->Xsize,
    .height = image->Ysize,
    .bands = image->Bands,
    .sample = image->BandFmt == VIPS_FORMAT_UCHAR  ? SUMI_SAMPLE_U8 :
              image->BandFmt == VIPS_FORMAT_USHORT ? SUMI_SAMPLE_U16 :
                                                     SUMI_SAMPLE_F32,
    .data = VIPS_IMAGE_ADDR (image, 0, 0),
    .has_profile = vips_image_get_typeof (image, VIPS_META_ICC_NAME) != 0,
    .file = image,
  };
  if (pixmap->has_profile && ! vips_image_get_blob (image, VIPS_META_ICC_NAME, &pixmap->profile, &size))
    pixmap->profile_size = size;
}

gboolean
sumi_vips_load (const char *path, GCancellable *cancellable, SumiPixmap *pixmap, GError **error)
{
  g_autoptr (SumiVipsImage) file = open_file (path, error);
  g_autoptr (SumiVipsImage) memory = NULL;

  if (! file || ! check_kind (file, path, error))
    return FALSE;
  memory = into_memory (file, path, cancellable, error);
  if (memory && vips_image_get_orientation (memory) > 1)
    {
      g_autoptr (SumiVipsImage) lying = g_steal_pointer (&memory), upright = NULL;

      if (vips_autorot (lying, &upright, NULL))
        return refuse (path, _ ("cannot be turned upright"), error);
      memory = into_memory (upright, path, cancellable, error);
    }
  if (! memory)
    return FALSE;
  describe (memory, pixmap);
  memory = NULL; /* it is @pixmap's now */
  return TRUE;
}

void
sumi_vips_unload (gpointer file)
{
  g_object_unref (file);
}
