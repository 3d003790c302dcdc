/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expanding, enlarging, colouring: results beyond the layer's own grid or mode; profiles; huge images. */
#include <math.h>
#include <string.h>

#include "plugin/pixels.h"
#include "tests/gimp/check.h"

#define WIDTH  48
#define HEIGHT 40

static void
check_rect (int image,
            int layer,
            int x,
            int y,
            int width,
            int height,
            int canvas_width,
            int canvas_height,
            const char *what)
{
  SumiTarget t = { 0 };
  const gboolean found = sumi_host_find_target (image, layer, &t, NULL);

  check (found && t.x == x && t.y == y && t.width == width && t.height == height,
         "%s lies at %d,%d %d×%d, wanted %d,%d %d×%d", what, t.x, t.y, t.width, t.height, x, y, width, height);
  check (t.canvas_width == canvas_width && t.canvas_height == canvas_height, "canvas %d×%d, wanted %d×%d",
         t.canvas_width, t.canvas_height, canvas_width, canvas_height);
}

static void
test_expand (void)
{
  int layer;
  const int image = picture_new (WIDTH, HEIGHT, DRIVER_RGB, U8, FALSE, &layer);
  g_autoptr (Pixels) before = pixels_read (layer, NULL);
  DriverResult result;

  if (call ("expand", image, layer, "left=8\ntop=4\nright=12\nbottom=16", &result))
    {
      SumiTarget made;

      check_rect (image, layer, 8, 4, WIDTH, HEIGHT, WIDTH + 20, HEIGHT + 20, "the photo");
      sumi_host_find_target (image, result.layer, &made, NULL);
      check (made.x >= 0 && made.y >= 0 && made.x + made.width <= made.canvas_width &&
                 made.y + made.height <= made.canvas_height && made.width >= WIDTH + 12,
             "the result lies on the canvas");
      check (sumi_host_get_mask (result.layer) != SUMI_HOST_NONE, "it has a mask");
      {
        g_autoptr (Pixels) merged = pixels_read (driver_flatten (image, FALSE), before->format);

        check (pixels_same_outside (before, merged, 8, 4, NULL), "the photo is the same, bit for bit");
        check_equal (merged->width, WIDTH + 20, "merged width");
      }
    }
  driver_result_clear (&result);
  driver_image_delete (image);
}

/* Two times as large: canvas, the layer below and the result, all on one grid. */
static void
test_upscale (int precision, gboolean alpha)
{
  const int image = driver_image_new (60, 50, DRIVER_RGB, precision);
  const int below = driver_layer_new (image, SUMI_HOST_NONE, 0, 0, 60, 50, FALSE);
  const int layer = driver_layer_new (image, SUMI_HOST_NONE, 7, 5, WIDTH, HEIGHT, alpha);
  DriverResult result;

  paint (below, 4);
  paint (layer, 5);
  driver_mask_new (layer);
  if (call ("upscale", image, layer, "factor=2", &result))
    {
      check_rect (image, result.layer, 14, 10, 2 * WIDTH, 2 * HEIGHT, 120, 100, "the result");
      check_rect (image, layer, 14, 10, 2 * WIDTH, 2 * HEIGHT, 120, 100, "the photo");
      check_rect (image, below, 0, 0, 120, 100, 120, 100, "the layer below");
      check_equal (driver_get_selected (image), result.layer, "the result is selected");
      check (sumi_host_get_mask (result.layer) != SUMI_HOST_NONE, "a mask on the photo is on the result too");
      {
        const Babl *format = babl_format ("R'G'B'A float");
        g_autoptr (Pixels) one = pixels_read (layer, format), two = pixels_read (result.layer, format);
        const float *a = (const float *) (const void *) one->data, *b = (const float *) (const void *) two->data;
        double sum = 0;

        for (int i = 0; i < 16 * WIDTH * HEIGHT; i++)
          sum += fabsf (a[i] - b[i]);
        check (sum / (16 * WIDTH * HEIGHT) < 0.05, "it looks like the photo (mean difference %.4f)",
               sum / (16 * WIDTH * HEIGHT));
      }
    }
  driver_result_clear (&result);
  driver_image_delete (image);
}

