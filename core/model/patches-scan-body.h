/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PatchMatch (Barnes et al. 2009) with K candidates per query, and the search of every source. Each patches-scan-NAME.c
 * includes it, after defining SCAN_OWN and
 *
 *   TARGET         attribute of every function: the instruction set
 *   scan_distance  (after the include) the sum of one source, or anything ≥ a limit once it is known to be
 *   scan_filter    which of scan_lanes () sources side by side may have a sum below a limit
 *
 * or nothing, for plain C. Bands of rows run in parallel; a query sees this sweep's answers only inside its own band,
 * so the result does not depend on threads. */
#pragma once

#include <math.h>
#include <string.h>

#include "core/base/random.h"
#include "core/model/patches-scan.h"

#ifndef TARGET
#define TARGET
#endif
#define INLINE TARGET inline __attribute__ ((always_inline, unused))

#define RANDOM_TRIES 4
/* in large pictures, where coarser levels have looked everywhere: of 8 million tries anywhere for a hole of 512²,
 * 100 found something, and each waits for memory */
#define LARGE        (1 << 19)
#define LARGE_TRIES  1
#define LARGE_REACH  32
#define REACHES      24 /* radii of the search around a candidate: at most log3 of the side */
#define AHEAD        4  /* rows that are fetched before they are wanted: most sources are told apart by these */
#define K            PATCHES_K

#ifdef SCAN_OWN
static INLINE float scan_distance (const PatchesQuery *q, const guint8 *base, int source, float limit);
static INLINE guint32 scan_filter (const PatchesQuery *q, const guint8 *base, int source, float limit);
static INLINE int scan_lanes (void);
#else
static INLINE float
add_up (const gint32 *lanes)
{
  float f[16];

  for (int i = 0; i < 16; i++)
    f[i] = (float) lanes[i];
  for (int n = 8; n > 0; n /= 2)
    for (int i = 0; i < n; i++)
      f[i] += f[i + n];
  return f[0];
}

static INLINE float
scan_distance (const PatchesQuery *q, const guint8 *base, int source, float limit)
{
  const guint8 *p = base + 4 * (gssize) source + q->offset;
  gint32 sum[16] = { 0 };

  for (int j = 0; j < q->side; j++, p += q->stride)
    {
      const gint16 *y = q->y + j * PATCHES_ROW, *scale = q->scale + j * PATCHES_ROW;
      gint16 d[PATCHES_ROW];

      for (int i = 0; i < PATCHES_ROW; i++)
        d[i] = (gint16) ((y[i] - p[i]) * scale[i]);
      for (int i = 0; i < 16; i++)
        sum[i] += d[2 * i] * d[2 * i] + d[2 * i + 1] * d[2 * i + 1];
      if (j == 1 || j == 3)
        {
          const float so_far = add_up (sum);

          if (so_far >= limit)
            return so_far;
        }
    }
  return add_up (sum);
}

static INLINE int
scan_lanes (void)
{
  return 1;
}

static INLINE guint32
scan_filter (const PatchesQuery *q, const guint8 *base, int source, float limit)
{
  return 1;
}
#endif

/* Rows come in the order that tells sources apart soonest: from the side where more is known. */
static INLINE gboolean
goes_up (const PatchesLevel *level, int x, int y)
{
  return level->distance[patches_box_at (level, x, y + level->radius)] <
         level->distance[patches_box_at (level, x, y - level->radius)];
}

static INLINE void
query_gather (const PatchesLevel *level, int x, int y, PatchesQuery *q)
{
  const int r = level->radius, side = 2 * r + 1;
  const gboolean up = goes_up (level, x, y);
  const gssize stride = 4 * (gssize) level->width;

  for (int j = 0; j < side; j++)
    {
      const gsize at = 4 * patches_box_at (level, x - r, up ? y + r - j : y - r + j);
      gint16 *scale = q->scale + j * PATCHES_ROW;

      memcpy (q->y + j * PATCHES_ROW, level->sought + at, PATCHES_ROW * sizeof (gint16));
      memcpy (scale, level->scale + at, PATCHES_ROW * sizeof (gint16));
      memset (scale + 4 * side, 0, (PATCHES_ROW - 4 * (gsize) side) * sizeof (gint16));
    }
  q->side = side;
  q->stride = up ? -stride : stride;
  q->offset = -4 * r - r * q->stride;
  for (int i = 0; i < K; i++)
    {
      q->at[i] = -1;
      q->sum[i] = INFINITY;
    }
}

