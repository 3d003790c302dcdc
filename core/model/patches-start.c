/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/patches-start.h"

#include <string.h>

#include "core/base/image.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/model/membrane.h"
#include "core/model/model.h"
#include "core/model/patches-search.h"
#include "core/model/patches-vote.h"

#define SWEEPS_GUIDED 8

gboolean
patches_start_from_membrane (PatchesLevel *level, GError **error)
{
  const SumiRect *box = &level->box;
  g_autofree guint8 *kind = g_try_malloc ((gsize) box->width * (gsize) box->height);

  if (! kind)
    return patches_no_memory (level, error);
  for (int y = 0; y < box->height; y++)
    memcpy (kind + (gsize) y * (gsize) box->width, level->kind + patches_at (level, box->x, box->y + y),
            (gsize) box->width);
  return sumi_membrane_fill (level->noisy, kind, box->width, box->height, 1e-3, level->pool, error);
}

/* Mean of @image over the pixel (@x, @y) of the level. */
static void
read_block (const PatchesLevel *level, const SumiImage *image, int x, int y, float *out)
{
  const int step = 1 << level->depth, x0 = x * step, y0 = y * step;
  const int x1 = MIN (x0 + step, image->width), y1 = MIN (y0 + step, image->height);
  float sum[3] = { 0 };

  for (int j = y0; j < y1; j++)
    for (int i = x0; i < x1; i++)
      for (int c = 0; c < 3; c++)
        sum[c] += sumi_image_at (image, i, j)[c];
  for (int c = 0; c < 3; c++)
    out[c] = CLAMP (sum[c] * 255 / (float) ((x1 - x0) * (y1 - y0)), -25500, 25500);
}

void
patches_read_image (const PatchesLevel *level, const SumiImage *image, float *out, int channels)
{
  const SumiRect *box = &level->box;

  for (int y = 0; y < box->height; y++)
    for (int x = 0; x < box->width; x++)
      if (level->kind[patches_at (level, box->x + x, box->y + y)] == PATCHES_HOLE)
        read_block (level, image, box->x + x, box->y + y,
                    out + (gsize) channels * ((gsize) y * (gsize) box->width + (gsize) x));
}

/* A guide given by the caller. It comes without candidates: some sweeps look for them before anything is voted, or
 * chance would have it. It says nothing of texture, so they go by colour alone. */
void
patches_start_from_guide (PatchesDenoiser *d)
{
  PatchesLevel *level = d->level;

  patches_read_image (level, d->evidence->guide, level->noisy, 4);
  patches_level_use_texture (level, FALSE);
  for (int i = 0; i < SWEEPS_GUIDED; i++)
    patches_search (level, PATCHES_SEARCH_SWEEP, d->seed, d->sweep++, level->pool, d->cancellable);
  patches_level_use_texture (level, TRUE);
  patches_vote_weigh (level, 0, TRUE, level->pool);
  patches_vote (level, d->hole, level->noisy, level->pool);
}

/* What the coarser level's query at half the place found, moved and doubled. */
static void
inherit (const PatchesLevel *coarse, int x, int y, const PatchesLevel *level, PatchesFound *f)
{
  const int r = coarse->radius;
  const int cx = CLAMP (x / 2, r, coarse->width - 1 - r), cy = CLAMP (y / 2, r, coarse->height - 1 - r);
  const SumiRect *box = &coarse->box;
  int from, n = 0;

  if (cx < box->x || cy < box->y || cx >= box->x + box->width || cy >= box->y + box->height)
    return;
  from = coarse->query_at[patches_box_at (coarse, cx, cy)];
  for (int k = 0; from >= 0 && k < PATCHES_K; k++)
    {
      const int at = coarse->found[from].at[k];
      const int sx = 2 * (at % coarse->width) + x - 2 * cx, sy = 2 * (at / coarse->width) + y - 2 * cy;

      if (at < 0 || sx < 0 || sy < 0 || sx >= level->width || sy >= level->height ||
          ! patches_is_source (level, (int) patches_at (level, sx, sy)))
        continue;
      f->at[n] = (int) patches_at (level, sx, sy);
      f->error[n++] = coarse->found[from].error[k];
    }
}

typedef struct
{
  guint64 seed;
  PatchesLevel *level;
  const PatchesLevel *coarse;
} Inherit;

static void
inherit_row (gpointer data, int index, int thread)
{
  const Inherit *i = data;
  PatchesLevel *level = i->level;

  for (int q = level->first[index]; q < level->first[index + 1]; q++)
    {
      PatchesFound *f = level->found + q;

      inherit (i->coarse, level->query_x[q], level->query_y[q], level, f);
      if (f->at[0] >= 0)
        continue;
      f->at[0] = patches_any_source (
          level, sumi_random_hash (i->seed, (guint64) level->depth << 32 | 0xffffffff, (guint64) q));
      f->error[0] = 1e6; /* finite, so that weights stay numbers */
    }
}

void
patches_start_from_coarser (PatchesDenoiser *d, const PatchesLevel *coarse)
{
  PatchesLevel *level = d->level;

  level->inherits = TRUE;
  sumi_parallel_for (level->pool, level->box.height, inherit_row, &(Inherit){ d->seed, level, coarse });
  patches_vote_weigh (level, 0, TRUE, level->pool);
  patches_vote (level, d->hole, level->noisy, level->pool);
}
