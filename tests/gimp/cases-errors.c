/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What cannot be done says so, and leaves the image alone. */
#include <string.h>

#include "tests/gimp/check.h"

static void
test_selection (void)
{
  int layer;
  const int image = picture_new (64, 48, DRIVER_RGB, U8, FALSE, &layer);
  const int aside = driver_layer_new (image, SUMI_HOST_NONE, 40, 30, 20, 15, TRUE);

  call_fails ("fill", image, layer, NULL, DRIVER_EXECUTION_ERROR, "Nothing is selected");
  driver_select (image, 2, 2, 10, 10);
  call_fails ("fill", image, aside, NULL, DRIVER_EXECUTION_ERROR, "outside the layer");
  driver_select (image, 0, 0, 64, 48);
  call_fails ("fill", image, layer, NULL, DRIVER_EXECUTION_ERROR, "");
  driver_image_delete (image);
}

static void
test_items (void)
{
  int layer, other, channel, group;
  const int image = picture_new (64, 48, DRIVER_RGB, U8, FALSE, &layer);
  const int elsewhere = picture_new (64, 48, DRIVER_RGB, U8, FALSE, &other);

  driver_select (image, 20, 20, 10, 10);
  channel = driver_channel_new (image);
  call_fails ("fill", image, channel, NULL, DRIVER_CALLING_ERROR, "not a layer");
  group = driver_group_new (image);
  call_fails ("fill", image, group, NULL, DRIVER_EXECUTION_ERROR, "group is empty");
  call_fails ("fill", image, other, NULL, DRIVER_CALLING_ERROR, "");
  if (driver_takes_many)
    {
      const int two[] = { layer, other };
      DriverResult result;

      driver_call ("fill", image, two, 2, DRIVER_BATCH, SUMI_HOST_NONE, NULL, &result);
      check (result.status == DRIVER_CALLING_ERROR && strstr (result.message, "exactly one"), "two layers: %s",
             result.message);
      driver_result_clear (&result);
      driver_call ("fill", image, two, 0, DRIVER_BATCH, SUMI_HOST_NONE, NULL, &result);
      check (result.status == DRIVER_CALLING_ERROR && strstr (result.message, "exactly one"), "no layer: %s",
             result.message);
      driver_result_clear (&result);
    }
  driver_image_delete (image);
  driver_image_delete (elsewhere);
}

static void
test_indexed (void)
{
  int layer;
  const int image = picture_new (64, 48, DRIVER_RGB, U8, FALSE, &layer);

  driver_to_indexed (image);
  driver_select (image, 20, 20, 10, 10);
  call_fails ("fill", image, layer, NULL, DRIVER_EXECUTION_ERROR, "indexed");
  call_fails ("upscale", image, layer, NULL, DRIVER_EXECUTION_ERROR, "indexed");
  driver_image_delete (image);
}

static void
test_options (void)
{
  int layer;
  const int image = picture_new (64, 48, DRIVER_RGB, U8, FALSE, &layer);

  driver_select (image, 20, 20, 10, 10);
  call_fails ("fill", image, layer, "memory=!", DRIVER_CALLING_ERROR, "memory");
  call_fails ("fill", image, layer, "model=no-such-model", DRIVER_EXECUTION_ERROR, "no-such-model");
  driver_image_delete (image);
}

/* No display here: an interactive call must end with a message, not wait or crash. */
static void
test_no_display (void)
{
  int layer;
  const int image = picture_new (64, 48, DRIVER_RGB, U8, FALSE, &layer);
  DriverResult result;

  driver_select (image, 20, 20, 10, 10);
  driver_call ("fill", image, &layer, 1, DRIVER_INTERACTIVE, SUMI_HOST_NONE, NULL, &result);
  check_equal (result.status, DRIVER_EXECUTION_ERROR, "interactive without a display");
  check (result.message && strstr (result.message, "display"), "message “%s”", result.message ? result.message : "");
  check_equal (count_layers (image), 1, "layers");
  driver_result_clear (&result);
  driver_image_delete (image);
}

/* run-cases.sh starts this group in a German locale. */
void
cases_german (void)
{
  int layer;
  const int image = picture_new (64, 48, DRIVER_RGB, U8, FALSE, &layer);
  g_autofree char *label = driver_dup_menu_label ("upscale");

  driver_to_indexed (image);
  call_fails ("upscale", image, layer, NULL, DRIVER_EXECUTION_ERROR, "indizierte Farben");
  check (! label || g_str_has_prefix (label, "_Vergrößern"), "menu label “%s”", label ? label : "");
  driver_image_delete (image);
}

void
cases_errors (void)
{
  if (! has_task ("fill"))
    return;
  test_selection ();
  test_items ();
  test_indexed ();
  test_options ();
  if (! g_getenv ("DISPLAY"))
    test_no_display ();
}
