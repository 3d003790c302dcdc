/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/patches-finish.h"

#include <string.h>

#include "core/base/image.h"
#include "core/model/membrane.h"
#include "core/model/patches-vote.h"

/* The difference that the vote leaves on the ring just outside the hole, 3×3 means, carried inwards by the membrane. */
static gboolean
add_membrane (const PatchesLevel *level, float *voted, const guint8 *hole, const guint8 *where, GError **error)
{
  const SumiRect *box = &level->box;
  const int w = box->width, h = box->height;
  const gsize n = (gsize) w * (gsize) h;
  g_autofree float *difference = g_try_new0 (float, 4 * n);
  g_autofree guint8 *kind = g_try_malloc0 (n);

  if (! difference || ! kind)
    return patches_no_memory (level, error);
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      {
        const gsize i = (gsize) y * (gsize) w + (gsize) x;
        float sum[3] = { 0 }, count = 0;

        kind[i] = level->kind[patches_at (level, box->x + x, box->y + y)];
        if (! where[i] || hole[i])
          continue;
        for (int py = MAX (y - 1, 0); py <= MIN (y + 1, h - 1); py++)
          for (int px = MAX (x - 1, 0); px <= MIN (x + 1, w - 1); px++)
            {
              const gsize j = (gsize) py * (gsize) w + (gsize) px;
              const float *known = level->picture + 4 * patches_at (level, box->x + px, box->y + py);

              if (! where[j] || hole[j])
                continue;
              for (gsize c = 0; c < 3; c++)
                sum[c] += known[c] - voted[4 * j + c];
              count += 1;
            }
        for (gsize c = 0; c < 3; c++)
          difference[4 * i + c] = sum[c] / count;
      }
  if (! sumi_membrane_fill (difference, kind, w, h, 1e-3, level->pool, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    for (gsize c = 0; hole[i] && c < 3; c++)
      voted[4 * i + c] += difference[4 * i + c];
  return TRUE;
}

/* @where: the hole and the known pixels up to 2 from it, in each direction. */
static void
widen (const PatchesLevel *level, const guint8 *hole, guint8 *where)
{
  const int w = level->box.width, h = level->box.height;

  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      {
        gboolean near = FALSE;

        if (level->kind[patches_at (level, level->box.x + x, level->box.y + y)] != PATCHES_VOID)
          for (int j = MAX (y - 2, 0); j <= MIN (y + 2, h - 1) && ! near; j++)
            for (int i = MAX (x - 2, 0); i <= MIN (x + 2, w - 1) && ! near; i++)
              near = hole[(gsize) j * (gsize) w + (gsize) i];
        where[(gsize) y * (gsize) w + (gsize) x] = near;
      }
}

gboolean
patches_finish (PatchesDenoiser *d, SumiImage *out, GError **error)
{
  PatchesLevel *level = d->level;
  const SumiRect *box = &level->box;
  g_autofree guint8 *where = g_try_malloc ((gsize) box->width * (gsize) box->height);

  if (! where)
    return patches_no_memory (level, error);
  widen (level, d->hole, where);
  /* known pixels that no query covers must not count as differing */
  for (int y = 0; y < box->height; y++)
    memcpy (level->noisy + 4 * (gsize) y * (gsize) box->width,
            level->picture + 4 * patches_at (level, box->x, box->y + y), 4 * sizeof (float) * (gsize) box->width);
  patches_vote (level, where, level->noisy, level->pool);
  if (! add_membrane (level, level->noisy, d->hole, where, error))
    return FALSE;
  for (int y = 0; y < box->height; y++)
    for (int x = 0; x < box->width; x++)
      {
        const gsize i = (gsize) y * (gsize) box->width + (gsize) x;

        for (gsize c = 0; d->hole[i] && c < 3; c++)
          sumi_image_at (out, box->x + x, box->y + y)[c] = level->noisy[4 * i + c] / 255;
      }
  return TRUE;
}
