/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/task/bleed.h"

#include "core/base/error.h"
#include "core/base/image.h"

/* One pixel inwards from what has colour already. */
static gboolean
bleed_once (SumiImage *pixels, const guint8 *known, guint8 *next)
{
  gboolean any = FALSE;

  for (int y = 0; y < pixels->height; y++)
    for (int x = 0; x < pixels->width; x++)
      {
        const gsize at = (gsize) y * (gsize) pixels->width + (gsize) x;
        float sum[3] = { 0, 0, 0 };
        int n = 0;

        next[at] = known[at];
        if (known[at])
          continue;
        for (int py = MAX (y - 1, 0); py <= MIN (y + 1, pixels->height - 1); py++)
          for (int px = MAX (x - 1, 0); px <= MIN (x + 1, pixels->width - 1); px++)
            if (known[(gsize) py * (gsize) pixels->width + (gsize) px])
              {
                const float *p = sumi_image_at (pixels, px, py);

                for (int i = 0; i < 3; i++)
                  sum[i] += p[i];
                n++;
              }
        if (n == 0)
          continue;
        for (int i = 0; i < 3; i++)
          sumi_image_at (pixels, x, y)[i] = sum[i] / (float) n;
        next[at] = 1;
        any = TRUE;
      }
  return any;
}

gboolean
sumi_bleed_colour (SumiImage *pixels, GError **error)
{
  const gsize n = (gsize) pixels->width * (gsize) pixels->height;
  g_autofree guint8 *known = g_try_malloc (n), *next = g_try_malloc (n);

  if (! known || ! next)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory for the transparent parts of %d×%d pixels",
                   pixels->width, pixels->height);
      return FALSE;
    }
  for (gsize i = 0; i < n; i++)
    known[i] = pixels->data[4 * i + 3] > 0;
  for (int pass = 0; pass < SUMI_BLEED && bleed_once (pixels, known, next); pass++)
    {
      guint8 *swap = known;
      known = next, next = swap;
    }
  return TRUE;
}
