/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PatchMatch (Barnes et al. 2009) with K candidates per query. Bands of 16 rows run in parallel; a query sees this
 * sweep's answers only inside its own band, so the result does not depend on threads.
 *
 * The distance works on rows of 8 pixels of 4 channels, 2 vectors of 16 floats, with weight 0 beyond the patch. Sums
 * keep one order, and contraction to fused operations is off, so that every processor finds the same. */
#pragma GCC optimize("fp-contract=off")

#include "core/model/patches-search.h"

#include <math.h>
#include <string.h>

#include "core/base/parallel.h"
#include "core/base/random.h"

#define BAND         16
#define RANDOM_TRIES 4
#define K            PATCHES_K

#if defined(__x86_64__) && defined(__linux__) && ! defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__ ((target_clones ("avx512f", "avx2", "default")))
#else
#define CLONES
#endif
#define INLINE inline __attribute__ ((always_inline))

typedef float V4 __attribute__ ((vector_size (16), aligned (4), may_alias));
typedef float V8 __attribute__ ((vector_size (32), aligned (4), may_alias));
typedef float V16 __attribute__ ((vector_size (64), aligned (4), may_alias));

/* A query at work: its patch and weights, spread over channels, and what it has found. */
typedef struct
{
  float y[PATCHES_SIDE * PATCHES_ROW];
  float k[PATCHES_SIDE * PATCHES_ROW];
  float total; /* 3·Σk */
  int at[K];
  float sum[K]; /* the weighted sum, not yet divided */
} Query;

typedef struct
{
  PatchesLevel *level;
  guint64 seed;
  guint32 sweep;
  gboolean exact;
  GCancellable *cancellable;
} Search;

static INLINE void
query_gather (const PatchesLevel *level, int x, int y, Query *q)
{
  const int r = level->radius, side = 2 * r + 1;
  float total = 0;

  memset (q->k, 0, sizeof q->k);
  for (int j = 0; j < side; j++)
    {
      const gsize at = patches_box_at (level, x - r, y - r + j);
      const float *weight = level->weight + at;
      float *k = q->k + j * PATCHES_ROW;

      memcpy (q->y + j * PATCHES_ROW, level->noisy + 4 * at, PATCHES_ROW * sizeof (float));
      for (int i = 0; i < side; i++)
        {
          *(V4 *) (k + 4 * i) = (V4){ weight[i], weight[i], weight[i], weight[i] * level->texture_weight };
          total += weight[i];
        }
    }
  q->total = 3 * MAX (total, 1e-6f);
  for (int i = 0; i < K; i++)
    {
      q->at[i] = -1;
      q->sum[i] = INFINITY;
    }
}

/* Sum of one vector in a fixed order. */
static INLINE float
add_up (const V16 *v)
{
  const V8 a = __builtin_shufflevector (*v, *v, 0, 1, 2, 3, 4, 5, 6, 7) +
               __builtin_shufflevector (*v, *v, 8, 9, 10, 11, 12, 13, 14, 15);
  const V4 b = __builtin_shufflevector (a, a, 0, 1, 2, 3) + __builtin_shufflevector (a, a, 4, 5, 6, 7);

  return (b[0] + b[2]) + (b[1] + b[3]);
}

/* Σ_j k_j Σ_c (y − p)², or anything ≥ @limit once it is known to be. */
static INLINE float
query_distance (const PatchesLevel *level, const Query *q, int source, float limit)
{
  const int r = level->radius, side = 2 * r + 1;
  const gsize stride = 4 * (gsize) level->width;
  const float *p = level->picture + 4 * ((gsize) source - (gsize) r * (gsize) level->width - (gsize) r);
  V16 sum = { 0 };

  for (int j = 0; j < side; j++, p += stride)
    {
      const float *y = q->y + j * PATCHES_ROW, *k = q->k + j * PATCHES_ROW;
      const V16 a = *(const V16 *) y - *(const V16 *) p, b = *(const V16 *) (y + 16) - *(const V16 *) (p + 16);

      sum += a * a * *(const V16 *) k;
      sum += b * b * *(const V16 *) (k + 16);
      if (j <= 1 || j == 3)
        {
          const float so_far = add_up (&sum);

          if (so_far >= limit)
            return so_far;
        }
    }
  return add_up (&sum);
}

/* Puts @source among the best K. */
static INLINE void
query_insert (Query *q, int source, float sum)
{
  int i;

  for (i = K - 1; i > 0 && q->sum[i - 1] > sum; i--)
    {
      q->sum[i] = q->sum[i - 1];
      q->at[i] = q->at[i - 1];
    }
  q->sum[i] = sum;
  q->at[i] = source;
}

static INLINE gboolean
query_has (const Query *q, int source)
{
  return q->at[0] == source || q->at[1] == source || q->at[2] == source || q->at[3] == source;
}

/* Tries @source; keeps it if it is among the best K. */
static INLINE void
query_try (const PatchesLevel *level, Query *q, int source)
{
  float sum;

  if (query_has (q, source))
    return;
  sum = query_distance (level, q, source, q->sum[K - 1]);
  if (sum < q->sum[K - 1])
    query_insert (q, source, sum);
}

/* Tries every source: most are told apart by two rows, so that comes before all else. */
static INLINE void
query_try_all (const PatchesLevel *level, Query *q)
{
  for (int i = 0; i < level->n_sources; i++)
    {
      const int source = level->sources[i];
      const float sum = query_distance (level, q, source, q->sum[K - 1]);

      if (sum < q->sum[K - 1] && ! query_has (q, source))
        query_insert (q, source, sum);
    }
}

