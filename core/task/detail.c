/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/task/detail.h"

#include "core/base/image.h"
#include "core/base/parallel.h"
#include "core/task/colour.h"

#define REACH SUMI_DETAIL_MARGIN
#define EVEN  0.03 /* standard deviation at which half of the detail comes */

typedef struct
{
  SumiImage *mean;
  const SumiImage *sample;
  SumiImage *moments; /* [H, W, 2]: luminance and its square, summed along rows */
  double amount;
} Detail;

/* Sums over 2·REACH + 1 pixels, fewer at the edges; added up anew for each pixel, so that tiles agree to rounding. */
static void
sum_row (gpointer data, int y, int thread)
{
  const Detail *d = data;
  const int w = d->mean->width;

  for (int x = 0; x < w; x++)
    {
      float *out = sumi_image_at (d->moments, x, y);

      for (int k = MAX (x - REACH, 0); k <= MIN (x + REACH, w - 1); k++)
        {
          const float l = sumi_luminance (sumi_image_at (d->mean, k, y));

          out[0] += l;
          out[1] += l * l;
        }
    }
}

static void
mix_row (gpointer data, int y, int thread)
{
  const Detail *d = data;
  const int w = d->mean->width, h = d->mean->height;
  const int top = MAX (y - REACH, 0), bottom = MIN (y + REACH, h - 1);

  for (int x = 0; x < w; x++)
    {
      const int n = (MIN (x + REACH, w - 1) - MAX (x - REACH, 0) + 1) * (bottom - top + 1);
      double sum = 0, squares = 0;

      for (int k = top; k <= bottom; k++)
        {
          const float *m = sumi_image_at (d->moments, x, k);

          sum += (double) m[0];
          squares += (double) m[1];
        }
      const double v = MAX (squares / n - sum / n * (sum / n), 0);
      const float share = (float) (d->amount * v / (v + EVEN * EVEN));
      float *out = sumi_image_at (d->mean, x, y);
      const float *in = sumi_image_at (d->sample, x, y);

      for (int c = 0; c < 3; c++)
        out[c] += share * (in[c] - out[c]);
    }
}

gboolean
sumi_mix_detail (SumiPool *pool, SumiImage *mean, const SumiImage *sample, double amount, GError **error)
{
  g_autoptr (SumiImage) moments = sumi_image_new (mean->width, mean->height, 2, error);
  Detail d = { mean, sample, moments, amount };

  if (! moments)
    return FALSE;
  sumi_parallel_for (pool, mean->height, sum_row, &d);
  sumi_parallel_for (pool, mean->height, mix_row, &d);
  return TRUE;
}
