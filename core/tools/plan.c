/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of results: one file, or a folder that keeps the photos' names. */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/sumi.h"
#include "core/tools/batch.h"
#include "core/tools/format.h"

static gboolean
same_file (const char *a, const char *b)
{
  struct stat x, y;

  return ! stat (a, &x) && ! stat (b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* A photo in a format that is only read becomes a PNG. */
static char *
name_in_folder (const char *folder, const char *photo)
{
  g_autofree char *base = g_path_get_basename (photo);
  g_autofree char *name = NULL;
  char *dot = strrchr (base, '.');

  if (sumi_file_format_find (base, NULL))
    return g_build_filename (folder, base, NULL);
  if (dot && dot > base)
    *dot = 0;
  name = g_strconcat (base, ".png", NULL);
  return g_build_filename (folder, name, NULL);
}

static gboolean
check_names (char **paths, const char *const *photos, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (int i = 0; paths[i]; i++)
    {
      const char *other = g_hash_table_lookup (seen, paths[i]);

      if (other)
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                       _ ("“%s” and “%s” would both be written to “%s”: rename one, or run them apart"), other,
                       photos[i], paths[i]);
          return FALSE;
        }
      if (same_file (paths[i], photos[i]))
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                       _ ("“%s” would be replaced by its result: give another folder with -o"), photos[i]);
          return FALSE;
        }
      g_hash_table_insert (seen, paths[i], (gpointer) photos[i]);
    }
  return TRUE;
}

GStrv
sumi_batch_plan (const char *output, const char *const *photos, GError **error)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  g_auto (GStrv) all = NULL;
  const gboolean is_folder = g_str_has_suffix (output, "/") || g_file_test (output, G_FILE_TEST_IS_DIR);

  if (! photos[1] && ! is_folder)
    {
      if (! sumi_file_format_find (output, error))
        return NULL;
      g_strv_builder_add (paths, output);
      return g_strv_builder_end (paths);
    }
  for (int i = 0; photos[i]; i++)
    {
      g_autofree char *path = name_in_folder (output, photos[i]);

      g_strv_builder_add (paths, path);
    }
  all = g_strv_builder_end (paths);
  if (! check_names (all, photos, error))
    return NULL;
  if (g_file_test (output, G_FILE_TEST_EXISTS) && ! is_folder)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("several photos go to a folder, but “%s” is a file"),
                   output);
      return NULL;
    }
  if (g_mkdir_with_parents (output, 0777))
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), _ ("the folder “%s” cannot be made: %s"),
                   output, g_strerror (errno));
      return NULL;
    }
  return g_steal_pointer (&all);
}
