/* SPDX-License-Identifier: GPL-3.0-or-later */
/* With S the box shrink, U the bicubic enlargement, x the small picture and y its enlargement, the correction is U d
 * with S U d = x − S y, solved by d ← d + (x − S y) − S U d. S U is a 5-tap filter on the small grid (eigenvalues
 * 0.4 to 1 for all factors), so a few steps leave little, and each step reaches 2 pixels further: the result depends
 * on nothing beyond a fixed margin, hence not on how the picture was cut. What is left, and what clamping changes,
 * is settled within each block. */
#include "core/task/consistent.h"

#include <math.h>
#include <string.h>

#include "core/base/clones.h"
#include "core/base/image.h"
#include "core/base/parallel.h"
#include "core/task/resample.h"

#define STEPS 4
#define REACH 2 /* of S U */

G_STATIC_ASSERT (SUMI_CONSISTENT_MARGIN >= REACH * STEPS + SUMI_BICUBIC_MARGIN + 1);

/* The taps of S U along one axis, measured on unit impulses. */
static void
shrunk_enlargement (int factor, double kernel[2 * REACH + 1])
{
  /* U's weights at each phase, from an impulse enlarged without a picture around it */
  for (int k = -REACH; k <= REACH; k++)
    {
      double sum = 0;

      for (int p = 0; p < factor; p++)
        sum += sumi_cubic ((p + 0.5) / factor - 0.5 - k);
      kernel[k + REACH] = sum / factor;
    }
}

typedef struct
{
  const SumiImage *residual;
  const SumiImage *in;
  SumiImage *out;
  double kernel[2 * REACH + 1];
  gboolean down; /* the second pass: out += residual − filtered */
} Filter;

/* Pixels [@from, @to) of @w, the edge repeated. */
static void
filter_across (const double *kernel, const float *in, int w, int c, int from, int to, float *out)
{
  for (int x = from; x < to; x++)
    for (int i = 0; i < c; i++)
      {
        double sum = 0;

        for (int k = -REACH; k <= REACH; k++)
          sum += kernel[k + REACH] * (double) in[CLAMP (x + k, 0, w - 1) * c + i];
        out[x * c + i] = (float) sum;
      }
}

/* @n values; @in: five that are @step apart from the first */
SUMI_CLONES_EXACT static void
filter_inner (const double *kernel, const float *restrict in, gsize step, gsize n, float *restrict out)
{
  for (gsize i = 0; i < n; i++)
    out[i] = (float) (kernel[0] * (double) in[i] + kernel[1] * (double) in[i + step] +
                      kernel[2] * (double) in[i + 2 * step] + kernel[3] * (double) in[i + 3 * step] +
                      kernel[4] * (double) in[i + 4 * step]);
}

/* out += r − filtered */
SUMI_CLONES_EXACT static void
filter_down (const double *kernel, const float *const in[2 * REACH + 1], const float *r, gsize n, float *restrict out)
{
  const float *a = in[0], *b = in[1], *c = in[2], *d = in[3], *e = in[4];

  for (gsize i = 0; i < n; i++)
    out[i] +=
        (float) ((double) r[i] - (kernel[0] * (double) a[i] + kernel[1] * (double) b[i] + kernel[2] * (double) c[i] +
                                  kernel[3] * (double) d[i] + kernel[4] * (double) e[i]));
}

static void
filter_row (gpointer data, int index, int thread)
{
  const Filter *f = data;
  const int c = f->in->channels, w = f->in->width, h = f->in->height;
  const float *in[2 * REACH + 1];
  float *out = sumi_image_at (f->out, 0, index);

  G_STATIC_ASSERT (REACH == 2);
  if (f->down)
    {
      for (int k = -REACH; k <= REACH; k++)
        in[k + REACH] = sumi_image_at (f->in, 0, CLAMP (index + k, 0, h - 1));
      filter_down (f->kernel, in, sumi_image_at (f->residual, 0, index), (gsize) w * (gsize) c, out);
      return;
    }
  in[0] = sumi_image_at (f->in, 0, index);
  filter_across (f->kernel, in[0], w, c, 0, MIN (REACH, w), out);
  filter_across (f->kernel, in[0], w, c, MAX (w - REACH, MIN (REACH, w)), w, out);
  if (w > 2 * REACH)
    filter_inner (f->kernel, in[0], (gsize) c, (gsize) ((w - 2 * REACH) * c), out + REACH * c);
}

void
sumi_settle_block (float *values, const int *at, int n, float mean, float low, float high)
{
  double left = 0;

  for (int pass = 0; pass < 24; pass++)
    {
      double sum = 0;
      int movable = 0;

      for (int i = 0; i < n; i++)
        sum += (double) values[at[i]];
      left = (double) mean - sum / n;
      if (pass > 0 && fabs (left) < 1e-7)
        break;
      /* those already against the limit in this direction cannot take their share */
      for (int i = 0; i < n; i++)
        movable += left > 0 ? values[at[i]] < high : values[at[i]] > low;
      if (movable == 0 && pass > 0)
        break;
      for (int i = 0; i < n; i++)
        if (pass == 0 || (left > 0 ? values[at[i]] < high : values[at[i]] > low))
          {
            float moved = values[at[i]] + (float) (pass == 0 ? left : left * n / movable);
            values[at[i]] = CLAMP (moved, low, high);
          }
    }
}

