/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filling: where the layer goes, what it holds, and that nothing else changes. */
#include <math.h>
#include <string.h>

#include "tests/gimp/check.h"

#define WIDTH  96
#define HEIGHT 80

/* What every fill must be like. @x, @y: of the read layer on the canvas. */
static void
check_fill (int image,
            int layer,
            int x,
            int y,
            const Pixels *before,
            const Pixels *selection,
            const DriverResult *result)
{
  g_autoptr (Pixels) after = pixels_read (layer, NULL);
  g_autoptr (Pixels) mask = NULL;
  g_autofree char *name = sumi_host_dup_name (result->layer);
  g_autofree char *recipe = driver_dup_recipe (result->layer);
  const int mask_id = sumi_host_get_mask (result->layer);
  SumiTarget target = { 0 };
  float most = 0, lost = 0;

  check (pixels_same_outside (before, after, 0, 0, NULL), "the read layer keeps its pixels");
  check (g_str_has_prefix (name, "Sumi fill"), "name “%s”", name);
  check (recipe && strstr (recipe, "task=fill") && strstr (recipe, "seed="), "recipe");
  check_equal (driver_get_position (image, result->layer), driver_get_position (image, layer) - 1, "position above");
  check (driver_get_selected (image) == layer, "the photo stays selected");
  check (mask_id != SUMI_HOST_NONE && ! driver_is_mask_edited (result->layer), "has a mask that is not edited");
  check (sumi_host_find_target (image, result->layer, &target, NULL), "is a layer");
  if (mask_id == SUMI_HOST_NONE)
    return;

  /* the mask is the selection, and holds all of it that lies on the layer */
  mask = pixels_read (mask_id, babl_format ("Y float"));
  for (int v = 0; v < selection->height; v++)
    for (int u = 0; u < selection->width; u++)
      {
        const float wanted = ((const float *) (const void *) selection->data)[v * selection->width + u];
        const int mx = u - target.x, my = v - target.y;
        const gboolean on_mask = mx >= 0 && my >= 0 && mx < mask->width && my < mask->height;
        const gboolean on_layer = u >= x && v >= y && u < x + before->width && v < y + before->height;

        if (on_mask && on_layer)
          most = MAX (most, fabsf (((const float *) (const void *) mask->data)[my * mask->width + mx] - wanted));
        else if (on_layer)
          lost = MAX (lost, wanted);
      }
  check (most < 1e-6f, "the mask is the selection (%g)", (double) most);
  check (lost == 0, "all of the selection is on the mask (%g)", (double) lost);
}

