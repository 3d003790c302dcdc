/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every conditioning method and every sampler through both families, as a user calls them. */
#include <math.h>
#include <string.h>

#include "core/sumi.h"
#include "tests/cli/lib.h"

#define WIDTH  72
#define HEIGHT 60

static const char *const families[] = { "patches", "sumi-restore" };

/* What both of photo and result are known to be, pixel by pixel: outside the mask the same; within a soft part no
 * further apart than the mask lets, with some room for answers beyond black and white. */
static void
assert_soft (const char *before_name, const char *after_name, const char *mask_name)
{
  VipsImage *before = cli_load (before_name), *after = cli_load (after_name), *mask = cli_load (mask_name);

  for (int y = 0; y < before->Ysize; y++)
    for (int x = 0; x < before->Xsize; x++)
      for (int c = 0; c < 3; c++)
        g_assert_cmpfloat (fabs (cli_get (after, x, y, c) - cli_get (before, x, y, c)), <=,
                           1.1 * cli_get (mask, x, y, 0) + 1);
  g_object_unref (before);
  g_object_unref (after);
  g_object_unref (mask);
}

static void
assert_kept (const char *after_name)
{
  VipsImage *before = cli_load ("a.png"), *after = cli_load (after_name), *mask = cli_load ("mask.png");

  cli_assert_kept (before, after, mask);
  g_object_unref (before);
  g_object_unref (after);
  g_object_unref (mask);
}

static void
assert_same (const char *a, const char *b, gboolean same)
{
  g_autofree char *x = NULL, *y = NULL;
  gsize n, m;

  g_assert_true (g_file_get_contents (a, &x, &n, NULL));
  g_assert_true (g_file_get_contents (b, &y, &m, NULL));
  g_assert_true ((n == m && ! memcmp (x, y, n)) == same);
}

/* ---- fill ------------------------------------------------------------------ */

static void
test_method (gconstpointer data)
{
  const SumiMethodClass *method = data;

  if (! cli_has_task ("fill"))
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    {
      g_autofree char *line =
          g_strdup_printf ("fill a.png --mask mask.png --model %s --method %s --steps 3", families[i], method->key);

      if (method->needs_gradient && ! strcmp (families[i], "patches"))
        {
          cli_sumi_fails (1, "needs the gradient of the denoiser", "%s -o no.png", line);
          continue;
        }
      cli_sumi_ok ("%s --threads 1 -o m1.png", line);
      cli_sumi_ok ("%s --threads 3 -o m3.png", line);
      assert_kept ("m1.png");
      assert_soft ("a.png", "m1.png", "mask.png");
      assert_same ("m1.png", "m3.png", TRUE);
      cli_sumi_ok ("%s --seed 5 -o m5.png", line);
      assert_kept ("m5.png");
      assert_same ("m1.png", "m5.png", FALSE);
    }
}

static void
test_sampler (gconstpointer data)
{
  const SumiSamplerClass *sampler = data;

  if (! cli_has_task ("fill"))
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    {
      cli_sumi_ok ("fill a.png --mask mask.png --model %s --sampler %s --steps 2 -o s.png", families[i], sampler->key);
      assert_kept ("s.png");
    }
}

/* ---- other evidence --------------------------------------------------------- */

/* The photo itself is what an enlargement is conditioned on, and the luminance what colours are. */
static void
test_other_tasks (void)
{
  if (! cli_has_task ("upscale") || ! cli_has_task ("colorize") || ! cli_has_task ("restore"))
    return;
  for (const SumiMethodClass *const *m = sumi_methods (); *m; m++)
    {
      const char *lines[] = { "upscale a.png --factor 2", "upscale a.png --factor 3", "colorize grey.png",
                              "restore a.png --denoise 0.5" };

      for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
        if ((*m)->masks_only && ! (*m)->mask_optional)
          cli_sumi_fails (1, "works on masks only", "%s --method %s --steps 2 -o no.png", lines[i], (*m)->key);
        else if (! (*m)->masks_only || i != 2)
          cli_sumi_ok ("%s --method %s --steps 2 -o t.png", lines[i], (*m)->key);
    }
  cli_sumi_ok ("colorize grey.png --method ddnm --hints hints.png --steps 2 -o t.png");
  cli_sumi_ok ("expand a.png --left 20 --model sumi-restore --method sdedit --steps 2 -o t.png");
  cli_sumi_ok ("restore a.png --mask mask.png --method repaint --steps 2 -o t.png");
}

