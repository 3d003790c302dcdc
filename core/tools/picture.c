/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading picture files through libvips. */
#include "core/tools/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "core/sumi.h"

/* The command's own one- or two-line message says it; libvips' remarks on the way would only hide it. */
static void
ignore_log (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
}

gboolean
sumi_picture_init (int threads, GError **error)
{
  static gboolean done = FALSE;

  if (! done)
    {
      g_log_set_handler ("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO, ignore_log, NULL);
      if (vips_init ("sumi"))
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED, _ ("libvips does not start: %s"),
                       vips_error_buffer ());
          return FALSE;
        }
      /* nothing is computed twice, so a cache would only hold memory */
      vips_cache_set_max (0);
      done = TRUE;
    }
  if (threads > 0)
    vips_concurrency_set (threads);
  return TRUE;
}

/* ---- load ------------------------------------------------------------- */

/* The first line of what libvips says, which may be many. */
static char *
take_vips_message (void)
{
  g_auto (GStrv) lines = g_strsplit (vips_error_buffer (), "\n", 2);

  vips_error_clear ();
  return g_strdup (lines[0] && *lines[0] ? lines[0] : _ ("unknown error"));
}

static void
kill_if_cancelled (VipsImage *image, VipsProgress *progress, gpointer cancellable)
{
  if (g_cancellable_is_cancelled (cancellable))
    vips_image_set_kill (image, TRUE);
}

static VipsImage *
into_memory (VipsImage *image, const char *path, GCancellable *cancellable, GError **error)
{
  VipsImage *memory;

  if (cancellable)
    {
      vips_image_set_progress (image, TRUE);
      g_signal_connect (image, "eval", G_CALLBACK (kill_if_cancelled), cancellable);
    }
  errno = 0;
  memory = vips_image_copy_memory (image);
  if (! memory && ! g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      const gboolean no_memory = errno == ENOMEM || strstr (vips_error_buffer (), "out of memory");
      g_autofree char *message = take_vips_message ();

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
  image = source ? vips_image_new_from_source (source, "", "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                               VIPS_FAIL_ON_TRUNCATED, NULL) :
                   NULL;
  if (image)
    return image;
  message = take_vips_message ();
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

static gboolean
find_pixels (SumiPicture *self, GError **error)
{
  SumiPixels *p = &self->pixels;
  const void *profile;
  size_t size;

  p->format = self->image->BandFmt;
  p->bands = self->image->Bands < 3 ? 1 : 3;
  p->has_alpha = self->image->Bands == 2 || self->image->Bands == 4;
  if (! vips_image_get_typeof (self->image, VIPS_META_ICC_NAME))
    {
      p->colour = sumi_colour_new (p->format == VIPS_FORMAT_FLOAT ? SUMI_COLOUR_LINEAR : SUMI_COLOUR_SRGB, p->bands);
      return TRUE;
    }
  if (vips_image_get_blob (self->image, VIPS_META_ICC_NAME, &profile, &size))
    size = 0;
  p->colour = sumi_colour_new_icc (profile, size, p->bands, error);
  if (! p->colour)
    g_prefix_error (error, "“%s”: ", self->path);
  return p->colour != NULL;
}

SumiPicture *
sumi_picture_load (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (SumiPicture) self = g_new0 (SumiPicture, 1);
  g_autoptr (SumiVipsImage) file = open_file (path, error);
  g_autoptr (SumiVipsImage) upright = NULL;

  self->path = g_strdup (path);
  if (! file || ! check_kind (file, path, error))
    return NULL;
  self->image = into_memory (file, path, cancellable, error);
  if (! self->image)
    return NULL;
  if (vips_image_get_orientation (self->image) > 1)
    {
      VipsImage *turned;

      if (vips_autorot (self->image, &upright, NULL))
        return refuse (path, _ ("cannot be turned upright"), error), NULL;
      turned = into_memory (upright, path, cancellable, error);
      g_object_unref (self->image);
      self->image = turned;
    }
  return self->image && find_pixels (self, error) ? g_steal_pointer (&self) : NULL;
}

void
sumi_picture_free (SumiPicture *self)
{
  if (! self)
    return;
  g_clear_object (&self->image);
  g_clear_pointer (&self->pixels.colour, sumi_colour_unref);
  g_free (self->path);
  g_free (self);
}

gboolean
sumi_picture_is_opaque (const SumiPicture *self)
{
  const gsize bands = (gsize) self->image->Bands;

  if (! self->pixels.has_alpha)
    return TRUE;
  for (int y = 0; y < self->image->Ysize; y++)
    {
      gconstpointer row = VIPS_IMAGE_ADDR (self->image, 0, y);

      for (gsize i = bands - 1; i < bands * (gsize) self->image->Xsize; i += bands)
        if (self->pixels.format == VIPS_FORMAT_UCHAR  ? ((const guint8 *) row)[i] != 255 :
            self->pixels.format == VIPS_FORMAT_USHORT ? ((const guint16 *) row)[i] != 65535 :
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
  const int width = self->image->Xsize;
  const gboolean same_colours = self->pixels.colour == pixels->colour;
  g_autofree float *row = g_new (float, 10 * (gsize) width);
  SumiPixels from = self->pixels, to = *pixels;
  /* numbers of one colour space go across as they are: as sRGB's, since sRGB to and from the core is no change */
  g_autoptr (SumiColour) as_is = sumi_colour_new (SUMI_COLOUR_SRGB, from.bands);

  if (same_colours)
    from.colour = to.colour = as_is;
  out->path = g_strdup (self->path);
  out->pixels = *pixels;
  out->pixels.colour = sumi_colour_ref (pixels->colour);
  /* nothing to do, and nothing may be done: broken values of float files stay too */
  if (same_colours && from.format == to.format && from.bands == to.bands && from.has_alpha == to.has_alpha)
    {
      out->image = g_object_ref (self->image);
      return g_steal_pointer (&out);
    }
  out->image = vips_image_new_memory ();
  vips_image_init_fields (out->image, width, self->image->Ysize, pixels->bands + (pixels->has_alpha ? 1 : 0),
                          pixels->format, VIPS_CODING_NONE, sumi_pixels_interpretation (pixels), 1, 1);
  for (int y = 0; y < self->image->Ysize; y++)
    {
      g_autofree VipsPel *line = g_malloc (sumi_pixels_size (pixels) * (gsize) width);

      sumi_pixels_decode (&from, VIPS_IMAGE_ADDR (self->image, 0, y), row, row + 4 * (gsize) width, width);
      sumi_pixels_encode (&to, row, line, row + 4 * (gsize) width, width);
      if (vips_image_write_line (out->image, y, line))
        {
          vips_error_clear ();
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, _ ("no memory to convert “%s”"), self->path);
          return NULL;
        }
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

      sumi_pixels_decode (&self->pixels, VIPS_IMAGE_ADDR (self->picture->image, rect->x, rect->y + y), rgba,
                          self->row + 4 * n, rect->width);
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
    .width = picture->image->Xsize,
    .height = picture->image->Ysize,
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
  self->row = g_new (float, 10 * (gsize) picture->image->Xsize);
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
