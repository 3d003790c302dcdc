/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What upscale, colorize and restore are made of, without a model: resampling, box consistency, tiles, cleaning,
 * chroma, spreading of strokes. */
#include <math.h>
#include <string.h>

#include "core/base/image.h"
#include "core/base/job.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/task/bleed.h"
#include "core/task/clean.h"
#include "core/task/colour.h"
#include "core/task/consistent.h"
#include "core/task/detail.h"
#include "core/task/guided.h"
#include "core/task/laplacian.h"
#include "core/task/propagate.h"
#include "core/task/resample.h"
#include "core/task/tile.h"

static SumiImage *
new_image (int width, int height, int channels)
{
  g_autoptr (GError) error = NULL;
  SumiImage *image = sumi_image_new (width, height, channels, &error);

  g_assert_no_error (error);
  return image;
}

/* Smooth shapes, edges and grain in [0, 1]: something like a photo. */
static SumiImage *
scene (int width, int height, int channels, int seed)
{
  SumiImage *image = new_image (width, height, channels);

  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      for (int c = 0; c < channels; c++)
        {
          const double u = x * 0.07 + c, v = y * 0.05 - c;
          const gboolean inside = hypot (x - width * 0.4, y - height * 0.5) < 0.3 * MIN (width, height);
          const double grain =
              (double) (sumi_random_hash ((guint64) seed, (guint64) (x * 7919 + y), (guint64) c) >> 40) / (1 << 24);

          sumi_image_at (image, x, y)[c] =
              (float) CLAMP (0.4 + 0.25 * sin (u + 0.5 * v) + 0.3 * inside + 0.2 * (grain - 0.5), 0, 1);
        }
  return image;
}

static double
max_difference (const SumiImage *a, const SumiImage *b)
{
  double most = 0;

  g_assert_cmpint (a->width, ==, b->width);
  g_assert_cmpint (a->height, ==, b->height);
  g_assert_cmpint (a->channels, ==, b->channels);
  for (gsize i = 0, n = (gsize) a->width * (gsize) a->height * (gsize) a->channels; i < n; i++)
    {
      const double d = fabs ((double) a->data[i] - (double) b->data[i]);

      g_assert_false (isnan (d));
      most = MAX (most, d);
    }
  return most;
}

/* The whole of @in enlarged, through a source that repeats its edges. */
static SumiImage *
enlarge (SumiImage *in, int factor, const SumiRect *out)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiSource) source = sumi_source_new_image (in);
  const SumiRect all = { 0, 0, in->width * factor, in->height * factor };
  const SumiRect where = sumi_enlarge_needs (out ? out : &all, factor, SUMI_BICUBIC_MARGIN);
  g_autoptr (SumiImage) piece = sumi_source_read (source, &where, TRUE, &error);
  SumiImage *big;

  g_assert_no_error (error);
  big = sumi_enlarge_bicubic (NULL, piece, &where, factor, out ? out : &all, &error);
  g_assert_no_error (error);
  return big;
}

static const int factors[] = { 1, 2, 3, 4, 8 };