/* The mean is the answer only while how steps are made is the model's business. */
static void
test_explicit (void)
{
  static const char *const lines[] = { "fill a.png --mask mask.png --model sumi-restore", "upscale a.png",
                                       "colorize grey.png" };

  if (! cli_has_task ("upscale") || ! cli_has_task ("colorize"))
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      VipsImage *mean, *sample, *same = NULL;
      double least = 1;

      cli_sumi_ok ("%s -o mean.png", lines[i]);
      cli_sumi_ok ("%s --sampler euler -o sample.png", lines[i]);
      mean = cli_load ("mean.png");
      sample = cli_load ("sample.png");
      g_assert_cmpint (vips_equal (mean, sample, &same, NULL), ==, 0);
      g_assert_cmpint (vips_min (same, &least, NULL), ==, 0);
      g_assert_cmpfloat (least, ==, 0);
      g_object_unref (mean);
      g_object_unref (sample);
      g_object_unref (same);
    }
}

/* ---- a broken model --------------------------------------------------------- */

/* A copy of the shipped network of which one number is not. */
static void
write_broken (const char *tensor)
{
  g_autofree char *path = g_build_filename (g_getenv ("SUMI_DATA"), "models", "sumi-restore.safetensors", NULL);
  g_autofree char *bytes = NULL, *quoted = g_strdup_printf ("\"%s\"", tensor);
  guint64 header;
  const char *at;
  gsize size, offset;

  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  memcpy (&header, bytes, 8);
  at = g_strstr_len (bytes + 8, (gssize) GUINT64_FROM_LE (header), quoted);
  g_assert_nonnull (at);
  at = strstr (at, "\"data_offsets\"");
  g_assert_nonnull (at);
  offset = 8 + GUINT64_FROM_LE (header) + g_ascii_strtoull (strchr (at, '[') + 1, NULL, 10);
  bytes[offset] = 0;
  bytes[offset + 1] = 0x7e; /* a 16-bit NaN */
  g_assert_true (g_file_set_contents ("broken.safetensors", bytes, (gssize) size, NULL));
}

static void
test_not_a_number (void)
{
  if (! cli_has_task ("fill"))
    return;
  write_broken ("out.bias");
  cli_sumi_fails (1, "step 1 of 2, σ = 5: ",
                  "fill a.png --mask mask.png --model ./broken.safetensors --seed 1 --steps 2 -o no.png");
  cli_sumi_fails (1, "conv2d", "fill a.png --mask mask.png --model ./broken.safetensors --seed 1 --steps 2 -o no.png");
  cli_sumi_fails (1, "conv2d", "upscale a.png --model ./broken.safetensors -o no.png");
}

int
main (int argc, char **argv)
{
  VipsImage *rgb, *grey, *mask, *hints;

  cli_init (&argc, &argv);
  rgb = cli_make_photo (WIDTH, HEIGHT, 3, VIPS_FORMAT_UCHAR);
  grey = cli_make_photo (WIDTH, HEIGHT, 1, VIPS_FORMAT_UCHAR);
  hints = cli_make_photo (WIDTH, HEIGHT, 4, VIPS_FORMAT_UCHAR);
  mask = cli_make_mask (WIDTH, HEIGHT);
  cli_save (rgb, "a.png");
  cli_save (grey, "grey.png");
  cli_save (hints, "hints.png");
  cli_save (mask, "mask.png");
  g_object_unref (rgb);
  g_object_unref (grey);
  g_object_unref (hints);
  g_object_unref (mask);
  for (const SumiMethodClass *const *m = sumi_methods (); *m; m++)
    {
      g_autofree char *path = g_strdup_printf ("/cli/methods/%s", (*m)->key);

      g_test_add_data_func (path, *m, test_method);
    }
  for (const SumiSamplerClass *const *s = sumi_samplers (); *s; s++)
    {
      g_autofree char *path = g_strdup_printf ("/cli/samplers/%s", (*s)->key);

      g_test_add_data_func (path, *s, test_sampler);
    }
  g_test_add_func ("/cli/methods/other-tasks", test_other_tasks);
  g_test_add_func ("/cli/methods/explicit", test_explicit);
  g_test_add_func ("/cli/methods/not-a-number", test_not_a_number);
  return cli_run_tests ();
}