static Pixels *
read_selection (int image)
{
  g_autoptr (GeglBuffer) buffer = sumi_host_get_selection (image);
  Pixels *self = g_new0 (Pixels, 1);

  self->format = babl_format ("Y float");
  self->width = gegl_buffer_get_width (buffer);
  self->height = gegl_buffer_get_height (buffer);
  self->bytes = sizeof (float);
  self->data = g_malloc0_n ((gsize) self->width * (gsize) self->height, sizeof (float));
  gegl_buffer_get (buffer, GEGL_RECTANGLE (0, 0, self->width, self->height), 1, self->format, self->data,
                   GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
  return self;
}

/* Fills, then merges everything: outside the selection the picture is what it is without the fill, bit for bit.
 * Only floats without alpha may be rounded: babl adds and drops their alpha by a path that it times and picks anew in
 * each process, and not each is exact; GIMP does so with any layer above. */
static void
fill_and_merge (int image, int layer, int precision, gboolean alpha, const char *what)
{
  const double rounding = precision >= HALF && ! alpha ? 2e-6 : 0;
  const int control = driver_image_dup (image);
  g_autoptr (Pixels) before = pixels_read (layer, NULL);
  g_autoptr (Pixels) selection = read_selection (image);
  g_autoptr (Pixels) without = NULL;
  DriverResult result;

  check (TRUE, "--- %s", what);
  without = alpha ? NULL : pixels_read (driver_flatten (control, FALSE), before->format);
  driver_image_delete (control);
  if (call ("fill", image, layer, "seed=3", &result))
    {
      const int again = driver_image_dup (image);
      g_autoptr (Pixels) merged = NULL, flat = NULL;

      check_fill (image, layer, 0, 0, before, selection, &result);
      merged = pixels_read (driver_flatten (image, TRUE), before->format);
      check (pixels_near_outside (before, merged, 0, 0, selection, rounding),
             "%s: outside the selection nothing changes", what);
      if (without)
        {
          flat = pixels_read (driver_flatten (again, FALSE), before->format);
          check (pixels_near_outside (without, flat, 0, 0, selection, rounding), "%s: nor when flattened", what);
        }
      driver_image_delete (again);
    }
  driver_result_clear (&result);
}

static void
test_precisions (void)
{
  static const struct
  {
    int precision, base;
    gboolean alpha;
    const char *name;
  } cases[] = {
    { U8, DRIVER_RGB, FALSE, "8 bits" },
    { U8, DRIVER_RGB, TRUE, "8 bits with alpha" },
    { U8_LINEAR, DRIVER_RGB, TRUE, "8 bits linear with alpha" },
    { U8, DRIVER_GREY, TRUE, "grey with alpha" },
    { U16, DRIVER_RGB, FALSE, "16 bits" },
    { U16, DRIVER_RGB, TRUE, "16 bits with alpha" },
    { U16_LINEAR, DRIVER_GREY, FALSE, "16 bits linear grey" },
    { HALF, DRIVER_RGB, TRUE, "half with alpha" },
    { FLOAT, DRIVER_RGB, FALSE, "float" },
    { FLOAT, DRIVER_RGB, TRUE, "float with alpha" },
    { FLOAT_LINEAR, DRIVER_RGB, FALSE, "float linear" },
    { FLOAT_LINEAR, DRIVER_RGB, TRUE, "float linear with alpha" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      int layer;
      const int image = picture_new (WIDTH, HEIGHT, cases[i].base, cases[i].precision, cases[i].alpha, &layer);

      driver_select (image, 30, 20, 24, 20);
      fill_and_merge (image, layer, cases[i].precision, cases[i].alpha, cases[i].name);
      driver_image_delete (image);
    }
}

static void
test_feathered (void)
{
  int layer;
  const int image = picture_new (WIDTH, HEIGHT, DRIVER_RGB, U8, FALSE, &layer);

  driver_select (image, 34, 30, 24, 20);
  driver_feather (image, 8);
  fill_and_merge (image, layer, U8, FALSE, "feathered");
  driver_image_delete (image);
}

static void
test_offset_layer (void)
{
  const int image = driver_image_new (WIDTH, HEIGHT, DRIVER_RGB, U8);
  const int below = driver_layer_new (image, SUMI_HOST_NONE, 0, 0, WIDTH, HEIGHT, FALSE);
  const int layer = driver_layer_new (image, SUMI_HOST_NONE, 17, -9, 90, 70, TRUE); /* sticks out on two sides */

  paint (below, 2);
  paint (layer, 3);
  driver_select (image, 5, 10, 40, 16); /* a part is off the layer */
  {
    g_autoptr (Pixels) before = pixels_read (layer, NULL);
    g_autoptr (Pixels) selection = read_selection (image);
    DriverResult result;

    check (TRUE, "--- layer with offsets");
    if (call ("fill", image, layer, NULL, &result))
      check_fill (image, layer, 17, -9, before, selection, &result);
    driver_result_clear (&result);
  }
  driver_image_delete (image);
}

static void
test_candidates (void)
{
  int layer;
  const int image = picture_new (WIDTH, HEIGHT, DRIVER_RGB, U8, FALSE, &layer);
  DriverResult result;

  driver_select (image, 30, 20, 24, 20);
  if (call ("fill", image, layer, "candidates=3", &result))
    {
      check_equal ((int) result.layers->len, 3, "candidates");
      check_equal (count_layers (image), 5, "layers: photo, group, three");
      check_equal (driver_get_position (image, result.layer), 0, "the group is above");
      for (guint i = 0; i < result.layers->len; i++)
        {
          const int one = g_array_index (result.layers, int, i);
          g_autofree char *recipe = driver_dup_recipe (one);

          check (driver_get_parent (one) == result.layer && driver_get_position (image, one) == (int) i &&
                     driver_get_visible (one) == (i == 0) && sumi_host_get_mask (one) != SUMI_HOST_NONE && recipe,
                 "candidate %u lies in the group, has mask and recipe; only the first shows", i);
        }
      {
        g_autoptr (Pixels) before = pixels_read (layer, NULL);
        g_autoptr (Pixels) selection = read_selection (image);
        g_autoptr (Pixels) merged = pixels_read (driver_flatten (image, FALSE), before->format);

        check (pixels_same_outside (before, merged, 0, 0, selection), "outside the selection nothing changes");
      }
    }
  driver_result_clear (&result);
  driver_image_delete (image);
}

static void
test_places (void)
{
  int layer, group, inner, mask;
  int image = picture_new (WIDTH, HEIGHT, DRIVER_RGB, U8, FALSE, &layer);
  DriverResult result;

  driver_select (image, 30, 20, 24, 20);
  group = driver_group_new (image);
  inner = driver_layer_new (image, group, 0, 0, WIDTH, HEIGHT, TRUE);
  paint (inner, 5);
  if (call ("fill", image, inner, NULL, &result))
    check (driver_get_parent (result.layer) == group && driver_get_position (image, result.layer) == 0,
           "a layer in a group is filled beside it");
  driver_result_clear (&result);
  if (call ("fill", image, group, NULL, &result))
    check (driver_get_parent (result.layer) == SUMI_HOST_NONE && driver_get_position (image, result.layer) == 0,
           "a group is read as it looks, and filled above it");
  driver_result_clear (&result);

  mask = driver_mask_new (layer);
  if (call ("fill", image, mask, NULL, &result))
    check_equal (driver_get_position (image, result.layer), driver_get_position (image, layer) - 1,
                 "a mask being edited stands for its layer");
  driver_result_clear (&result);

  driver_set_locked (layer);
  call ("fill", image, layer, NULL, &result);
  driver_result_clear (&result);
  driver_image_delete (image);
}

static void
test_same_seed (void)
{
  int layer;
  const int image = picture_new (WIDTH, HEIGHT, DRIVER_RGB, U8, FALSE, &layer);
  DriverResult a, b;

  driver_select (image, 30, 20, 24, 20);
  if (call ("fill", image, layer, "seed=5\nthreads=1", &a) && call ("fill", image, layer, "seed=5\nthreads=3", &b))
    {
      g_autoptr (Pixels) one = pixels_read (a.layer, NULL), two = pixels_read (b.layer, NULL);

      check (pixels_same_outside (one, two, 0, 0, NULL), "the same seed gives the same layer, whatever the threads");
      driver_result_clear (&b);
    }
  driver_result_clear (&a);
  driver_image_delete (image);
}

static void
test_last_values (void)
{
  int layer;
  const int image = picture_new (WIDTH, HEIGHT, DRIVER_RGB, U8, FALSE, &layer);
  const gboolean stored = driver_store_last_values ("fill", "candidates=2\nseed=9\n");
  DriverResult result;

  driver_select (image, 30, 20, 24, 20);
  driver_call ("fill", image, &layer, 1, DRIVER_LAST_VALS, SUMI_HOST_NONE, NULL, &result);
  check_equal (result.status, DRIVER_SUCCESS, "RUN_WITH_LAST_VALS");
  check_equal ((int) result.layers->len, stored ? 2 : 1, "it uses the last values, or else the defaults");
  driver_result_clear (&result);
  driver_image_delete (image);
}

void
cases_fill (void)
{
  if (! has_task ("fill"))
    return;
  test_precisions ();
  test_feathered ();
  test_offset_layer ();
  test_candidates ();
  test_places ();
  test_same_seed ();
  test_last_values ();
}