static void
test_bicubic (void)
{
  for (double t = 0; t < 1; t += 0.037)
    {
      double sum = 0;

      for (int k = -2; k <= 3; k++)
        sum += sumi_cubic (t - k);
      g_assert_cmpfloat_with_epsilon (sum, 1, 1e-12);
    }

  for (gsize i = 0; i < G_N_ELEMENTS (factors); i++)
    {
      const int f = factors[i];
      g_autoptr (SumiImage) in = new_image (13, 9, 4), big = NULL, piece = NULL, cut = NULL;
      const SumiRect part = { 3 * f - 1, 2 * f, 4 * f + 1, 3 * f + 2 };

      /* a constant, a ramp, a parabola (which Keys' kernel keeps too), and an impulse */
      for (int y = 0; y < 9; y++)
        for (int x = 0; x < 13; x++)
          {
            float *p = sumi_image_at (in, x, y);
            p[0] = 0.37f;
            p[1] = (float) (0.05 * (x + 0.5) + 0.02 * (y + 0.5));
            p[2] = (float) (0.01 * (x + 0.5) * (x + 0.5));
            p[3] = x == 6 && y == 4;
          }
      big = enlarge (in, f, NULL);
      for (int y = 0; y < 9 * f; y++)
        for (int x = 0; x < 13 * f; x++)
          {
            const float *p = sumi_image_at (big, x, y);
            const double u = (x + 0.5) / f, v = (y + 0.5) / f;

            g_assert_cmpfloat_with_epsilon (p[0], 0.37f, 1e-6);
            if (x >= 2 * f && x < 11 * f && y >= 2 * f && y < 7 * f)
              {
                g_assert_cmpfloat_with_epsilon (p[1], 0.05 * u + 0.02 * v, 1e-6);
                g_assert_cmpfloat_with_epsilon (p[2], 0.01 * u * u, 2e-6);
              }
            g_assert_cmpfloat_with_epsilon (p[3], sumi_cubic (u - 6.5) * sumi_cubic (v - 4.5), 1e-6);
          }
      /* a piece is what it is in the whole, bit for bit */
      piece = enlarge (in, f, &part);
      cut = sumi_image_crop (big, &part, NULL);
      g_assert_cmpmem (piece->data, sizeof (float) * 4 * (gsize) (part.width * part.height), cut->data,
                       sizeof (float) * 4 * (gsize) (part.width * part.height));
    }
}

static void
test_shrink (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiImage) in = scene (60, 36, 4, 1);
  g_autoptr (SumiSource) source = sumi_source_new_image (in);
  g_autoptr (SumiImage) box = sumi_shrink_box (NULL, in, 4, &error), area = NULL, odd = NULL, same = NULL;
  double sum = 0, whole = 0;

  area = sumi_source_shrink (NULL, source, 15, 9, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (max_difference (box, area), <, 1e-6);

  /* area averaging keeps the mean at any ratio */
  odd = sumi_source_shrink (NULL, source, 17, 7, NULL, NULL, NULL, &error);
  for (int i = 0; i < 17 * 7; i++)
    sum += odd->data[4 * i] / (17 * 7.0);
  for (int i = 0; i < 60 * 36; i++)
    whole += in->data[4 * i] / (60 * 36.0);
  g_assert_cmpfloat_with_epsilon (sum, whole, 1e-6);

  same = sumi_source_shrink (NULL, source, 60, 36, NULL, NULL, NULL, &error);
  g_assert_cmpfloat (max_difference (same, in), ==, 0);

  int w, h;
  sumi_size_within (4000, 3000, 640, &w, &h);
  g_assert_cmpint (w, ==, 640);
  g_assert_cmpint (h, ==, 480);
  sumi_size_within (10000, 3, 640, &w, &h);
  g_assert_cmpint (h, ==, 1);
  sumi_size_within (20, 30, 640, &w, &h);
  g_assert_cmpint (h, ==, 30);
}

static void
test_settle (void)
{
  int at[16];

  for (int i = 0; i < 16; i++)
    at[i] = i;
  for (int round = 0; round < 2000; round++)
    {
      float v[16], before[16];
      double sum = 0;
      const float mean = (float) (sumi_random_hash (3, (guint64) round, 0) >> 44) / (1 << 20);

      for (int i = 0; i < 16; i++)
        before[i] = v[i] =
            (float) ((double) (sumi_random_hash (2, (guint64) round, (guint64) i) >> 44) / (1 << 19) - 0.5);
      sumi_settle_block (v, at, 16, round % 7 ? mean : (float) (round % 2), 0, 1);
      for (int i = 0; i < 16; i++)
        {
          g_assert_cmpfloat (v[i], >=, 0);
          g_assert_cmpfloat (v[i], <=, 1);
          sum += (double) v[i] / 16;
          /* order within the block is kept */
          for (int j = 0; j < i; j++)
            if (before[j] < before[i])
              g_assert_cmpfloat (v[j], <=, v[i]);
        }
      g_assert_cmpfloat_with_epsilon (sum, round % 7 ? mean : round % 2, 1e-5);
    }
}

