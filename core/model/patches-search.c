/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/patches-search.h"

#include <string.h>

#include "core/base/parallel.h"
#include "core/model/patches-scan.h"

/* Widest first. */
static const PatchesScanClass *const scans[] = {
#if defined(__x86_64__)
  &patches_scan_avx512,
  &patches_scan_avx2,
#endif
  &patches_scan_plain,
  NULL,
};

const PatchesScanClass *const *
patches_scans (void)
{
  return scans;
}

static const PatchesScanClass *
best_scan (void)
{
  int i = 0;

  while (! scans[i]->usable ())
    i++;
  return scans[i];
}

/* y in whole numbers, as it is compared. */
static void
round_row (gpointer data, int index, int thread)
{
  const PatchesLevel *level = data;
  const gsize first = 4 * (gsize) index * (gsize) level->box.width;
  const float *in = level->noisy + first;
  gint16 *out = level->sought + first;

  for (int i = 0; i < 4 * level->box.width; i += 4)
    {
      for (int c = 0; c < 3; c++)
        out[i + c] = (gint16) ((int) (CLAMP (in[i + c], PATCHES_LEAST, PATCHES_MOST) - PATCHES_LEAST + 0.5f) +
                               (int) PATCHES_LEAST);
      out[i + 3] = (gint16) (CLAMP (in[i + 3] / PATCHES_COARSE, 0, 255) + 0.5f);
    }
}

void
patches_search_by (const PatchesScanClass *scan,
                   PatchesLevel *level,
                   PatchesSearchMode mode,
                   guint64 seed,
                   guint32 sweep,
                   SumiPool *pool,
                   GCancellable *cancellable)
{
  const gboolean small = (double) level->n_queries * (double) level->n_sources < PATCHES_EXACT;
  PatchesScan s = { level, seed, sweep, cancellable };
  PatchesFound *before = level->found;

  sumi_parallel_for (pool, level->box.height, round_row, level);
  level->found = level->before;
  level->before = before;
  if (mode == PATCHES_SEARCH_EXACT || (mode == PATCHES_SEARCH_AUTO && small))
    sumi_parallel_for (pool, (level->n_queries + PATCHES_RUN - 1) / PATCHES_RUN, scan->exact, &s);
  else
    sumi_parallel_for (pool, (level->box.height + PATCHES_BAND - 1) / PATCHES_BAND, scan->sweep, &s);
}

void
patches_search (PatchesLevel *level,
                PatchesSearchMode mode,
                guint64 seed,
                guint32 sweep,
                SumiPool *pool,
                GCancellable *cancellable)
{
  patches_search_by (best_scan (), level, mode, seed, sweep, pool, cancellable);
}