static void
test_colorize (void)
{
  int layer, hints;
  const int image = picture_new (WIDTH, HEIGHT, DRIVER_GREY, U8, FALSE, &layer);
  const float red[4] = { 0.9f, 0.2f, 0.1f, 1 };
  DriverResult result;

  if (call ("colorize", image, layer, NULL, &result))
    {
      check (! driver_is_grey (image), "the image holds colour now");
      check_rect (image, result.layer, 0, 0, WIDTH, HEIGHT, WIDTH, HEIGHT, "the result");
    }
  driver_result_clear (&result);

  /* hints on a smaller layer, and a selection that becomes the mask */
  hints = driver_layer_new (image, SUMI_HOST_NONE, 10, 10, 8, 6, TRUE);
  {
    g_autoptr (GeglBuffer) buffer = sumi_host_get_buffer (hints);

    gegl_buffer_set_color_from_pixel (buffer, NULL, red, babl_format ("R'G'B'A float"));
  }
  driver_select (image, 4, 4, 30, 30);
  driver_call ("colorize", image, &layer, 1, DRIVER_BATCH, hints, NULL, &result);
  check_equal (result.status, DRIVER_SUCCESS, result.message ? result.message : "hints are taken");
  if (result.status == DRIVER_SUCCESS)
    {
      g_autoptr (Pixels) made = pixels_read (result.layer, babl_format ("R'G'B'A float"));
      const int mask_id = sumi_host_get_mask (result.layer);
      g_autoptr (Pixels) mask = mask_id == SUMI_HOST_NONE ? NULL : pixels_read (mask_id, babl_format ("Y float"));
      const float *p = (const float *) (const void *) made->data + 4 * (13 * WIDTH + 14);
      const float *m = mask ? (const float *) (const void *) mask->data : NULL;

      check (p[0] > p[1] && p[0] > p[2], "red where the stroke is (%.2f %.2f %.2f)", (double) p[0], (double) p[1],
             (double) p[2]);
      check (m && m[0] == 0 && m[10 * WIDTH + 10] == 1, "the selection is the mask");
    }
  driver_result_clear (&result);
  driver_select_nothing (image);
  driver_call ("colorize", image, &layer, 1, DRIVER_BATCH, layer, NULL, &result);
  check (result.status == DRIVER_CALLING_ERROR && strstr (result.message, "own colour hints"),
         "a layer is not its own hints: %s", result.message);
  driver_result_clear (&result);
  driver_image_delete (image);
}

static void
test_restore (void)
{
  int layer;
  const int image = picture_new (WIDTH, HEIGHT, DRIVER_GREY, U16, FALSE, &layer);
  DriverResult result;

  if (call ("restore", image, layer, "colorize=yes\nfactor=2\ndenoise=0.1", &result))
    {
      check (! driver_is_grey (image), "the image holds colour now");
      check_rect (image, result.layer, 0, 0, 2 * WIDTH, 2 * HEIGHT, 2 * WIDTH, 2 * HEIGHT, "the result");
      check_rect (image, layer, 0, 0, 2 * WIDTH, 2 * HEIGHT, 2 * WIDTH, 2 * HEIGHT, "the photo");
    }
  driver_result_clear (&result);
  driver_select (image, 40, 30, 10, 8);
  if (has_task ("fill") && call ("restore", image, layer, NULL, &result))
    {
      check (sumi_host_get_mask (result.layer) != SUMI_HOST_NONE,
             "mending alone leaves the rest to the photo, by a mask");
      driver_result_clear (&result);
    }
  driver_image_delete (image);
}

