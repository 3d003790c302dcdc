/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever is wrong: the right exit status, one or two lines that say so, and no file made or changed. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cli/lib.h"

typedef VipsImage Image;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Image, g_object_unref)

typedef struct
{
  const char *name, *task; /* task: needed, NULL for none */
  int status;
  const char *message, *line;
} Case;

static const Case cases[] = {
  /* wrong use: 2 */
  { "no-command", NULL, 2, "say what to do", "" },
  { "unknown-command", NULL, 2, "did you mean “list”", "lst" },
  { "hopeless-command", NULL, 2, "there is no command", "qwertyuiop" },
  { "unknown-option", "upscale", 2, "did you mean “--factor”", "upscale a.png --factr 2 -o b.png" },
  { "unknown-letter", "upscale", 2, "there is no option “-x”", "upscale a.png -x -o b.png" },
  { "option-of-another-task", "upscale", 2, "there is no option “--mask”", "upscale a.png --mask mask.png -o b.png" },
  { "choice", "upscale", 2, "2, 3, 4, 8", "upscale a.png --factor 5 -o b.png" },
  { "range", "upscale", 2, "0 to 1", "upscale a.png --detail=1.5 -o b.png" },
  { "number", "upscale", 2, "not “many”", "upscale a.png --steps many -o b.png" },
  { "size", "upscale", 2, "512M", "upscale a.png --memory lots -o b.png" },
  { "sampler", "upscale", 2, "euler", "upscale a.png --sampler eular -o b.png" },
  { "method", "fill", 2, "replacement", "fill a.png --mask mask.png --method luck -o b.png" },
  { "process", "upscale", 2, "subvp", "upscale a.png --process time -o b.png" },
  { "setting", "fill", 2, "eta (0 to 1)", "fill a.png --mask mask.png --sampler ddim --settings luck=1 -o b.png" },
  { "setting-form", "fill", 2, "key=value", "fill a.png --mask mask.png --settings luck -o b.png" },
  { "setting-range", "fill", 2, "0 to 1, not “7”", "fill a.png --mask mask.png --sampler ddim --eta 7 -o b.png" },
  { "setting-elsewhere", "upscale", 2, "no setting “eta”", "upscale a.png --sampler euler --eta 0.5 -o b.png" },
  { "setting-value", "upscale", 2, "needs a value", "upscale a.png -o b.png --eta" },
  { "no-value", "upscale", 2, "needs a value", "upscale a.png -o" },
  { "no-photo", "upscale", 2, "PHOTO is missing", "upscale -o b.png" },
  { "no-output", "upscale", 2, "-o OUT is missing", "upscale a.png" },
  { "no-mask", "fill", 2, "--mask MASK is missing", "fill a.png -o b.png" },
  { "extension", "upscale", 2, ".png, .jpg, .webp or .tif", "upscale a.png -o b.gif" },
  { "no-extension", "upscale", 2, ".png, .jpg, .webp or .tif", "upscale a.png -o b" },
  { "same-names", "upscale", 2, "would both be written", "upscale a.png folder/a.png -o out" },
  { "over-the-photo", "upscale", 2, "would be replaced", "upscale a.png grey.png -o ." },
  { "file-as-folder", "upscale", 2, "is a file", "upscale a.png grey.png -o grey.png" },
  { "list-word", NULL, 2, "did you mean “tasks”", "list task" },
  { "inspect-nothing", NULL, 2, "give one MODEL", "inspect" },
  { "bench-word", NULL, 2, "did you mean “machine”", "bench machin" },
  { "bench-filter", NULL, 2, "no row has “conv9x9”", "bench ops --filter conv9x9 --list --json" },
  { "bench-threads", NULL, 2, "0 to 256", "bench --threads 300" },
  /* failures: 1 */
  { "missing-photo", "upscale", 1, "No such file", "upscale none.png -o b.png" },
  { "folder-photo", "upscale", 1, "is a folder", "upscale folder -o b.png" },
  { "text-photo", "upscale", 1, "not a picture", "upscale text.png -o b.png" },
  { "empty-photo", "upscale", 1, "not a picture", "upscale empty.png -o b.png" },
  { "cut-png", "upscale", 1, "cut", "upscale cut.png -o b.png" },
  { "cut-jpeg", "upscale", 1, "cut", "upscale cut.jpg -o b.png" },
  { "cut-tiff", "upscale", 1, "cut.tif", "upscale cut.tif -o b.png" },
  { "cmyk", "upscale", 1, "CMYK", "upscale cmyk.tif -o b.png" },
  { "lab", "upscale", 1, "convert it to RGB", "upscale lab.tif -o b.png" },
  { "pages", "upscale", 1, "3 pages", "upscale pages.tif -o b.png" },
  { "double", "upscale", 1, "double.tif", "upscale double.tif -o b.png" },
  { "five-bands", "upscale", 1, "more channels", "upscale five.tif -o b.png" },
  { "profile", "upscale", 1, "profile", "upscale profile.tif -o b.png" },
  { "no-folder", "upscale", 1, "nowhere/b.png", "upscale a.png -o nowhere/b.png" },
  { "device", "upscale", 1, "not a plain file", "upscale a.png -o device.png" },
  { "jpeg-alpha", "upscale", 1, "transparency", "upscale alpha.png -o b.jpg" },
  { "mask-size", "fill", 1, "scale or crop the mask", "fill a.png --mask small.png -o b.png" },
  { "mask-missing", "fill", 1, "No such file", "fill a.png --mask none.png -o b.png" },
  { "mask-empty", "fill", 1, "sumi: ", "fill a.png --mask black.png -o b.png" },
  { "mask-folder", "fill", 1, "no picture called like", "fill a.png --mask folder2 -o b.png" },
  { "hints-alpha", "colorize", 1, "no transparency", "colorize grey.png --hints a.png -o b.png" },
  { "hints-size", "colorize", 1, "scale or crop", "colorize grey.png --hints alpha-small.png -o b.png" },
  { "no-model", "upscale", 1, "there is no model “none”", "upscale a.png --model none -o b.png" },
  { "text-model", "upscale", 1, "text.safetensors", "upscale a.png --model text.safetensors -o b.png" },
  { "cut-model", "upscale", 1, "cut.safetensors", "upscale a.png --model cut.safetensors -o b.png" },
  { "inspect-missing", NULL, 1, "none.safetensors", "inspect none.safetensors" },
  { "inspect-cut", NULL, 1, "cut.safetensors", "inspect cut.safetensors" },
};

