/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libvips opens a plug-in for each rare format (HEIF, PDF, what ImageMagick reads ...) when it starts, which takes
 * longer than reading a photo. Here they are opened when a file comes that nothing else reads. libvips has no switch
 * for that, but looks for plug-ins below $VIPSHOME. */
#include <gmodule.h>
#include <libintl.h>

#include "core/tools/pictures/vips.h"

#define NOWHERE "/nonexistent"

static gboolean left_out;

gboolean
sumi_vips_start (void)
{
  g_autofree char *domain = NULL;
  int failed;

  if (g_getenv ("VIPSHOME"))
    return vips_init ("sumi") == 0;
  g_setenv ("VIPSHOME", NOWHERE, TRUE);
  failed = vips_init ("sumi");
  g_unsetenv ("VIPSHOME");
  left_out = TRUE;
  /* its translations are looked for there too */
  domain = g_strdup_printf ("vips%d.%d", vips_version (0), vips_version (1));
  bindtextdomain (domain, SUMI_VIPS_PREFIX "/share/locale");
  return failed == 0;
}

void
sumi_vips_open_formats (void)
{
  g_autofree char *folder = NULL;
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (! left_out)
    return;
  left_out = FALSE;
  folder = g_strdup_printf (SUMI_VIPS_LIBDIR "/vips-modules-%d.%d", vips_version (0), vips_version (1));
  dir = g_dir_open (folder, 0, NULL);
  while (dir && (name = g_dir_read_name (dir)))
    if (g_str_has_suffix (name, "." G_MODULE_SUFFIX))
      {
        g_autofree char *path = g_build_filename (folder, name, NULL);
        GModule *module = g_module_open (path, G_MODULE_BIND_LAZY);

        /* it adds its format by itself; types cannot be taken out again */
        if (module)
          g_module_make_resident (module);
      }
}
