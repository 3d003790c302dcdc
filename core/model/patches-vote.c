/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Posterior mean of the patches' empirical distribution, patch by patch, and the mean over all patches that cover a
 * pixel. Each pixel gathers its votes in one order, so threads do not matter. */
#pragma GCC optimize("fp-contract=off")

#include "core/model/patches-vote.h"

#include <math.h>
#include <string.h>

#include "core/base/parallel.h"

#define K          PATCHES_K
#define BAND       16
#define SPREAD     0.8  /* of a patch's votes around its centre, in pixels */
#define FLOOR      1e-6 /* confidence of the least certain query */
#define FALL       1.1  /* of confidence per pixel of distance from what is known */
#define BASE       9.0  /* σ² that patches differ by without any noise */
#define NEGLIGIBLE 0.01

typedef float V4 __attribute__ ((vector_size (16), aligned (4), may_alias));

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

void
patches_vote_weigh (PatchesLevel *level, double sigma, gboolean hard)
{
  const int side = 2 * level->radius + 1;
  const double h2 = (sigma * sigma + BASE) / (3.0 * side * side);
  const double hc = 1 + (double) nth_error (level, level->n_queries * 3 / 4);

  for (int row = 0; row < level->box.height; row++)
    for (int q = level->first[row]; q < level->first[row + 1]; q++)
      {
        const PatchesFound *f = level->found + q;
        const double away = (double) level->distance[patches_box_at (level, level->query_x[q], level->box.y + row)];
        double w[K] = { 1 }, total = 0, confidence;

        memset (level->votes[q], 0, sizeof level->votes[q]);
        if (f->at[0] < 0)
          continue;
        for (int k = 1; k < K && ! hard; k++)
          w[k] = f->at[k] >= 0 ? exp (-(double) (f->error[k] - f->error[0]) / (2 * h2)) : 0;
        for (int k = 0; k < K; k++)
          {
            w[k] = w[k] < NEGLIGIBLE ? 0 : w[k];
            total += w[k];
          }
        confidence = exp (-(double) f->error[0] / (2 * hc)) * pow (FALL, -away) + FLOOR;
        for (int k = 0; k < K; k++)
          level->votes[q][k] = (float) (confidence * w[k] / total);
      }
}

typedef struct
{
  const PatchesLevel *level;
  const guint8 *where;
  float *out;
  float gauss[PATCHES_SIDE];
} Vote;

static void
vote_pixel (const Vote *v, int x, int y)
{
  const PatchesLevel *level = v->level;
  const SumiRect *box = &level->box;
  const int r = level->radius, w = level->width;
  const int i0 = MAX (x - r, box->x), i1 = MIN (x + r, box->x + box->width - 1);
  const int j0 = MAX (y - r, box->y), j1 = MIN (y + r, box->y + box->height - 1);
  V4 sum = { 0 };
  float total = 0;

  for (int j = j0; j <= j1; j++)
    for (int i = i0; i <= i1; i++)
      {
        const int q = level->query_at[patches_box_at (level, i, j)];
        const float g = v->gauss[i - x + r] * v->gauss[j - y + r];
        const int shift = (y - j) * w + x - i;

        if (q < 0)
          continue;
        for (int k = 0; k < K; k++)
          {
            const float weight = g * level->votes[q][k];

            if (! (level->votes[q][k] > 0))
              continue;
            sum += weight * *(const V4 *) (level->picture + 4 * (gsize) (level->found[q].at[k] + shift));
            total += weight;
          }
      }
  if (total > 0)
    {
      const V4 mean = sum / total;

      memcpy (v->out + 4 * patches_box_at (level, x, y), &mean, sizeof mean);
    }
}

static void
vote_band (gpointer data, int index, int thread)
{
  const Vote *v = data;
  const SumiRect *box = &v->level->box;

  for (int y = index * BAND; y < MIN ((index + 1) * BAND, box->height); y++)
    for (int x = 0; x < box->width; x++)
      if (v->where[(gsize) y * (gsize) box->width + (gsize) x])
        vote_pixel (v, box->x + x, box->y + y);
}

void
patches_vote (const PatchesLevel *level, const guint8 *where, float *out, SumiPool *pool)
{
  Vote v = { level, where, out };

  for (int i = -level->radius; i <= level->radius; i++)
    v.gauss[i + level->radius] = (float) exp (-i * i / (2 * SPREAD * SPREAD));
  sumi_parallel_for (pool, (level->box.height + BAND - 1) / BAND, vote_band, &v);
}
