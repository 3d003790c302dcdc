/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cases in which a script acts when a line of the report asks for it: run-gui.sh presses keys, run-kill.sh kills. */
#include "tests/gimp/check.h"

#define PATIENCE 30 /* seconds */

static gboolean
wait_for_layers (int image, int wanted)
{
  for (int i = 0; i < 10 * PATIENCE; i++, g_usleep (G_USEC_PER_SEC / 10))
    if (count_layers (image) == wanted)
      return TRUE;
  return FALSE;
}

void
cases_gui (void)
{
  int layer;
  const int image = picture_new (64, 48, DRIVER_RGB, U8, FALSE, &layer);
  g_autoptr (Pixels) before = pixels_read (layer, NULL), after = NULL;
  const char *options = "factor=3\ndenoise=0.25\n";
  DriverResult result;
  SumiTarget t = { 0 };

  if (! has_task ("upscale"))
    return;
  driver_show (image);
  driver_store_last_values ("upscale", options); /* GIMP 3: what is given is what the dialog begins with */
  driver_call ("upscale", image, &layer, 1, DRIVER_INTERACTIVE, SUMI_HOST_NONE, options, &result);
  check_equal (result.status, DRIVER_SUCCESS, result.message ? result.message : "the dialog was accepted");
  check_equal (count_layers (image), 2, "layers");
  sumi_host_find_target (image, layer, &t, NULL);
  check_equal (t.canvas_width, 192, "canvas width");
  driver_result_clear (&result);

  say ("waiting for undo");
  check (wait_for_layers (image, 1), "one undo takes the layer away");
  sumi_host_find_target (image, layer, &t, NULL);
  check (t.canvas_width == 64 && t.canvas_height == 48 && t.width == 64, "and the canvas is as it was");
  after = pixels_read (layer, NULL);
  check (pixels_same_outside (before, after, 0, 0, NULL), "and the photo, bit for bit");
  say ("undone");

  driver_clean (image);
  driver_call ("upscale", image, &layer, 1, DRIVER_INTERACTIVE, SUMI_HOST_NONE, NULL, &result);
  check_equal (result.status, DRIVER_CANCEL, "Escape cancels");
  check (! driver_is_dirty (image) && count_layers (image) == 1, "and leaves the image alone");
  driver_result_clear (&result);
  say ("cancelled");

  driver_call ("upscale", image, &layer, 1, DRIVER_LAST_VALS, SUMI_HOST_NONE, NULL, &result);
  check_equal (result.status, DRIVER_SUCCESS, "with the last values");
  sumi_host_find_target (image, layer, &t, NULL);
  check_equal (t.canvas_width, 192, "which are those of the dialog");
  driver_result_clear (&result);
}

/* GIMP's Cancel kills the plug-in. The second call is still running when GIMP itself is killed. */
void
cases_kill (void)
{
  int layer;
  const int image = picture_new (900, 700, DRIVER_RGB, U8, FALSE, &layer);
  g_autoptr (Pixels) before = pixels_read (layer, NULL), after = NULL;
  DriverResult result;

  if (! has_task ("upscale"))
    return;
  say ("computing");
  driver_call ("upscale", image, &layer, 1, DRIVER_BATCH, SUMI_HOST_NONE, "factor=8\n", &result);
  check (result.status != DRIVER_SUCCESS, "a killed plug-in fails (%d)", result.status);
  check (! driver_is_dirty (image) && count_layers (image) == 1, "and leaves the image alone");
  after = pixels_read (layer, NULL);
  check (pixels_same_outside (before, after, 0, 0, NULL), "and the photo, bit for bit");
  driver_result_clear (&result);
  say ("computing again");
  driver_call ("upscale", image, &layer, 1, DRIVER_BATCH, SUMI_HOST_NONE, "factor=8\n", &result);
}
