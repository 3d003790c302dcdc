/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pull: each level averages 2×2 blocks of known pixels weighted by how many are known. Push: from the coarsest (side ≤
 * 2, plain mean) upwards, unknown pixels take the bilinear enlargement (half-pixel centres) of the level below. Sides
 * are padded to multiples of the power of two first; the padding is unknown. */
#include "core/model/pushpull.h"

#include <math.h>
#include <string.h>

#include "core/base/image.h"

#define MAX_LEVELS 30
#define MAX_PHASE  64

typedef struct
{
  SumiImage *colour; /* [h, w, C] */
  SumiImage *count;  /* [h, w, 1]: known pixels of the full size below; 0 = unknown */
} Level;

static void
levels_clear (Level *levels)
{
  for (int i = 0; i < MAX_LEVELS; i++)
    {
      g_clear_pointer (&levels[i].colour, sumi_image_unref);
      g_clear_pointer (&levels[i].count, sumi_image_unref);
    }
}

static gboolean
level_init (Level *level, int width, int height, int channels, GError **error)
{
  level->colour = sumi_image_new (width, height, channels, error);
  level->count = level->colour ? sumi_image_new (width, height, 1, error) : NULL;
  return level->count != NULL;
}

static void
pull (const Level *fine, Level *coarse)
{
  const int channels = fine->colour->channels;

  for (int y = 0; y < coarse->count->height; y++)
    for (int x = 0; x < coarse->count->width; x++)
      {
        float *to = sumi_image_at (coarse->colour, x, y), *n = sumi_image_at (coarse->count, x, y);
        double sum[4] = { 0 };

        for (int d = 0; d < 4; d++)
          {
            const float w = *sumi_image_at (fine->count, 2 * x + d % 2, 2 * y + d / 2);
            const float *from = sumi_image_at (fine->colour, 2 * x + d % 2, 2 * y + d / 2);

            *n += w;
            for (int c = 0; w > 0 && c < channels; c++)
              sum[c] += (double) w * from[c];
          }
        for (int c = 0; *n > 0 && c < channels; c++)
          to[c] = (float) (sum[c] / *n);
      }
}

/* Bilinear value of @coarse at the centre of fine pixel (@x, @y). */
static void
enlarge (const SumiImage *coarse, int x, int y, float *out)
{
  const double fx = (x + 0.5) / 2 - 0.5, fy = (y + 0.5) / 2 - 0.5;
  const int x0 = (int) floor (fx), y0 = (int) floor (fy);
  const float tx = (float) (fx - x0), ty = (float) (fy - y0);
  const int xa = CLAMP (x0, 0, coarse->width - 1), xb = CLAMP (x0 + 1, 0, coarse->width - 1);
  const int ya = CLAMP (y0, 0, coarse->height - 1), yb = CLAMP (y0 + 1, 0, coarse->height - 1);
  const float *p = sumi_image_at (coarse, xa, ya), *q = sumi_image_at (coarse, xb, ya);
  const float *r = sumi_image_at (coarse, xa, yb), *s = sumi_image_at (coarse, xb, yb);

  for (int c = 0; c < coarse->channels; c++)
    out[c] = (1 - ty) * ((1 - tx) * p[c] + tx * q[c]) + ty * ((1 - tx) * r[c] + tx * s[c]);
}

static void
push (const Level *coarse, Level *fine)
{
  for (int y = 0; y < fine->count->height; y++)
    for (int x = 0; x < fine->count->width; x++)
      if (! (*sumi_image_at (fine->count, x, y) > 0))
        enlarge (coarse->colour, x, y, sumi_image_at (fine->colour, x, y));
}

/* The coarsest level: what is unknown takes the mean of what is known. */
static void
fill_with_mean (Level *level)
{
  double sum[4] = { 0 }, n = 0;
  const int channels = level->colour->channels;

  for (int y = 0; y < level->count->height; y++)
    for (int x = 0; x < level->count->width; x++)
      if (*sumi_image_at (level->count, x, y) > 0)
        {
          n++;
          for (int c = 0; c < channels; c++)
            sum[c] += sumi_image_at (level->colour, x, y)[c];
        }
  for (int y = 0; y < level->count->height; y++)
    for (int x = 0; x < level->count->width; x++)
      if (! (*sumi_image_at (level->count, x, y) > 0))
        for (int c = 0; c < channels; c++)
          sumi_image_at (level->colour, x, y)[c] = (float) (n > 0 ? sum[c] / n : 0.5);
}

gboolean
sumi_pushpull_fill (SumiImage *image, const SumiImage *missing, int x, int y, GError **error)
{
  Level levels[MAX_LEVELS] = { { NULL, NULL } };
  int n = 1, power = 1, left, top, width, height;
  gboolean ok;

  while (MAX (image->width, image->height) > 2 * power)
    {
      power *= 2;
      n++;
    }
  left = x & (MIN (power, MAX_PHASE) - 1);
  top = y & (MIN (power, MAX_PHASE) - 1);
  width = (left + image->width + power - 1) / power * power;
  height = (top + image->height + power - 1) / power * power;
  ok = level_init (&levels[0], width, height, image->channels, error);
  for (int i = 0; ok && i < image->height; i++)
    for (int j = 0; j < image->width; j++)
      if (! (*sumi_image_at (missing, j, i) > 0))
        {
          *sumi_image_at (levels[0].count, left + j, top + i) = 1;
          memcpy (sumi_image_at (levels[0].colour, left + j, top + i), sumi_image_at (image, j, i),
                  sizeof (float) * (gsize) image->channels);
        }
  for (int i = 1; ok && i < n; i++)
    {
      ok = level_init (&levels[i], width >> i, height >> i, image->channels, error);
      if (ok)
        pull (&levels[i - 1], &levels[i]);
    }
  if (ok)
    {
      fill_with_mean (&levels[n - 1]);
      for (int i = n - 2; i >= 0; i--)
        push (&levels[i + 1], &levels[i]);
      for (int i = 0; i < image->height; i++)
        for (int j = 0; j < image->width; j++)
          if (*sumi_image_at (missing, j, i) > 0)
            memcpy (sumi_image_at (image, j, i), sumi_image_at (levels[0].colour, left + j, top + i),
                    sizeof (float) * (gsize) image->channels);
    }
  levels_clear (levels);
  return ok;
}
