/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Posterior mean of the patches' empirical distribution, patch by patch, and the mean over all patches that cover a
 * pixel. Each pixel gets its votes in one order, so threads do not matter. */
#pragma GCC optimize("fp-contract=off")

#include "core/model/patches-vote.h"

#include <math.h>
#include <string.h>

#include "core/base/parallel.h"

#define K          PATCHES_K
#define BAND       32
#define SPREAD     0.8  /* of a patch's votes around its centre, in pixels */
#define FLOOR      1e-6 /* confidence of the least certain query */
#define BASE       9.0  /* σ² that patches differ by without any noise */
#define NEGLIGIBLE 0.01
#define FARTHEST   4.7 /* exp (−4.7) is negligible */

#if defined(__x86_64__) && defined(__linux__) && ! defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__ ((target_clones ("avx512f", "avx2", "default")))
#else
#define CLONES
#endif
#define INLINE inline __attribute__ ((always_inline))

typedef float V4 __attribute__ ((vector_size (16), aligned (4), may_alias));
typedef float V8 __attribute__ ((vector_size (32), aligned (4), may_alias));
typedef float V16 __attribute__ ((vector_size (64), aligned (4), may_alias));

/* The @rank-th smallest e_1, exactly: positive floats order as their bits, so two counting passes over 16 bits each. */
static float
nth_error (const PatchesLevel *level, int rank)
{
  g_autofree int *count = g_new (int, 65536);
  guint32 bits, high = 0, low = 0;
  float value;

  for (int pass = 0; pass < 2; pass++)
    {
      guint32 bin = 0;

      memset (count, 0, 65536 * sizeof (int));
      for (int i = 0; i < level->n_queries; i++)
        {
          memcpy (&bits, &level->found[i].error[0], 4);
          if (pass == 0)
            count[bits >> 16]++;
          else if (bits >> 16 == high)
            count[bits & 0xffff]++;
        }
      while (bin < 65535 && rank >= count[bin])
        rank -= count[bin++];
      if (pass == 0)
        high = bin;
      else
        low = bin;
    }
  bits = high << 16 | low;
  memcpy (&value, &bits, 4);
  return value;
}

typedef struct
{
  PatchesLevel *level;
  double h2, hc;
  gboolean hard;
} Weigh;

static void
weigh_row (gpointer data, int index, int thread)
{
  const Weigh *v = data;
  PatchesLevel *level = v->level;

  for (int q = level->first[index]; q < level->first[index + 1]; q++)
    {
      const PatchesFound *f = level->found + q;
      double w[K] = { 1 }, total = 0, confidence;

      memset (level->votes[q], 0, sizeof level->votes[q]);
      if (f->at[0] < 0)
        continue;
      for (int k = 1; k < K && ! v->hard && f->at[k] >= 0; k++)
        {
          const double x = (double) (f->error[k] - f->error[0]) / (2 * v->h2);

          w[k] = x < FARTHEST ? exp (-x) : 0;
        }
      for (int k = 0; k < K; k++)
        {
          w[k] = w[k] < NEGLIGIBLE ? 0 : w[k];
          total += w[k];
        }
      confidence = exp (-(double) f->error[0] / (2 * v->hc)) * (double) level->fade[q] + FLOOR;
      for (int k = 0; k < K; k++)
        level->votes[q][k] = (float) (confidence * w[k] / total);
    }
}

void
patches_vote_weigh (PatchesLevel *level, double sigma, gboolean hard, SumiPool *pool)
{
  const int side = 2 * level->radius + 1;
  Weigh v = { level, (sigma * sigma + BASE) / (3.0 * side * side),
              1 + (double) nth_error (level, level->n_queries * 3 / 4), hard };

  sumi_parallel_for (pool, level->box.height, weigh_row, &v);
}

typedef struct
{
  const PatchesLevel *level;
  const guint8 *where;
  float *out;
  float spread[PATCHES_SIDE][8];            /* of a patch's votes; 0 beyond it */
  float spread4[PATCHES_SIDE][PATCHES_ROW]; /* the same for each channel */
} Vote;

/* One patch's votes, as far as they fall on rows [@y0, @y1) of the picture: @sum [rows, width, 4], @total [rows,
 * width], both of the box's columns. */
static INLINE void
add_patch (const Vote *v, int x, int y, int source, float weight, int y0, int y1, float *sum, float *total)
{
  const PatchesLevel *level = v->level;
  const int r = level->radius, left = x - r - level->box.x;
  const gssize width = level->box.width;

  for (int j = MAX (y - r, y0); j <= MIN (y + r, y1 - 1); j++)
    {
      const int row = j - y + r;
      const float *p = level->picture + 4 * ((gssize) source + (gssize) (j - y) * level->width - r);
      float *to = sum + 4 * ((j - y0) * width + left);
      V8 *t = (V8 *) (total + (j - y0) * width + left);

      *(V16 *) to += *(const V16 *) v->spread4[row] * weight * *(const V16 *) p;
      *(V16 *) (to + 16) += *(const V16 *) (v->spread4[row] + 16) * weight * *(const V16 *) (p + 16);
      *t += *(const V8 *) v->spread[row] * weight;
    }
}

/* A band of rows of the box; each of its pixels gets its votes in the order of the queries. */
static CLONES void
vote_band (gpointer data, int index, int thread)
{
  const Vote *v = data;
  const PatchesLevel *level = v->level;
  const SumiRect *box = &level->box;
  const int r = level->radius, first = index * BAND, end = MIN (first + BAND, box->height);
  const gsize width = (gsize) box->width, n = (gsize) (end - first) * width;
  g_autofree float *sum = g_new0 (float, 5 * n + 40);
  float *total = sum + 4 * n + 32;

  for (int q = level->first[MAX (first - r, 0)]; q < level->first[MIN (end + r, box->height)]; q++)
    for (int k = 0; k < K; k++)
      if (level->votes[q][k] > 0)
        add_patch (v, level->query_x[q], level->query_y[q], level->found[q].at[k], level->votes[q][k], box->y + first,
                   box->y + end, sum, total);
  for (gsize i = 0; i < n; i++)
    {
      const gsize at = (gsize) first * width + i;

      if (v->where[at] && total[i] > 0)
        {
          const V4 mean = *(const V4 *) (sum + 4 * i) / total[i];

          memcpy (v->out + 4 * at, &mean, sizeof mean);
        }
    }
}

void
patches_vote (const PatchesLevel *level, const guint8 *where, float *out, SumiPool *pool)
{
  Vote v = { level, where, out };
  const int r = level->radius;

  for (int j = 0; j < 2 * r + 1; j++)
    for (int i = 0; i < 2 * r + 1; i++)
      {
        const float a = (float) exp (-(i - r) * (i - r) / (2 * SPREAD * SPREAD));
        const float b = (float) exp (-(j - r) * (j - r) / (2 * SPREAD * SPREAD));

        v.spread[j][i] = a * b;
        for (int c = 0; c < 4; c++)
          v.spread4[j][4 * i + c] = a * b;
      }
  sumi_parallel_for (pool, (level->box.height + BAND - 1) / BAND, vote_band, &v);
}
