/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What starts quickly stays so: the command links no picture library, and opens its picture module only for pictures.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "tests/cli/lib.h"

/* The module is asked for by the environment, so that an installed one is not found instead. */
static CliRun
run_with (const char *name, const char *value, const char *line)
{
  g_autofree char *old = g_strdup (g_getenv (name));
  CliRun run;

  g_setenv (name, value, TRUE);
  run = cli_sumi ("%s", line);
  if (old)
    g_setenv (name, old, TRUE);
  else
    g_unsetenv (name);
  return run;
}

static void
test_libraries (void)
{
  static const char *const slow[] = { "vips", "lcms", "exiv2", "gtk" };
  g_auto (CliRun) run = run_with ("LD_TRACE_LOADED_OBJECTS", "1", "--version");

  if (! strstr (run.out, "libglib"))
    {
      g_test_skip ("this loader does not list libraries");
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (slow); i++)
    if (strstr (run.out, slow[i]))
      g_error ("sumi is linked with %s: %s", slow[i], run.out);
}

/* These need no pictures, so no module. */
static void
test_without (void)
{
  static const char *const lines[] = { "--version", "--help", "list", "upscale --help", "inspect sumi-restore" };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_auto (CliRun) run = run_with ("SUMI_LIBDIR", "broken", lines[i]);

      g_assert_cmpint (run.status, ==, 0);
      g_assert_cmpstr (run.err, ==, "");
    }
}

static void
assert_fails (const char *folder, const char *message)
{
  g_auto (CliRun) run = run_with ("SUMI_LIBDIR", folder, "upscale a.png -o b.png");

  if (run.status != 1 || ! g_str_has_prefix (run.err, "sumi: ") || ! strstr (run.err, message))
    g_error ("exit status %d, said: %s", run.status, run.err);
  g_assert_false (g_file_test ("b.png", G_FILE_TEST_EXISTS));
}

static void
test_broken (void)
{
  if (! cli_has_task ("upscale"))
    return;
  assert_fails ("broken", "pictures cannot be read or written");
  assert_fails (g_getenv ("OTHER_VERSION"), "belongs to Sumi 0.0.0");
}

/* A format that only one of libvips' plug-ins reads, after one that needs none. */
static void
test_rare (void)
{
  VipsImage *photo = cli_make_photo (64, 48, 3, VIPS_FORMAT_UCHAR);
  const gboolean saved = ! vips_image_write_to_file (photo, "rare.bmp", NULL);

  g_object_unref (photo);
  vips_error_clear ();
  if (! saved)
    g_test_skip ("this libvips writes no BMP");
  else if (cli_has_task ("upscale"))
    cli_sumi_ok ("upscale a.png rare.bmp --factor 2 -o out");
}

int
main (int argc, char **argv)
{
  VipsImage *photo;

  cli_init (&argc, &argv);
  photo = cli_make_photo (64, 48, 3, VIPS_FORMAT_UCHAR);
  cli_save (photo, "a.png");
  g_object_unref (photo);
  g_mkdir ("broken", 0700);
  g_file_set_contents ("broken/sumi-pictures.so", "no library", -1, NULL);
  g_test_add_func ("/cli/start/libraries", test_libraries);
  g_test_add_func ("/cli/start/without", test_without);
  g_test_add_func ("/cli/start/broken", test_broken);
  g_test_add_func ("/cli/start/rare", test_rare);
  return cli_run_tests ();
}
