/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each block votes with the inverse of how many coefficients it kept: flat blocks are surer than busy ones. Blocks
 * start at even absolute positions. A band of rows adds up every block that touches it, in the order of the blocks,
 * so that the sums are the same for every cut and thread count. */
#include "core/task/clean.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clones.h"
#include "core/base/image.h"
#include "core/base/parallel.h"

#define SIDE      8
#define STRIDE    2
#define BAND      32
#define THRESHOLD 2.7f /* in σ; Yu and Sapiro take 3 without the weights */

#define FULL_SIGMA (30.0 / 255)

G_STATIC_ASSERT (SUMI_CLEAN_MARGIN >= SIDE - 1);

double
sumi_clean_sigma (double strength)
{
  return strength * FULL_SIGMA;
}

double
sumi_clean_left (double strength)
{
  return 0.1 * 2 * sumi_clean_sigma (strength);
}

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  const float x = *(const float *) a, y = *(const float *) b;

  return (x > y) - (x < y);
}

double
sumi_noise_sigma (const SumiImage *pixels)
{
  const int w = pixels->width / 2, h = pixels->height / 2, c = pixels->channels;
  const gsize n = (gsize) w * (gsize) h;
  g_autofree float *d = n > 0 ? g_try_new (float, n) : NULL;

  if (! d)
    return 0;
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      {
        const float *a = sumi_image_at (pixels, 2 * x, 2 * y), *b = sumi_image_at (pixels, 2 * x, 2 * y + 1);

        d[(gsize) y * (gsize) w + (gsize) x] = fabsf (a[0] - a[c] - b[0] + b[c]) / 2;
      }
  qsort (d, n, sizeof *d, compare_floats);
  return (double) d[n / 2] / 0.6745;
}

typedef struct
{
  const SumiImage *in;
  SumiImage *out;
  int x, y;
  float threshold;
  float basis[SIDE][SIDE];    /* [frequency][position], orthonormal */
  float position[SIDE][SIDE]; /* the same, transposed */
} Clean;

typedef float Row __attribute__ ((vector_size (SIDE * sizeof (float)), aligned (sizeof (float)), may_alias));

/* @across[k]: what the k-th value of a row adds to its sums; @down[r][k]: the share of row k in row r */
static inline __attribute__ ((always_inline)) void
transform (const float across[SIDE][SIDE], const float down[SIDE][SIDE], float block[SIDE][SIDE])
{
  Row half[SIDE];

  for (int r = 0; r < SIDE; r++)
    {
      Row sums = { 0 };

      for (int k = 0; k < SIDE; k++)
        sums += block[r][k] * *(const Row *) across[k];
      half[r] = sums;
    }
  for (int r = 0; r < SIDE; r++)
    {
      Row sums = { 0 };

      for (int k = 0; k < SIDE; k++)
        sums += down[r][k] * half[k];
      *(Row *) block[r] = sums;
    }
}

/* Cleans one block. Returns: its weight. */
SUMI_CLONES_EXACT static float
clean_block (const Clean *c, int x, int y, float block[3][SIDE][SIDE])
{
  const float s2 = (float) G_SQRT2 / 2, s3 = 1 / sqrtf (3), s6 = 1 / sqrtf (6);
  int kept = 0;

  for (int j = 0; j < SIDE; j++)
    for (int i = 0; i < SIDE; i++)
      {
        const float *p = sumi_image_at (c->in, x + i, y + j);

        block[0][j][i] = (p[0] + p[1] + p[2]) * s3;
        block[1][j][i] = (p[0] - p[2]) * s2;
        block[2][j][i] = (p[0] + p[2] - 2 * p[1]) * s6;
      }
  for (int k = 0; k < 3; k++)
    {
      float *v = &block[k][0][0];

      transform (c->position, c->basis, block[k]);
      for (int i = 1; i < SIDE * SIDE; i++)
        if (fabsf (v[i]) < c->threshold)
          v[i] = 0;
        else
          kept++;
      transform (c->basis, c->position, block[k]);
    }
  for (int j = 0; j < SIDE; j++)
    for (int i = 0; i < SIDE; i++)
      {
        const float l = block[0][j][i] * s3, a = block[1][j][i] * s2, b = block[2][j][i] * s6;

        block[0][j][i] = l + a + b;
        block[1][j][i] = l - 2 * b;
        block[2][j][i] = l - a + b;
      }
  return 1 / (1.0f + (float) kept);
}

static void
clean_band (gpointer data, int index, int thread)
{
  const Clean *c = data;
  const int w = c->in->width, top = index * BAND, bottom = MIN (top + BAND, c->in->height);
  g_autofree float *sums = g_new0 (float, (gsize) w *(gsize) (bottom - top) * 4);

  /* x & 1 of negative positions is right in two's complement */
  for (int y = MAX (top - SIDE + 1, 0); y < bottom && y + SIDE <= c->in->height; y++)
    for (int x = 0; x + SIDE <= w; x++)
      {
        float block[3][SIDE][SIDE], weight;

        if (((c->x + x) | (c->y + y)) & (STRIDE - 1))
          continue;
        weight = clean_block (c, x, y, block);
        for (int j = MAX (top - y, 0); j < SIDE && y + j < bottom; j++)
          {
            float *s = sums + ((gsize) (y + j - top) * (gsize) w + (gsize) x) * 4;

            for (int i = 0; i < SIDE; i++, s += 4)
              {
                for (int k = 0; k < 3; k++)
                  s[k] += weight * block[k][j][i];
                s[3] += weight;
              }
          }
      }
  for (int y = top; y < bottom; y++)
    for (int x = 0; x < w; x++)
      {
        const float *s = sums + ((gsize) (y - top) * (gsize) w + (gsize) x) * 4;
        float *out = sumi_image_at (c->out, x, y);

        if (s[3] > 0)
          for (int k = 0; k < 3; k++)
            out[k] = s[k] / s[3];
      }
}

gboolean
sumi_clean (SumiPool *pool, SumiImage *pixels, int x, int y, double sigma, GError **error)
{
  g_autoptr (SumiImage) in = NULL;
  Clean c = { .out = pixels, .x = x, .y = y, .threshold = THRESHOLD * (float) sigma };

  g_return_val_if_fail (pixels->channels >= 3, FALSE);
  in = sumi_image_dup (pixels, error);
  if (! in)
    return FALSE;
  c.in = in;
  for (int k = 0; k < SIDE; k++)
    for (int i = 0; i < SIDE; i++)
      c.position[i][k] = c.basis[k][i] = (float) (sqrt ((k ? 2.0 : 1.0) / SIDE) * cos (G_PI * (i + 0.5) * k / SIDE));
  sumi_parallel_for (pool, (in->height + BAND - 1) / BAND, clean_band, &c);
  return TRUE;
}