static void
test_consistent (void)
{
  for (gsize i = 1; i < G_N_ELEMENTS (factors); i++)
    {
      g_autoptr (GError) error = NULL;
      const int f = factors[i], w = 19, h = 47, cut = 20;
      g_autoptr (SumiImage) small = scene (w, h, 4, 5), big = scene (w * f, h * f, 4, 6), all = NULL, again = NULL,
                            top = NULL, bottom = NULL, part = NULL, part_big = NULL, piece = NULL;

      small->data[40] = 1.8f; /* beyond the nominal range */
      small->data[44] = -0.4f;
      all = sumi_make_consistent (NULL, small, big, 0, h, f, 0, h, &error);
      g_assert_no_error (error);
      again = sumi_shrink_box (NULL, all, f, &error);
      g_assert_cmpfloat (max_difference (again, small), <, 2e-5);

      /* in two bands: the same bytes */
      const SumiRect upper = { 0, 0, w, cut + SUMI_CONSISTENT_MARGIN }, upper_big = { 0, 0, w * f, upper.height * f };
      part = sumi_image_crop (small, &upper, NULL);
      part_big = sumi_image_crop (big, &upper_big, NULL);
      top = sumi_make_consistent (NULL, part, part_big, 0, h, f, 0, cut, &error);
      piece = sumi_image_crop (all, &(SumiRect){ 0, 0, w * f, cut * f }, NULL);
      g_assert_cmpfloat (max_difference (top, piece), ==, 0);

      const int from = cut - SUMI_CONSISTENT_MARGIN;
      const SumiRect lower = { 0, from, w, h - from }, lower_big = { 0, from * f, w * f, (h - from) * f };
      sumi_image_unref (part), sumi_image_unref (part_big), sumi_image_unref (piece);
      part = sumi_image_crop (small, &lower, NULL);
      part_big = sumi_image_crop (big, &lower_big, NULL);
      bottom = sumi_make_consistent (NULL, part, part_big, from, h, f, cut, h - cut, &error);
      piece = sumi_image_crop (all, &(SumiRect){ 0, cut * f, w * f, (h - cut) * f }, NULL);
      g_assert_cmpfloat (max_difference (bottom, piece), ==, 0);

      /* a band that begins nearer to the top than its margin */
      sumi_image_unref (bottom), sumi_image_unref (piece);
      bottom = sumi_make_consistent (NULL, small, big, 0, h, f, 1, h - 2, &error);
      piece = sumi_image_crop (all, &(SumiRect){ 0, f, w * f, (h - 2) * f }, NULL);
      g_assert_cmpfloat (max_difference (bottom, piece), ==, 0);
    }
}

/* What is consistent already is left alone, and a smooth error is taken out without a trace of blocks. */
static void
test_consistent_is_gentle (void)
{
  const int f = 4, w = 24, h = 20;
  g_autoptr (SumiImage) big = scene (w * f, h * f, 3, 8), small = sumi_shrink_box (NULL, big, f, NULL), same = NULL,
                        off = NULL, back = NULL;

  same = sumi_make_consistent (NULL, small, big, 0, h, f, 0, h, NULL);
  g_assert_cmpfloat (max_difference (same, big), <, 1e-5);

  for (gsize i = 0; i < (gsize) (w * f * h * f * 3); i++)
    big->data[i] = 0.25f + 0.5f * big->data[i];
  g_clear_pointer (&small, sumi_image_unref);
  small = sumi_shrink_box (NULL, big, f, NULL);
  off = sumi_image_dup (big, NULL);
  for (int y = 0; y < h * f; y++)
    for (int x = 0; x < w * f; x++)
      *sumi_image_at (off, x, y) += (float) (0.05 * sin (x * 0.05) * cos (y * 0.06));
  back = sumi_make_consistent (NULL, small, off, 0, h, f, 0, h, NULL);
  for (int y = 2 * f; y < (h - 2) * f; y++)
    for (int x = 2 * f; x < (w - 2) * f; x++)
      g_assert_cmpfloat_with_epsilon (*sumi_image_at (back, x, y), *sumi_image_at (big, x, y), 1e-3);
}