/* The first @n answers of the query at (x, y), moved by @shift to fit the query at hand. */
static INLINE void
query_try_neighbour (const PatchesLevel *level, Query *q, const PatchesFound *all, int x, int y, int shift, int n)
{
  const SumiRect *box = &level->box;
  int other;

  if (x < box->x || y < box->y || x >= box->x + box->width || y >= box->y + box->height)
    return;
  other = level->query_at[patches_box_at (level, x, y)];
  if (other < 0)
    return;
  for (int i = 0; i < n; i++)
    {
      const int source = all[other].at[i] + shift;

      /* a shift by one cannot wrap into a source: they keep r from the edge */
      if (all[other].at[i] >= 0 && source >= 0 && source < level->width * level->height && level->is_source[source])
        query_try (level, q, source);
    }
}

static INLINE guint32
next_random (guint64 *state)
{
  guint64 z = *state += G_GUINT64_CONSTANT (0x9E3779B97F4A7C15);

  z = (z ^ z >> 30) * G_GUINT64_CONSTANT (0xBF58476D1CE4E5B9);
  return (guint32) (z >> 32);
}

/* Uniform in [0, n). */
static INLINE int
random_below (guint64 *state, int n)
{
  return (int) ((guint64) next_random (state) * (guint64) n >> 32);
}

static INLINE void
query_try_around (const PatchesLevel *level, Query *q, int source, guint64 *state)
{
  const int sx = source % level->width, sy = source / level->width;

  for (int reach = MAX (MAX (level->width, level->height) / 4, 1);; reach = MAX (reach / 3, 1))
    {
      const int x = sx - reach + random_below (state, 2 * reach + 1),
                y = sy - reach + random_below (state, 2 * reach + 1);

      if (x >= 0 && y >= 0 && x < level->width && y < level->height && level->is_source[patches_at (level, x, y)])
        query_try (level, q, (int) patches_at (level, x, y));
      if (reach == 1)
        break;
    }
}

/* One query of a sweep. @forward: neighbours left and above are done; @y0, @y1: rows of the band. */
static INLINE void
query_sweep (const Search *s, Query *q, int index, int x, int y, gboolean forward, int y0, int y1)
{
  const PatchesLevel *level = s->level;
  const int w = level->width, done = forward ? -1 : 1;
  guint64 state = sumi_random_hash (s->seed, (guint64) level->depth << 32 | s->sweep, (guint64) index);
  int best[2];

  for (int i = 0; i < K; i++)
    if (level->before[index].at[i] >= 0)
      query_try (level, q, level->before[index].at[i]);
  query_try_neighbour (level, q, level->found, x + done, y, -done, K);
  query_try_neighbour (level, q, y + done >= y0 && y + done < y1 ? level->found : level->before, x, y + done, -done * w,
                       K);
  query_try_neighbour (level, q, level->before, x - done, y, done, 2);
  query_try_neighbour (level, q, level->before, x, y - done, done * w, 2);
  for (int i = 0; i < RANDOM_TRIES; i++)
    query_try (level, q, level->sources[random_below (&state, level->n_sources)]);
  best[0] = q->at[0];
  best[1] = q->at[1];
  for (int i = 0; i < 2; i++)
    if (best[i] >= 0)
      query_try_around (level, q, best[i], &state);
}

/* A band of rows of the box. */
static CLONES void
search_band (gpointer data, int index, int thread)
{
  const Search *s = data;
  PatchesLevel *level = s->level;
  const int y0 = level->box.y + index * BAND, y1 = MIN (y0 + BAND, level->box.y + level->box.height);
  const gboolean forward = s->exact || s->sweep % 2 == 0;
  Query q;

  if (g_cancellable_is_cancelled (s->cancellable))
    return;
  for (int j = 0; j < y1 - y0; j++)
    {
      const int y = forward ? y0 + j : y1 - 1 - j, row = y - level->box.y;
      const int first = level->first[row], n = level->first[row + 1] - first;

      for (int i = 0; i < n; i++)
        {
          const int k = forward ? first + i : first + n - 1 - i, x = level->query_x[k];

          query_gather (level, x, y, &q);
          if (s->exact)
            {
              for (int c = 0; c < K; c++)
                if (level->before[k].at[c] >= 0)
                  query_try (level, &q, level->before[k].at[c]);
              query_try_all (level, &q);
            }
          else
            query_sweep (s, &q, k, x, y, forward, y0, y1);
          for (int c = 0; c < K; c++)
            {
              level->found[k].at[c] = q.at[c];
              level->found[k].error[c] = q.sum[c] / q.total;
            }
        }
    }
}

void
patches_search (PatchesLevel *level,
                PatchesSearchMode mode,
                guint64 seed,
                guint32 sweep,
                SumiPool *pool,
                GCancellable *cancellable)
{
  const gboolean small = (double) level->n_queries * (double) level->n_sources < PATCHES_EXACT;
  Search s = { level, seed, sweep, mode == PATCHES_SEARCH_EXACT || (mode == PATCHES_SEARCH_AUTO && small),
               cancellable };

  memcpy (level->before, level->found, sizeof *level->found * (gsize) level->n_queries);
  sumi_parallel_for (pool, (level->box.height + BAND - 1) / BAND, search_band, &s);
}

float
patches_search_error (const PatchesLevel *level, int x, int y, int source)
{
  Query q;

  query_gather (level, x, y, &q);
  return query_distance (level, &q, source, INFINITY) / q.total;
}
