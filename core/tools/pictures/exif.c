/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/pictures/exif.h"

#ifdef SUMI_HAVE_GEXIV2
#include <gexiv2/gexiv2.h>
#include <string.h>
#include <sys/stat.h>

/* GExiv2 reads a file whole: not one of these. */
#define MOST ((goffset) 256 << 20)

/* In a TIFF file this group also holds how the pixels are stored, so only what is known to be about the photo. */
static const char *const about_photo[] = { "Make",         "Model",     "DateTime",         "DateTimeOriginal",
                                           "Artist",       "Copyright", "ImageDescription", "DocumentName",
                                           "HostComputer", "XPTitle",   "XPComment",        "XPAuthor",
                                           "XPKeywords",   "XPSubject", "Rating",           NULL };

static gboolean
is_wanted (const char *tag)
{
  if (g_str_has_prefix (tag, "Exif.Image."))
    return g_strv_contains (about_photo, tag + strlen ("Exif.Image."));
  return (g_str_has_prefix (tag, "Exif.Photo.") && ! g_str_has_suffix (tag, "Dimension")) ||
         g_str_has_prefix (tag, "Exif.GPSInfo.");
}

static void
ignore_log (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
}

void
sumi_exif_copy (const char *from, const char *to, int width, int height)
{
  g_autoptr (GExiv2Metadata) photo = NULL, result = NULL;
  g_auto (GStrv) tags = NULL;
  struct stat st;
  gboolean any = FALSE;

  if (stat (to, &st) || st.st_size > MOST || ! gexiv2_initialize ())
    return;
  g_log_set_handler ("GExiv2", G_LOG_LEVEL_MASK, ignore_log, NULL);
  gexiv2_log_set_level (GEXIV2_LOG_LEVEL_MUTE);
  photo = gexiv2_metadata_new ();
  result = gexiv2_metadata_new ();
  if (! gexiv2_metadata_open_path (photo, from, NULL) || ! gexiv2_metadata_open_path (result, to, NULL))
    return;
  tags = gexiv2_metadata_get_exif_tags (photo);
  for (char **tag = tags; tag && *tag; tag++)
    if (is_wanted (*tag))
      {
        g_autofree char *value = gexiv2_metadata_try_get_tag_string (photo, *tag, NULL);

        any |= value && gexiv2_metadata_try_set_tag_string (result, *tag, value, NULL);
      }
  if (! any)
    return;
  gexiv2_metadata_try_set_tag_long (result, "Exif.Photo.PixelXDimension", width, NULL);
  gexiv2_metadata_try_set_tag_long (result, "Exif.Photo.PixelYDimension", height, NULL);
  gexiv2_metadata_save_file (result, to, NULL);
}

#else

void
sumi_exif_copy (const char *from, const char *to, int width, int height)
{
}

#endif