static void
test_tiles (void)
{
  g_autoptr (GError) error = NULL;
  SumiTiling t;

  g_assert_true (sumi_tiling_plan (&t, 1000, 777, 16, 40, 1000, 200e6, 10000, &error));
  g_assert_cmpint (t.tile_width % 16, ==, 0);
  g_assert_cmpint (t.margin, ==, 48);
  g_assert_cmpfloat ((t.tile_width + 96.0) * (t.tile_height + 96.0) * 1000, <=, 200e6);

  g_autofree guint8 *seen = g_malloc0 (1000 * 777);
  for (int j = 0; j < t.rows; j++)
    for (int i = 0; i < t.columns; i++)
      {
        SumiRect core, around;

        sumi_tiling_get (&t, i, j, &core, &around);
        g_assert_cmpint (around.x % 16, ==, 0);
        g_assert_cmpint (around.y % 16, ==, 0);
        g_assert_true (around.x == 0 || core.x - around.x == 48);
        g_assert_cmpint (around.x + around.width, ==, MIN (core.x + core.width + 48, 1000));
        for (int y = core.y; y < core.y + core.height; y++)
          for (int x = core.x; x < core.x + core.width; x++)
            seen[y * 1000 + x]++;
      }
  for (int i = 0; i < 1000 * 777; i++)
    g_assert_cmpint (seen[i], ==, 1);

  g_assert_true (sumi_tiling_plan (&t, 1, 1, 16, 40, 1000, 200e6, 1, &error));
  g_assert_cmpint (t.columns * t.rows, ==, 1);
  g_assert_false (sumi_tiling_plan (&t, 1000, 777, 16, 40, 1000, 1e6, 10000, &error));
  g_assert_nonnull (strstr (error->message, "memory"));
}

static void
test_bleed (void)
{
  g_autoptr (SumiImage) image = new_image (20, 10, 4);

  for (int y = 0; y < 10; y++)
    for (int x = 0; x < 20; x++)
      {
        float *p = sumi_image_at (image, x, y);
        p[0] = x < 8 ? 0.9f : 0.0f;
        p[3] = x < 8 ? 0.5f : 0;
      }
  g_assert_true (sumi_bleed_colour (image, NULL));
  g_assert_cmpfloat_with_epsilon (*sumi_image_at (image, 8 + SUMI_BLEED - 1, 5), 0.9f, 1e-6);
  g_assert_cmpfloat (*sumi_image_at (image, 8 + SUMI_BLEED, 5), ==, 0);
  g_assert_cmpfloat (sumi_image_at (image, 9, 5)[3], ==, 0);
}

