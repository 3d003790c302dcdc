/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/pictures/module.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "core/tools/pictures/icc.h"
#include "core/tools/pictures/vips.h"

/* The command's own one- or two-line message says it; libvips' remarks on the way would only hide it. */
static void
ignore_log (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
}

static gboolean
init (int threads, GError **error)
{
  g_log_set_handler ("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO, ignore_log, NULL);
  if (! sumi_vips_start ())
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED, _ ("libvips does not start: %s"), vips_error_buffer ());
      return FALSE;
    }
  /* nothing is computed twice, so a cache would only hold memory */
  vips_cache_set_max (0);
  if (threads > 0)
    vips_concurrency_set (threads);
  return TRUE;
}

static void
kill_if_cancelled (VipsImage *image, VipsProgress *progress, gpointer cancellable)
{
  if (g_cancellable_is_cancelled (cancellable))
    vips_image_set_kill (image, TRUE);
}

void
sumi_vips_watch (VipsImage *image, GCancellable *cancellable)
{
  if (! cancellable)
    return;
  vips_image_set_progress (image, TRUE);
  g_signal_connect (image, "eval", G_CALLBACK (kill_if_cancelled), cancellable);
}

char *
sumi_vips_take_message (void)
{
  g_auto (GStrv) lines = g_strsplit (vips_error_buffer (), "\n", 2);

  vips_error_clear ();
  return g_strdup (lines[0] && *lines[0] ? lines[0] : _ ("unknown error"));
}

extern const SumiPictures sumi_pictures_module;

__attribute__ ((visibility ("default"))) const SumiPictures sumi_pictures_module = {
  .version = SUMI_VERSION,
  .init = init,
  .load = sumi_vips_load,
  .unload = sumi_vips_unload,
  .save = sumi_vips_save,
  .icc_new = sumi_icc_new,
  .icc_free = sumi_icc_free,
  .icc_decode = sumi_icc_decode,
  .icc_encode = sumi_icc_encode,
};