static void
cut (const char *from, const char *to, double share)
{
  g_autofree char *bytes = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (from, &bytes, &size, NULL));
  g_assert_true (g_file_set_contents (to, bytes, (gssize) ((double) size * share), NULL));
}

/* Breaks the profile inside a TIFF file: newer libvips writes none that is not one. */
static void
spoil_profile (const char *name)
{
  g_autofree char *bytes = NULL;
  gsize size;
  char *mark;

  g_assert_true (g_file_get_contents (name, &bytes, &size, NULL));
  mark = memmem (bytes, size, "acsp", 4);
  g_assert_nonnull (mark);
  memcpy (mark, "gone", 4);
  g_assert_true (g_file_set_contents (name, bytes, (gssize) size, NULL));
}

static void
save_as (VipsImage *image, VipsInterpretation type, const char *name)
{
  g_autoptr (Image) copy = NULL;

  g_assert_cmpint (vips_copy (image, &copy, "interpretation", type, NULL), ==, 0);
  cli_save (copy, name);
}

static void
make_files (void)
{
  g_autoptr (Image) rgb = cli_make_photo (64, 48, 3, VIPS_FORMAT_UCHAR);
  g_autoptr (Image) rgba = cli_make_photo (64, 48, 4, VIPS_FORMAT_UCHAR);
  g_autoptr (Image) grey = cli_make_photo (64, 48, 1, VIPS_FORMAT_UCHAR);
  g_autoptr (Image) real = cli_make_photo (64, 48, 3, VIPS_FORMAT_FLOAT);
  g_autoptr (Image) mask = cli_make_mask (64, 48), small = cli_make_mask (32, 32);
  g_autoptr (Image) alpha_small = cli_make_photo (32, 32, 4, VIPS_FORMAT_UCHAR);
  VipsBlob *srgb = NULL;
  g_autoptr (Image) black = NULL, doubles = NULL, pages = NULL, five = NULL, profile = NULL;
  g_autofree char *model = g_build_filename (g_getenv ("SUMI_DATA"), "models", "sumi-restore.safetensors", NULL);
  Image *three[3] = { rgb, rgb, rgb }, *two[2] = { rgba, grey };

  cli_save (rgb, "a.png");
  cli_save (rgba, "alpha.png");
  cli_save (alpha_small, "alpha-small.png");
  cli_save (grey, "grey.png");
  cli_save (mask, "mask.png");
  cli_save (small, "small.png");
  vips_black (&black, 64, 48, NULL);
  cli_save (black, "black.png");
  save_as (rgba, VIPS_INTERPRETATION_CMYK, "cmyk.tif");
  vips_colourspace (rgb, &pages, VIPS_INTERPRETATION_LAB, NULL);
  cli_save (pages, "lab.tif");
  g_clear_object (&pages);
  vips_arrayjoin (three, &pages, 3, "across", 1, NULL);
  vips_image_set_int (pages, VIPS_META_PAGE_HEIGHT, 48);
  cli_save (pages, "pages.tif");
  vips_cast (real, &doubles, VIPS_FORMAT_DOUBLE, NULL);
  cli_save (doubles, "double.tif");
  vips_bandjoin (two, &five, 2, NULL);
  cli_save (five, "five.tif");
  vips_copy (rgb, &profile, NULL);
  g_assert_cmpint (vips_profile_load ("srgb", &srgb, NULL), ==, 0);
  vips_image_set_blob_copy (profile, VIPS_META_ICC_NAME, VIPS_AREA (srgb)->data, VIPS_AREA (srgb)->length);
  vips_area_unref (VIPS_AREA (srgb));
  cli_save (profile, "profile.tif");
  spoil_profile ("profile.tif");
  cli_save (rgb, "whole.jpg");
  cli_save (rgb, "whole.tif");
  cut ("a.png", "cut.png", 0.5);
  cut ("whole.jpg", "cut.jpg", 0.5);
  cut ("whole.tif", "cut.tif", 0.5);
  cut (model, "cut.safetensors", 0.5);
  g_file_set_contents ("text.png", "This is no picture.\n", -1, NULL);
  g_file_set_contents ("text.safetensors", "This is no model at all.\n", -1, NULL);
  g_file_set_contents ("empty.png", "", 0, NULL);
  g_mkdir ("folder", 0700);
  g_mkdir ("folder2", 0700);
  cut ("a.png", "folder/a.png", 1);
  g_assert_cmpint (symlink ("/dev/null", "device.png"), ==, 0);
}

