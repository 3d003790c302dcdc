/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma GCC optimize("fp-contract=off")

#include "core/model/patches-search.h"

#include <string.h>

#include "core/base/parallel.h"
#include "core/model/patches-scan.h"

#define K     PATCHES_K
/* e of rounded values is off by less, where it is small; beyond it a candidate's vote counts next to nothing */
#define DOUBT 6.0f

#if defined(__x86_64__) && defined(__linux__) && ! defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__ ((target_clones ("avx512f", "avx2", "default")))
#else
#define CLONES
#endif
#define INLINE inline __attribute__ ((always_inline))

typedef float V4 __attribute__ ((vector_size (16), aligned (4), may_alias));
typedef float V16 __attribute__ ((vector_size (64), aligned (4), may_alias));

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

/* k of a query's patch, for each channel; 0 beyond it. Returns: 3·Σk. */
static INLINE float
spread_weights (const PatchesLevel *level, int x, int y, float *out)
{
  const int r = level->radius, side = 2 * r + 1;
  float total = 0;

  memset (out, 0, PATCHES_SIDE * PATCHES_ROW * sizeof (float));
  for (int j = 0; j < side; j++)
    {
      const float *k = level->weight + patches_box_at (level, x - r, y - r + j);

      for (int i = 0; i < side; i++)
        {
          *(V4 *) (out + j * PATCHES_ROW + 4 * i) = (V4){ k[i], k[i], k[i], level->uses_texture ? k[i] : 0 };
          total += k[i];
        }
    }
  return 3 * MAX (total, 1e-6f);
}

/* Σ_j k_j Σ_c (y − p)². */
static INLINE float
measure (const PatchesLevel *level, const float *weights, int x, int y, int source)
{
  const int r = level->radius;
  V16 sum = { 0 };
  float total = 0;

  for (int j = -r; j <= r; j++, weights += PATCHES_ROW)
    {
      const float *a = level->noisy + 4 * patches_box_at (level, x - r, y + j);
      const float *b = level->picture + 4 * ((gssize) source + (gssize) j * level->width - r);
      const V16 low = *(const V16 *) a - *(const V16 *) b, high = *(const V16 *) (a + 16) - *(const V16 *) (b + 16);

      sum += low * low * *(const V16 *) weights;
      sum += high * high * *(const V16 *) (weights + 16);
    }
  for (int i = 0; i < 16; i++)
    total += sum[i];
  return total;
}

/* Candidates that are hard to tell apart by rounded values are measured again without. */
static CLONES void
rank_row (gpointer data, int index, int thread)
{
  const PatchesLevel *level = data;
  float weights[PATCHES_SIDE * PATCHES_ROW];

  for (int q = level->first[index]; q < level->first[index + 1]; q++)
    {
      PatchesFound *f = level->found + q;
      const int x = level->query_x[q], y = level->query_y[q];
      float total;
      int n = 0;

      while (n < K && f->at[n] >= 0 && f->error[n] < f->error[0] + DOUBT)
        n++;
      if (n < 2)
        continue;
      total = spread_weights (level, x, y, weights);
      for (int k = 0; k < n; k++)
        {
          const int at = f->at[k];
          const float error = measure (level, weights, x, y, at) / total;
          int to = k;

          for (; to > 0 && f->error[to - 1] > error; to--)
            {
              f->at[to] = f->at[to - 1];
              f->error[to] = f->error[to - 1];
            }
          f->at[to] = at;
          f->error[to] = error;
        }
      for (int k = n; k < K; k++)
        f->error[k] = MAX (f->error[k], f->error[k - 1]);
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
  sumi_parallel_for (pool, level->box.height, rank_row, level);
}
