/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every example of every help page works as it stands. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/cli/lib.h"

typedef VipsImage Image;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Image, g_object_unref)

static const char *const commands[] = { "inspect", "list", "bench", "simulate", NULL };
static const char *const pages[] = { "",        "fill",    "expand", "upscale", "colorize",
                                     "restore", "inspect", "list",   "bench",   "simulate" };

/* What the examples name. */
static void
make_files (void)
{
  g_autoptr (Image) photo = cli_make_photo (40, 32, 3, VIPS_FORMAT_UCHAR);
  g_autoptr (Image) strokes = cli_make_photo (40, 32, 4, VIPS_FORMAT_UCHAR), mask = cli_make_mask (40, 32);
  g_autofree char *model = g_build_filename (g_getenv ("SUMI_DATA"), "models", "sumi-restore.safetensors", NULL);

  cli_save (photo, "photo.jpg");
  cli_save (photo, "second.jpg");
  cli_save (mask, "mask.png");
  cli_save (strokes, "strokes.png");
  g_mkdir ("masks", 0700);
  cli_save (mask, "masks/photo.png");
  cli_save (mask, "masks/second.png");
  g_assert_cmpint (symlink (model, "other.safetensors"), ==, 0);
}

static void
run_in_shell (const char *line)
{
  /* "sumi ARGUMENTS" is the rest of a shell script, so that *.jpg is what the user means by it */
  g_autofree char *script = g_strdup_printf ("exec \"$SUMI_EXE\" %s", line + strlen ("sumi "));
  const char *argv[] = { "/bin/sh", "-c", script, NULL };
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, &error));
  if (status)
    g_error ("%s: %s", line, err);
}

static void
test_examples (gconstpointer page)
{
  g_auto (CliRun) help = { 0 };
  g_auto (GStrv) lines = NULL;
  const char *examples;
  int n = 0;

  if (*(const char *) page && ! g_strv_contains (commands, page) && ! cli_has_task (page))
    return;
  help = *(const char *) page ? cli_sumi ("%s --help", (const char *) page) : cli_sumi ("--help");
  examples = strstr (help.out, "\nExamples:\n");
  g_assert_nonnull (examples);
  lines = g_strsplit (examples, "\n", -1);
  for (char **line = lines + 2; *line && g_str_has_prefix (*line, "  sumi "); line++, n++)
    run_in_shell (*line + 2);
  g_assert_cmpint (n, >=, 2);
}

int
main (int argc, char **argv)
{
  cli_init (&argc, &argv);
  make_files ();
  for (gsize i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      g_autofree char *path = g_strdup_printf ("/cli/examples/%s", *pages[i] ? pages[i] : "all");

      g_test_add_data_func (path, pages[i], test_examples);
    }
  return cli_run_tests ();
}