static void
test_error (gconstpointer data)
{
  const Case *c = data;

  if (! c->task || cli_has_task (c->task))
    cli_sumi_fails (c->status, c->message, "%s", c->line);
}

/* An output that cannot be written is noticed before anything is computed: this photo would take minutes. */
static void
test_unwritable (void)
{
  g_autoptr (Image) large = NULL, tile = cli_make_photo (64, 48, 3, VIPS_FORMAT_UCHAR);
  gint64 start;

  if (! cli_has_task ("upscale"))
    return;
  vips_replicate (tile, &large, 40, 40, NULL);
  cli_save (large, "large.jpg");
  start = g_get_monotonic_time ();
  cli_sumi_fails (1, "cannot be written", "upscale large.jpg --factor 8 --detail 1 -o nowhere/large.png");
  cli_sumi_fails (1, "cannot be written", "upscale large.jpg --factor 8 --detail 1 -o text.png/large.png");
  g_assert_cmpint (g_get_monotonic_time () - start, <, 5 * G_USEC_PER_SEC);
  if (geteuid ())
    {
      g_mkdir ("locked", 0500);
      cli_sumi_fails (1, "Permission denied", "upscale large.jpg --factor 8 -o locked/large.png");
    }
}

/* A result that the format cannot hold is refused before the work too. */
static void
test_too_large (void)
{
  g_autoptr (Image) wide = NULL;
  gint64 start = g_get_monotonic_time ();

  if (! cli_has_task ("upscale"))
    return;
  vips_black (&wide, 2100, 300, "bands", 3, NULL);
  cli_save (wide, "wide.jpg");
  cli_sumi_fails (1, "write .png or .tif", "upscale wide.jpg --factor 8 -o b.webp");
  g_assert_cmpint (g_get_monotonic_time () - start, <, 20 * G_USEC_PER_SEC);
}

/* Not enough memory ends in a message, not in a crash. */
static void
test_no_memory (void)
{
#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("the address sanitizer needs address space without end");
#else
  g_autofree char *line =
      g_strdup_printf ("ulimit -v 700000; exec %s upscale huge.tif --factor 2 -o b.png", g_getenv ("SUMI_EXE"));
  const char *argv[] = { "/bin/sh", "-c", line, NULL };
  g_autoptr (Image) huge = NULL;
  g_autofree char *err = NULL;
  int status;

  if (! cli_has_task ("upscale"))
    return;
  vips_black (&huge, 20000, 15000, "bands", 3, NULL);
  g_assert_cmpint (vips_tiffsave (huge, "huge.tif", "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE, NULL), ==, 0);
  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &err, &status, NULL));
  g_unlink ("huge.tif");
  if (! WIFEXITED (status) || WEXITSTATUS (status) != 1 || ! strstr (err, "memory"))
    g_error ("status %d: %s", status, err);
  g_assert_false (g_file_test ("b.png", G_FILE_TEST_EXISTS));
#endif
}

/* A failed run leaves an older result alone. */
static void
test_old_result (void)
{
  g_autofree char *before = NULL, *after = NULL;
  gsize n, m;

  if (! cli_has_task ("upscale"))
    return;
  cut ("a.png", "old.png", 1);
  cli_sumi_fails (1, "cut", "upscale cut.png -o old.png");
  g_file_get_contents ("a.png", &before, &n, NULL);
  g_file_get_contents ("old.png", &after, &m, NULL);
  g_assert_cmpmem (before, n, after, m);
}

int
main (int argc, char **argv)
{
  cli_init (&argc, &argv);
  make_files ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/cli/error/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_error);
    }
  g_test_add_func ("/cli/error/unwritable", test_unwritable);
  g_test_add_func ("/cli/error/too-large", test_too_large);
  g_test_add_func ("/cli/error/no-memory", test_no_memory);
  g_test_add_func ("/cli/error/old-result", test_old_result);
  return cli_run_tests ();
}