/* Puts @source among the best K. */
static INLINE void
query_insert (PatchesQuery *q, int source, float sum)
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
query_has (const PatchesQuery *q, int source)
{
  return q->at[0] == source || q->at[1] == source || q->at[2] == source || q->at[3] == source;
}

/* Tries @source; keeps it if it is among the best K. */
static INLINE void
query_try (PatchesQuery *q, const guint8 *base, int source)
{
  float sum;

  if (query_has (q, source))
    return;
  sum = scan_distance (q, base, source, q->sum[K - 1]);
  if (sum < q->sum[K - 1])
    query_insert (q, source, sum);
}

/* The first @n answers of the query at (x, y), moved by @shift to fit the query at hand. */
static INLINE void
query_try_neighbour (const PatchesLevel *level,
                     PatchesQuery *q,
                     const guint8 *base,
                     const PatchesFound *all,
                     int x,
                     int y,
                     int shift,
                     int n)
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
      if (all[other].at[i] >= 0 && source >= 0 && source < level->width * level->height &&
          patches_is_source (level, source))
        query_try (q, base, source);
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

static INLINE gboolean
stays_near (const PatchesLevel *level)
{
  return level->inherits && level->width * level->height >= LARGE;
}

static INLINE int
list_source (const PatchesLevel *level, int x, int y, int *out)
{
  const int at = y * level->width + x;

  if (x < 0 || y < 0 || x >= level->width || y >= level->height || ! patches_is_source (level, at))
    return 0;
  *out = at;
  return 1;
}

/* Sources at random within shrinking reaches around @source. Returns: how many. */
static INLINE int
list_around (const PatchesLevel *level, int source, guint64 *state, int *out)
{
  const int sx = source % level->width, sy = source / level->width;
  const int widest = MAX (MAX (level->width, level->height) / 4, 1);
  int n = 0;

  for (int reach = stays_near (level) ? MIN (widest, LARGE_REACH) : widest; n < REACHES; reach = MAX (reach / 3, 1))
    {
      const int x = sx - reach + random_below (state, 2 * reach + 1),
                y = sy - reach + random_below (state, 2 * reach + 1);

      n += list_source (level, x, y, out + n);
      if (reach == 1)
        break;
    }
  return n;
}

/* What chance has query @index try: anything, and around the two best of the last sweep. */
typedef struct
{
  int n;
  int at[RANDOM_TRIES + 2 * REACHES];
} Tries;

/* They lie far away in memory: listed, and asked for, while the query before is at work. */
static INLINE void
list_tries (const PatchesScan *s, int index, Tries *tries)
{
  const PatchesLevel *level = s->level;
  const int r = level->radius;
  const gssize down = 4 * (gssize) level->width;
  const gssize stride = goes_up (level, level->query_x[index], level->query_y[index]) ? -down : down;
  const guint8 *row = level->compact - 4 * r - r * stride;
  guint64 state = sumi_random_hash (s->seed, (guint64) level->depth << 32 | s->sweep, (guint64) index);

  tries->n = 0;
  for (int i = 0; i < (stays_near (level) ? LARGE_TRIES : RANDOM_TRIES); i++)
    {
      if (level->sources)
        tries->at[tries->n++] = level->sources[random_below (&state, level->n_sources)];
      else
        {
          const int x = random_below (&state, level->width), y = random_below (&state, level->height);

          tries->n += list_source (level, x, y, tries->at + tries->n);
        }
    }
  for (int i = 0; i < 2; i++)
    if (level->before[index].at[i] >= 0)
      tries->n += list_around (level, level->before[index].at[i], &state, tries->at + tries->n);
  for (int i = 0; i < tries->n; i++)
    for (int j = 0; j < AHEAD; j++)
      __builtin_prefetch (row + 4 * (gssize) tries->at[i] + j * stride);
}

