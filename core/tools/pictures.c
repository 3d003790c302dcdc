/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/pictures.h"

#include <dlfcn.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "core/sumi.h"

#define NAME "sumi-pictures.so"

#ifdef __SANITIZE_ADDRESS__
/* The leak sanitizer guesses where glibc keeps the thread-local variables of opened modules, and crashes when wrong. */
const char *__asan_default_options (void);

__attribute__ ((visibility ("default"), used)) const char *
__asan_default_options (void)
{
  return "intercept_tls_get_addr=0";
}
#endif

static const SumiPictures *module;

const SumiPictures *
sumi_pictures (void)
{
  return module;
}

#ifdef SUMI_HAVE_PICTURES

/* Returns: (transfer full): where the module may be. */
static GStrv
places (void)
{
  GPtrArray *all = g_ptr_array_new ();
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);

  if (g_getenv ("SUMI_LIBDIR"))
    g_ptr_array_add (all, g_build_filename (g_getenv ("SUMI_LIBDIR"), NAME, NULL));
  if (program)
    {
      g_autofree char *folder = g_path_get_dirname (program);

      g_ptr_array_add (all, g_build_filename (folder, NAME, NULL));
      /* an installation that was moved as a whole */
      g_ptr_array_add (all, g_build_filename (folder, SUMI_LIBDIR_FROM_BINDIR, "sumi", NAME, NULL));
    }
  g_ptr_array_add (all, g_build_filename (SUMI_LIBDIR, "sumi", NAME, NULL));
  g_ptr_array_add (all, NULL);
  return (GStrv) g_ptr_array_free (all, FALSE);
}

static const SumiPictures *
find_module (GError **error)
{
  g_auto (GStrv) paths = places ();
  g_autofree char *list = g_strjoinv (", ", paths);

  for (char **path = paths; *path; path++)
    {
      const SumiPictures *found;
      gpointer library;

      if (! g_file_test (*path, G_FILE_TEST_EXISTS))
        continue;
      /* never closed: libvips does not like to be started twice */
      library = dlopen (*path, RTLD_LAZY | RTLD_LOCAL);
      found = library ? dlsym (library, SUMI_PICTURES_SYMBOL) : NULL;
      if (! found)
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                       _ ("pictures cannot be read or written (%s): install libvips and lcms2, or Sumi again"),
                       dlerror ());
          return NULL;
        }
      if (strcmp (found->version, SUMI_VERSION))
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                       _ ("“%s” belongs to Sumi %s, but this is %s: install Sumi again"), *path, found->version,
                       SUMI_VERSION);
          return NULL;
        }
      return found;
    }
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
               _ ("pictures cannot be read or written, since a part of Sumi is missing: looked for %s; install Sumi "
                  "again, or set SUMI_LIBDIR to its folder"),
               list);
  return NULL;
}

#else

static const SumiPictures *
find_module (GError **error)
{
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
               _ ("this Sumi was built without libvips and lcms2, so the command cannot read pictures: build it again "
                  "with libvips-dev and liblcms2-dev"));
  return NULL;
}

#endif

gboolean
sumi_pictures_open (int threads, GError **error)
{
  const SumiPictures *found = module ? module : find_module (error);

  if (! found || (found != module && ! found->init (threads, error)))
    return FALSE;
  module = found;
  return TRUE;
}