static void
test_clean (void)
{
  g_autoptr (SumiPool) pool = sumi_pool_new (3);
  const int w = 96, h = 80;
  g_autoptr (SumiImage) clean = new_image (w, h, 3), noisy = NULL, one = NULL, many = NULL, part = NULL, cut = NULL;
  double before = 0, after = 0;

  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      for (int c = 0; c < 3; c++)
        sumi_image_at (clean, x, y)[c] = (float) (0.5 + 0.2 * sin (0.1 * x + c) + (x + y > 80 ? 0.2 : -0.1));
  noisy = sumi_image_dup (clean, NULL);
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      for (guint32 c = 0; c < 3; c++)
        {
          float z[2];

          sumi_random_normal (1, 0, x, y, c, z);
          sumi_image_at (noisy, x, y)[c] += 0.05f * z[0];
        }
  g_assert_cmpfloat_with_epsilon (sumi_noise_sigma (noisy), 0.05, 0.008);
  g_assert_cmpfloat (sumi_noise_sigma (clean), <, 0.003);
  one = sumi_image_dup (noisy, NULL);
  many = sumi_image_dup (noisy, NULL);
  g_assert_true (sumi_clean (NULL, one, 0, 0, 0.05, NULL));
  g_assert_true (sumi_clean (pool, many, 0, 0, 0.05, NULL));
  g_assert_cmpfloat (max_difference (one, many), ==, 0);
  for (int i = 0; i < w * h * 3; i++)
    {
      before += pow ((double) (noisy->data[i] - clean->data[i]), 2);
      after += pow ((double) (one->data[i] - clean->data[i]), 2);
    }
  g_assert_cmpfloat (after, <, before / 5);

  /* a piece, told where it lies, comes out as in the whole */
  part = sumi_image_crop (noisy, &(SumiRect){ 13, 9, 60, 50 }, NULL);
  g_assert_true (sumi_clean (NULL, part, 13, 9, 0.05, NULL));
  const int m = SUMI_CLEAN_MARGIN;
  const SumiRect inner = { m, m, 60 - 2 * m, 50 - 2 * m }, whole = { 13 + m, 9 + m, inner.width, inner.height };
  cut = sumi_image_crop (part, &inner, NULL);
  g_autoptr (SumiImage) expected = sumi_image_crop (one, &whole, NULL);
  g_assert_cmpfloat (max_difference (cut, expected), <, 1e-5);

  /* grey stays grey */
  for (int i = 0; i < w * h; i++)
    noisy->data[3 * i + 1] = noisy->data[3 * i + 2] = noisy->data[3 * i];
  g_assert_true (sumi_clean (NULL, noisy, 0, 0, 0.05, NULL));
  for (int i = 0; i < w * h; i++)
    {
      g_assert_cmpfloat_with_epsilon (noisy->data[3 * i], noisy->data[3 * i + 1], 1e-6);
      g_assert_cmpfloat_with_epsilon (noisy->data[3 * i], noisy->data[3 * i + 2], 1e-6);
    }
}

static void
test_detail (void)
{
  /* left half even, right half striped: a sample counts on the right only */
  g_autoptr (SumiImage) mean = new_image (60, 40, 3), sample = NULL, before = NULL, half = NULL;

  for (int i = 0; i < 60 * 40; i++)
    for (int c = 0; c < 3; c++)
      mean->data[3 * i + c] = i % 60 < 30 ? 0.5f : 0.5f + (i % 2 ? 0.3f : -0.3f);
  before = sumi_image_dup (mean, NULL);
  sample = sumi_image_dup (mean, NULL);
  for (int i = 0; i < 60 * 40 * 3; i++)
    sample->data[i] += 0.1f;
  half = sumi_image_dup (mean, NULL);
  g_assert_true (sumi_mix_detail (NULL, mean, sample, 1, NULL));
  g_assert_true (sumi_mix_detail (NULL, half, sample, 0.5, NULL));
  g_assert_cmpfloat_with_epsilon (*sumi_image_at (mean, 10, 20), 0.5, 1e-6);
  g_assert_cmpfloat_with_epsilon (*sumi_image_at (mean, 50, 20) - *sumi_image_at (before, 50, 20), 0.1, 0.002);
  g_assert_cmpfloat_with_epsilon (*sumi_image_at (half, 50, 20) - *sumi_image_at (before, 50, 20), 0.05, 0.001);
}

