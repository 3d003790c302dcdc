/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sumi tune: the table that it writes is found beside the model, and the schedule dp works with it, not without. */
#include <glib/gstdio.h>
#include <string.h>

#include "tests/cli/lib.h"

typedef VipsImage Image;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Image, g_object_unref)

static void
make_files (void)
{
  g_autofree char *from = g_build_filename (g_getenv ("SUMI_DATA"), "models", "sumi-restore.safetensors", NULL);
  g_autofree char *bytes = NULL;
  g_autoptr (Image) photo = cli_make_photo (150, 100, 3, VIPS_FORMAT_UCHAR);
  g_autoptr (Image) small = cli_make_photo (150, 40, 3, VIPS_FORMAT_UCHAR);
  gsize n;

  g_assert_true (g_file_get_contents (from, &bytes, &n, NULL));
  g_assert_true (g_file_set_contents ("mine.safetensors", bytes, (gssize) n, NULL));
  cli_save (photo, "photo.png");
  cli_save (small, "small.png");
}

static void
test_table (void)
{
  g_autofree char *first = NULL, *second = NULL, *both = NULL, *other = NULL;

  make_files ();
  cli_sumi_fails (1, "sumi tune", "upscale photo.png --model ./mine.safetensors --schedule dp --detail 1 -o no.png");
  cli_sumi_ok ("tune ./mine.safetensors photo.png --task colorize --threads 1");
  g_assert_true (g_file_get_contents ("mine.errors.json", &first, NULL, NULL));
  g_assert_nonnull (strstr (first, "grey"));
  cli_sumi_ok ("tune ./mine.safetensors photo.png --task colorize --threads 3");
  g_assert_true (g_file_get_contents ("mine.errors.json", &second, NULL, NULL));
  g_assert_cmpstr (first, ==, second);
  cli_sumi_ok ("tune ./mine.safetensors photo.png --task upscale --factor 3 --quiet");
  g_assert_true (g_file_get_contents ("mine.errors.json", &both, NULL, NULL));
  g_assert_nonnull (strstr (both, "\"evidence\": \"grey\", \"factor\": 1"));
  g_assert_nonnull (strstr (both, "\"evidence\": \"coarse\", \"factor\": 3"));
  cli_sumi_ok ("tune ./mine.safetensors photo.png --task fill -o other.json");
  g_assert_true (g_file_get_contents ("other.json", &other, NULL, NULL));
  g_assert_nonnull (strstr (other, "missing"));
  g_assert_null (strstr (other, "grey"));
  cli_sumi_ok ("upscale photo.png --model ./mine.safetensors --schedule dp --steps 4 --detail 1 -o dp.png");
  cli_sumi_ok ("upscale photo.png --model ./mine.safetensors --schedule karras --steps 4 --detail 1 -o karras.png");
  {
    g_autoptr (Image) dp = cli_load ("dp.png"), karras = cli_load ("karras.png");
    gboolean differ = FALSE;

    for (int x = 0; x < 300; x++)
      differ |= cli_get (dp, x, 100, 0) != cli_get (karras, x, 100, 0);
    g_assert_true (differ);
  }
}

static void
test_errors (void)
{
  make_files ();
  cli_sumi_fails (2, "give a MODEL", "tune ./mine.safetensors");
  cli_sumi_fails (1, "nothing to measure", "tune patches photo.png");
  cli_sumi_fails (1, "too small", "tune ./mine.safetensors small.png -o no.json");
  cli_sumi_fails (1, "none.png", "tune ./mine.safetensors none.png -o no.json");
  cli_sumi_fails (1, "no/where", "tune ./mine.safetensors photo.png -o no/where.json");
}

int
main (int argc, char **argv)
{
  cli_init (&argc, &argv);
  g_test_add_func ("/tune/table", test_table);
  g_test_add_func ("/tune/errors", test_errors);
  return cli_run_tests ();
}