/* A profile that is a table: babl leaves its numbers alone, so we must not. */
static void
test_table_profile (void)
{
  gsize length = 0;
  g_autofree guint8 *icc = lut_profile_new (&length);
  const int image = driver_image_new (WIDTH, HEIGHT, DRIVER_RGB, U16);
  const int layer = driver_layer_new (image, SUMI_HOST_NONE, 0, 0, WIDTH, HEIGHT, TRUE);
  g_autoptr (GeglBuffer) buffer = NULL;
  const float own[4] = { 0.4f, 0.6f, 0.3f, 0.5f };
  /* Adobe RGB 0.4 0.6 0.3 in sRGB, by its primaries and gamma */
  const float wanted[4] = { 0.2645f, 0.6055f, 0.2714f, 0.5f };
  float got[4] = { 0 };
  DriverResult result;

  if (! icc)
    return;
  check (driver_set_profile (image, icc, length), "table profile is taken");
  buffer = sumi_host_get_buffer (layer);
  gegl_buffer_set_color_from_pixel (buffer, NULL, own, babl_format ("R'G'B'A float"));
  {
    g_autoptr (GObject) profile = (GObject *) sumi_host_get_profile (image);
    g_auto (SumiPixelsProfile) pixels = { 0 };
    g_autoptr (SumiSource) source = NULL;
    const SumiRect first = { 0, 0, 1, 1 };

    check (sumi_pixels_profile_init (&pixels, (GimpColorProfile *) profile, gegl_buffer_get_format (buffer), NULL) &&
               pixels.to_srgb,
           "it needs a transform");
    source = sumi_source_new_buffer (buffer, 0, 0, WIDTH, HEIGHT, &pixels);
    check (source->read (source, &first, got, NULL), "it reads");
    for (int c = 0; c < 4; c++)
      check (fabsf (got[c] - wanted[c]) < 0.004f, "channel %d in sRGB: %.4f, wanted %.4f", c, (double) got[c],
             (double) wanted[c]);
  }
  g_clear_object (&buffer); /* sends the pixels to GIMP */
  driver_select (image, 10, 10, 12, 12);
  if (call ("fill", image, layer, NULL, &result))
    {
      g_autoptr (Pixels) made = pixels_read (result.layer, babl_format ("R'G'B'A float"));
      const float *p = (const float *) (const void *) made->data + 4 * (made->width * made->height / 2);

      check (made->width > 0 && isfinite (p[0]), "filled with %.4f %.4f %.4f", (double) p[0], (double) p[1],
             (double) p[2]);
    }
  driver_result_clear (&result);
  if (call ("upscale", image, layer, "factor=2", &result))
    {
      g_autoptr (Pixels) made = pixels_read (result.layer, babl_format ("R'G'B'A float"));
      const float *p = (const float *) (const void *) made->data + 4 * (made->width * made->height / 2 + WIDTH);

      check (fabsf (p[0] - own[0]) < 0.02f && fabsf (p[1] - own[1]) < 0.02f && fabsf (p[2] - own[2]) < 0.02f,
             "a flat colour comes back in the profile's numbers: %.4f %.4f %.4f", (double) p[0], (double) p[1],
             (double) p[2]);
    }
  driver_result_clear (&result);
  driver_image_delete (image);
}

static void
test_huge (void)
{
  const int image = driver_image_new (20000, 20000, DRIVER_RGB, U8);
  const int layer = driver_layer_new (image, SUMI_HOST_NONE, 0, 0, 20000, 20000, FALSE);
  const gint64 start = g_get_monotonic_time ();
  DriverResult result;
  SumiTarget made;

  driver_select (image, 15000, 17000, 24, 20);
  if (call ("fill", image, layer, NULL, &result))
    {
      sumi_host_find_target (image, result.layer, &made, NULL);
      check (made.x <= 15000 && made.y <= 17000 && made.width < 3000 && made.height < 3000,
             "a small patch of a huge image: %d,%d %d×%d", made.x, made.y, made.width, made.height);
    }
  check (TRUE, "huge image took %.1f s", (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC);
  driver_result_clear (&result);
  driver_image_delete (image);

  {
    const int wide = driver_image_new (300000, 4, DRIVER_GREY, U8);
    const int strip = driver_layer_new (wide, SUMI_HOST_NONE, 0, 0, 300000, 4, FALSE);

    call_fails ("upscale", wide, strip, "factor=2", DRIVER_EXECUTION_ERROR, "GIMP allows");
    driver_image_delete (wide);
  }
}

void
cases_canvas (void)
{
  if (has_task ("expand"))
    test_expand ();
  test_upscale (U8, FALSE);
  test_upscale (FLOAT_LINEAR, TRUE);
  test_colorize ();
  if (has_task ("restore"))
    test_restore ();
  if (has_task ("fill"))
    {
      test_table_profile ();
      test_huge ();
    }
}