static void
test_join (void)
{
  for (int i = 0; i < 5000; i++)
    {
      float y = (float) (i % 101) / 100, rgb[3], chroma[2];

      for (int k = 0; k < 2; k++)
        chroma[k] = (float) ((double) (sumi_random_hash (1, (guint64) i, (guint64) k) >> 40) / (1 << 23) - 1);
      sumi_colour_join (y, chroma, rgb);
      g_assert_cmpfloat_with_epsilon (sumi_luminance (rgb), y, 1e-6);
      for (int k = 0; k < 3; k++)
        g_assert_true (rgb[k] >= -1e-6f && rgb[k] <= 1 + 1e-6f);
    }
  /* within the gamut nothing changes */
  float rgb[3] = { 0.7f, 0.4f, 0.2f }, back[3], chroma[2];
  sumi_chroma (rgb, chroma);
  sumi_colour_join (sumi_luminance (rgb), chroma, back);
  for (int k = 0; k < 3; k++)
    g_assert_cmpfloat_with_epsilon (rgb[k], back[k], 1e-6);
  /* a row is its pixels; alpha stays */
  for (int n = 1; n < 11; n++)
    {
      float luminance[11], chromas[22], rgba[44];

      for (int i = 0; i < n; i++)
        {
          luminance[i] = (float) (i % 7) / 5 - 0.1f;
          chromas[2 * i] = (float) (i % 3 - 1) * 0.5f;
          chromas[2 * i + 1] = (float) (i % 5 - 2) * 0.2f;
          rgba[4 * i + 3] = 0.25f;
        }
      sumi_colour_join_row (luminance, chromas, 1.5f, rgba, n);
      for (int i = 0; i < n; i++)
        {
          sumi_colour_join (luminance[i], (const float[]){ 1.5f * chromas[2 * i], 1.5f * chromas[2 * i + 1] }, back);
          g_assert_cmpmem (rgba + 4 * i, 3 * sizeof (float), back, sizeof back);
          g_assert_cmpfloat (rgba[4 * i + 3], ==, 0.25f);
        }
    }
  /* high dynamic range keeps its luminance */
  sumi_colour_join (3.5f, chroma, back);
  g_assert_cmpfloat (back[0], ==, 3.5f);
}

static void
test_laplacian (void)
{
  /* a chain of n nodes with weights that differ by a million, held at both ends: u falls in proportion to resistance */
  const int n = 4000;
  g_autofree int *start = g_new (int, n + 1), *to = g_new (int, 2 * n);
  g_autofree double *weight = g_new (double, 2 * n), *diagonal = g_new0 (double, n), *b = g_new0 (double, n),
                    *u = g_new0 (double, n);
  double total = 0, so_far = 0;
  int used = 0;

  for (int i = 0; i < n; i++)
    {
      start[i] = used;
      if (i > 0)
        to[used] = i - 1, weight[used++] = i % 500 ? 1 : 1e-6;
      if (i < n - 1)
        to[used] = i + 1, weight[used++] = (i + 1) % 500 ? 1 : 1e-6;
      if (i > 0)
        total += i % 500 ? 1 : 1e6;
    }
  start[n] = used;
  diagonal[0] = diagonal[n - 1] = 1e9;
  b[n - 1] = 1e9;
  g_autoptr (SumiLaplacian) l = sumi_laplacian_new (n, start, to, weight, diagonal, NULL);
  const int steps = sumi_laplacian_solve (l, b, u, 1e-14, 200, NULL);
  g_test_message ("%d steps", steps);
  g_assert_cmpint (steps, <, 200);
  for (int i = 0; i < n; i++)
    {
      so_far += i == 0 ? 0 : i % 500 ? 1 : 1e6;
      g_assert_cmpfloat_with_epsilon (u[i], so_far / total, 1e-5);
    }
}