/* One query of a sweep. @forward: neighbours left and above are done; @y0, @y1: rows of the band. */
static INLINE void
query_sweep (const PatchesScan *s,
             PatchesQuery *q,
             const Tries *tries,
             int index,
             int x,
             int y,
             gboolean forward,
             int y0,
             int y1)
{
  const PatchesLevel *level = s->level;
  const guint8 *base = level->compact;
  const int w = level->width, done = forward ? -1 : 1;

  for (int i = 0; i < K; i++)
    if (level->before[index].at[i] >= 0)
      query_try (q, base, level->before[index].at[i]);
  query_try_neighbour (level, q, base, level->found, x + done, y, -done, K);
  query_try_neighbour (level, q, base, y + done >= y0 && y + done < y1 ? level->found : level->before, x, y + done,
                       -done * w, K);
  query_try_neighbour (level, q, base, level->before, x - done, y, done, 2);
  query_try_neighbour (level, q, base, level->before, x, y - done, done * w, 2);
  for (int i = 0; i < tries->n; i++)
    query_try (q, base, tries->at[i]);
}

static INLINE void
query_store (const PatchesQuery *q, float total, PatchesFound *found)
{
  for (int i = 0; i < K; i++)
    {
      found->at[i] = q->at[i];
      found->error[i] = q->sum[i] / total;
    }
}

static TARGET __attribute__ ((unused)) void
scan_sweep (gpointer data, int index, int thread)
{
  const PatchesScan *s = data;
  PatchesLevel *level = s->level;
  const int y0 = level->box.y + index * PATCHES_BAND, y1 = MIN (y0 + PATCHES_BAND, level->box.y + level->box.height);
  const gboolean forward = s->sweep % 2 == 0;
  const int first = level->first[y0 - level->box.y], n = level->first[y1 - level->box.y] - first;
  Tries tries[2];
  PatchesQuery q;

  if (n == 0 || g_cancellable_is_cancelled (s->cancellable))
    return;
  list_tries (s, forward ? first : first + n - 1, tries);
  for (int i = 0; i < n; i++)
    {
      const int k = forward ? first + i : first + n - 1 - i;

      if (i + 1 < n)
        list_tries (s, forward ? k + 1 : k - 1, tries + (i + 1) % 2);
      query_gather (level, level->query_x[k], level->query_y[k], &q);
      query_sweep (s, &q, tries + i % 2, k, level->query_x[k], level->query_y[k], forward, y0, y1);
      query_store (&q, level->total[k], level->found + k);
    }
}

static INLINE gint32
pair_of (const gint16 *v)
{
  return (gint32) ((guint32) (guint16) v[0] | (guint32) (guint16) v[2] << 16);
}

static INLINE void
query_pair (PatchesQuery *q)
{
  for (int j = 0; j < 2; j++)
    for (int i = 0; i < q->side; i++)
      {
        const gint16 *y = q->y + j * PATCHES_ROW + 4 * i, *scale = q->scale + j * PATCHES_ROW + 4 * i;
        gint32 *out = q->pairs[j * q->side + i];

        out[0] = pair_of (y);
        out[1] = pair_of (y + 1);
        out[2] = pair_of (scale);
        out[3] = pair_of (scale + 1);
      }
}

/* Every source: what the first rows tell apart goes many at a time. */
static INLINE void
query_try_all (const PatchesLevel *level, PatchesQuery *q)
{
  const guint8 *base = level->compact;
  const int r = level->radius, lanes = scan_lanes ();

  for (int y = r; y < level->height - r; y++)
    for (int x = r; x < level->width - r; x += lanes)
      {
        const int source = (int) patches_at (level, x, y);
        guint32 left = scan_filter (q, base, source, q->sum[K - 1]);

        for (; left; left &= left - 1)
          {
            const int at = source + __builtin_ctz (left);

            if (at - source < level->width - r - x && patches_is_source (level, at))
              query_try (q, base, at);
          }
      }
}

static TARGET __attribute__ ((unused)) void
scan_exact (gpointer data, int index, int thread)
{
  const PatchesScan *s = data;
  PatchesLevel *level = s->level;
  PatchesQuery q;

  if (g_cancellable_is_cancelled (s->cancellable))
    return;
  for (int k = index * PATCHES_RUN; k < MIN ((index + 1) * PATCHES_RUN, level->n_queries); k++)
    {
      query_gather (level, level->query_x[k], level->query_y[k], &q);
      for (int c = 0; c < K; c++)
        if (level->before[k].at[c] >= 0)
          query_try (&q, level->compact, level->before[k].at[c]);
      query_pair (&q);
      query_try_all (level, &q);
      query_store (&q, level->total[k], level->found + k);
    }
}