typedef struct
{
  const SumiImage *small, *big;
  SumiImage *out; /* what is to be added to @big, then the sum */
  int small_y, y, factor;
} Settle;

static void
settle_row (gpointer data, int index, int thread)
{
  const Settle *s = data;
  const int c = s->small->channels, f = s->factor, w = s->small->width;
  const int row = s->y - s->small_y + index;
  const gsize n = (gsize) (f * s->out->width * c);
  const float *in = sumi_image_at (s->big, 0, row * f);
  float *out = sumi_image_at (s->out, 0, index * f);
  int at[64];

  for (gsize i = 0; i < n; i++)
    out[i] += in[i];
  for (int j = 0; j < f * f; j++)
    at[j] = (j / f * s->out->width + j % f) * c;
  for (int x = 0; x < w; x++)
    for (int i = 0; i < c; i++)
      {
        float low = 0, high = 1;
        const float mean = sumi_image_at (s->small, x, row)[i];

        if (i < 3)
          for (int dy = -1; dy <= 1; dy++)
            for (int dx = -1; dx <= 1; dx++)
              {
                int px = CLAMP (x + dx, 0, w - 1), py = CLAMP (row + dy, 0, s->small->height - 1);
                float v = sumi_image_at (s->small, px, py)[i];

                low = MIN (low, v);
                high = MAX (high, v);
              }
        sumi_settle_block (sumi_image_at (s->out, x * f, index * f) + i, at, f * f, mean, low, high);
      }
}

static void
subtract (float *a, const float *b, gsize n)
{
  for (gsize i = 0; i < n; i++)
    a[i] = b[i] - a[i];
}

SumiImage *
sumi_make_consistent (SumiPool *pool,
                      const SumiImage *small,
                      const SumiImage *big,
                      int small_y,
                      int small_height,
                      int factor,
                      int y,
                      int rows,
                      GError **error)
{
  const int c = small->channels, w = small->width, m = SUMI_BICUBIC_MARGIN;
  const gsize n = (gsize) w * (gsize) small->height * (gsize) c;
  const SumiRect where = { -m, small_y, w + 2 * m, small->height };
  const SumiRect whole = { 0, y * factor, w * factor, rows * factor };
  g_autoptr (SumiImage) residual = NULL, d = NULL, across = NULL, padded = NULL, out = NULL;

  g_return_val_if_fail (factor >= 1 && factor <= 8 && big->channels == c, NULL);
  g_return_val_if_fail (big->width == w * factor && big->height == small->height * factor, NULL);

  residual = sumi_shrink_box (pool, big, factor, error);
  d = residual ? sumi_image_new_unset (w, small->height, c, error) : NULL;
  across = d ? sumi_image_new_unset (w, small->height, c, error) : NULL;
  if (! across)
    return NULL;
  subtract (residual->data, small->data, n);
  memcpy (d->data, residual->data, n * sizeof (float));

  Filter f = { .residual = residual };
  shrunk_enlargement (factor, f.kernel);
  for (int step = 0; step < STEPS; step++)
    {
      f.in = d, f.out = across, f.down = FALSE;
      sumi_parallel_for (pool, small->height, filter_row, &f);
      f.in = across, f.out = d, f.down = TRUE;
      sumi_parallel_for (pool, small->height, filter_row, &f);
    }

  /* the enlargement needs the picture's edges repeated; beyond the band there is none but where it ends */
  const int above = small_y == 0 ? m : 0, below = small_y + small->height == small_height ? m : 0;
  padded = sumi_image_new_unset (w + 2 * m, small->height + above + below, c, error);
  if (! padded)
    return NULL;
  for (int py = 0; py < padded->height; py++)
    {
      const float *from = sumi_image_at (d, 0, CLAMP (py - above, 0, d->height - 1));
      float *to = sumi_image_at (padded, 0, py);

      for (int px = 0; px < m; px++)
        memcpy (to + px * c, from, (gsize) c * sizeof (float));
      memcpy (to + m * c, from, (gsize) (w * c) * sizeof (float));
      for (int px = m + w; px < padded->width; px++)
        memcpy (to + px * c, from + (w - 1) * c, (gsize) c * sizeof (float));
    }
  SumiRect placed = { where.x, small_y - above, padded->width, padded->height };
  out = sumi_enlarge_bicubic (pool, padded, &placed, factor, &whole, error);
  if (! out)
    return NULL;

  Settle s = { small, big, out, small_y, y, factor };
  sumi_parallel_for (pool, rows, settle_row, &s);
  return g_steal_pointer (&out);
}