static void
test_propagate (void)
{
  /* two regions with grain and a blurred edge of 2 pixels; one short stroke in each */
  const int w = 160, h = 100;
  g_autoptr (SumiPool) pool = sumi_pool_new (2);
  g_autoptr (SumiImage) y = new_image (w, h, 1), strokes = new_image (w, h, 4), out = NULL, one = NULL, none = NULL;

  for (int j = 0; j < h; j++)
    for (int i = 0; i < w; i++)
      {
        const double edge = 80 + 12 * sin (j * 0.1);
        const double t = CLAMP ((i - edge) / 2 + 0.5, 0, 1);
        float z[2];

        sumi_random_normal (4, 0, i, j, 0, z);
        *sumi_image_at (y, i, j) = (float) (0.35 + 0.3 * t) + 0.02f * z[0];
      }
  for (int i = 0; i < 12; i++)
    {
      float *a = sumi_image_at (strokes, 20 + i, 30), *b = sumi_image_at (strokes, 130, 40 + i);

      a[0] = 0.3f, a[1] = -0.2f, a[3] = 1;
      b[0] = -0.1f, b[1] = 0.25f, b[3] = 1;
    }
  out = sumi_propagate (pool, y, strokes, NULL, NULL);
  for (int j = 0; j < h; j++)
    for (int i = 0; i < w; i++)
      {
        const double edge = 80 + 12 * sin (j * 0.1);
        const float *p = sumi_image_at (out, i, j);

        g_assert_true (p[2] >= -1e-3f && p[2] <= 1.001f);
        if (i < edge - 4)
          {
            g_assert_cmpfloat_with_epsilon (p[0], 0.3, 0.05);
            g_assert_cmpfloat_with_epsilon (p[1], -0.2, 0.05);
          }
        if (i > edge + 4)
          {
            g_assert_cmpfloat_with_epsilon (p[0], -0.1, 0.05);
            g_assert_cmpfloat_with_epsilon (p[1], 0.25, 0.05);
          }
      }

  /* one stroke only: sure on its side of the edge, unsure on the other */
  for (int i = 0; i < 12; i++)
    sumi_image_at (strokes, 130, 40 + i)[3] = 0;
  one = sumi_propagate (NULL, y, strokes, NULL, NULL);
  g_assert_cmpfloat (sumi_image_at (one, 40, 80)[2], >, 0.5f);
  g_assert_cmpfloat (sumi_image_at (one, 120, 80)[2], <, 0.1f);

  memset (strokes->data, 0, sizeof (float) * 4 * (gsize) (w * h));
  none = sumi_propagate (NULL, y, strokes, NULL, NULL);
  g_assert_cmpfloat (sumi_image_at (none, 40, 80)[2], ==, 0);
}

static void
test_guided (void)
{
  /* chroma known at an eighth of the size: comes back along the edge, which runs through the cells */
  const int w = 160, h = 96;
  g_autoptr (SumiImage) y = new_image (w, h, 1), truth = new_image (w, h, 3), map = NULL;
  g_autofree float *chroma = g_new (float, 2 * w * h), *part = g_new (float, 2 * 30 * 20);
  const SumiRect all = { 0, 0, w, h }, rect = { 50, 40, 30, 20 };
  int wrong = 0;

  for (int j = 0; j < h; j++)
    for (int i = 0; i < w; i++)
      {
        const gboolean right = i > 75 + j / 8;
        float *p = sumi_image_at (truth, i, j);

        p[0] = right ? 0.7f : 0.3f;
        p[1] = right ? 0.2f : -0.1f;
        p[2] = right ? -0.2f : 0.3f;
        *sumi_image_at (y, i, j) = p[0];
      }
  map = sumi_shrink_box (NULL, truth, 8, NULL);
  sumi_guided_chroma (NULL, map, w, h, &all, y->data, 1, chroma);
  for (int i = 0; i < w * h; i++)
    wrong += fabsf (chroma[2 * i] - truth->data[3 * i + 1]) > 0.03f;
  g_assert_cmpint (wrong, ==, 0);

  g_autoptr (SumiImage) cut = sumi_image_crop (y, &rect, NULL);
  sumi_guided_chroma (NULL, map, w, h, &rect, cut->data, 1, part);
  for (int j = 0; j < rect.height; j++)
    g_assert_cmpmem (part + 2 * 30 * j, 2 * 30 * sizeof (float), chroma + 2 * ((40 + j) * w + 50),
                     2 * 30 * sizeof (float));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scale/bicubic", test_bicubic);
  g_test_add_func ("/scale/shrink", test_shrink);
  g_test_add_func ("/scale/settle", test_settle);
  g_test_add_func ("/scale/consistent", test_consistent);
  g_test_add_func ("/scale/consistent-is-gentle", test_consistent_is_gentle);
  g_test_add_func ("/scale/tiles", test_tiles);
  g_test_add_func ("/scale/bleed", test_bleed);
  g_test_add_func ("/scale/clean", test_clean);
  g_test_add_func ("/scale/detail", test_detail);
  g_test_add_func ("/scale/join", test_join);
  g_test_add_func ("/scale/laplacian", test_laplacian);
  g_test_add_func ("/scale/propagate", test_propagate);
  g_test_add_func ("/scale/guided", test_guided);
  return g_test_run ();
}
