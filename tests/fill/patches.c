/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The patches family against straightforward readings of models/patches.md on small pictures: distance, exact search,
 * sweep, votes, membrane; then what a prediction must hold to. */
#include <math.h>
#include <string.h>

#include "core/model/membrane.h"
#include "core/model/patches-level.h"
#include "core/model/patches-search.h"
#include "core/model/patches-vote.h"
#include "core/sumi.h"

/* Colours between 0 and 1: smooth waves with a little noise; the rectangle @hole is missing. */
static SumiEvidence
evidence_new (int width, int height, const SumiRect *hole)
{
  SumiEvidence e = { .factor = 1, .guide_factor = 1 };

  e.picture = sumi_image_new (width, height, 3, NULL);
  e.missing = sumi_image_new (width, height, 1, NULL);
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      {
        float noise[2];

        sumi_random_normal (7, 0, x, y, 0, noise);
        sumi_image_at (e.picture, x, y)[0] = (float) (0.5 + 0.3 * sin (x * 0.7)) + 0.02f * noise[0];
        sumi_image_at (e.picture, x, y)[1] = (float) (0.5 + 0.3 * cos (y * 0.5)) + 0.02f * noise[1];
        sumi_image_at (e.picture, x, y)[2] = (float) (0.5 + 0.2 * sin (x * 0.3 + y * 0.4));
        *sumi_image_at (e.missing, x, y) =
            x >= hole->x && y >= hole->y && x < hole->x + hole->width && y < hole->y + hole->height;
      }
  return e;
}

static void
evidence_clear (SumiEvidence *e)
{
  sumi_image_unref (e->picture);
  sumi_image_unref (e->missing);
  sumi_image_unref (e->source);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SumiEvidence, evidence_clear)

static PatchesLevel *
level_new (const SumiEvidence *e, int radius)
{
  g_autoptr (PatchesLevel) level = patches_level_new (e, NULL, NULL);
  SumiRect *box;

  g_assert_nonnull (level);
  g_assert_true (patches_level_set_radius (level, radius, NULL));
  g_assert_true (patches_level_open (level, NULL));
  box = &level->box;
  /* a y that is not what is known */
  for (int i = 0; i < box->width * box->height; i++)
    if (level->kind[patches_at (level, box->x + i % box->width, box->y + i / box->width)] == PATCHES_HOLE)
      for (int c = 0; c < 4; c++)
        level->noisy[4 * i + c] = (float) (100 + 90 * sin (i * 0.37 + c));
  return g_steal_pointer (&level);
}

/* e(q, s) as written. */
static double
plain_error (const PatchesLevel *l, int x, int y, int sx, int sy)
{
  double sum = 0, weights = 0;

  for (int dy = -3; dy <= 3; dy++)
    for (int dx = -3; dx <= 3; dx++)
      {
        const gsize box = patches_box_at (l, x + dx, y + dy);
        const double k = l->kind[patches_at (l, x + dx, y + dy)] == PATCHES_KNOWN ? 30 : 1;

        weights += k;
        for (int c = 0; c < 4; c++)
          sum += k * pow ((double) l->noisy[4 * box + (gsize) c] -
                              (double) l->picture[4 * patches_at (l, sx + dx, sy + dy) + (gsize) c],
                          2);
      }
  return sum / (3 * weights);
}

/* The same in whole numbers. */
static double
rounded_error (const PatchesLevel *l, int x, int y, int sx, int sy)
{
  const int r = l->radius;
  gint64 sum = 0, weights = 0;

  for (int dy = -r; dy <= r; dy++)
    for (int dx = -r; dx <= r; dx++)
      {
        const gsize box = patches_box_at (l, x + dx, y + dy), at = patches_at (l, sx + dx, sy + dy);
        const gboolean known = l->kind[patches_at (l, x + dx, y + dy)] == PATCHES_KNOWN;

        weights += known ? 121 : 4;
        for (int c = 0; c < 4; c++)
          {
            const double scale = (known ? 11 : 2) * (c == 3 ? 4 : 1), step = c == 3 ? 4 : 1;
            const double value = (double) l->noisy[4 * box + (gsize) c],
                         pixel = (double) l->picture[4 * at + (gsize) c];
            const gint64 d = lround (CLAMP (value / step, c == 3 ? 0 : -128, c == 3 ? 255 : 383)) -
                             lround (CLAMP (pixel / step, 0, 255));

            sum += (gint64) (scale * scale) * d * d;
          }
      }
  return (double) sum / (double) (3 * weights);
}

static void
test_exact (void)
{
  g_auto (SumiEvidence) e = evidence_new (40, 34, &(SumiRect){ 14, 12, 9, 7 });
  g_autoptr (PatchesLevel) l = level_new (&e, PATCHES_RADIUS_MAX);
  g_autoptr (SumiPool) pool = sumi_pool_new (2);

  g_assert_cmpint (l->n_queries, ==, 15 * 13);
  patches_search_by (patches_scans ()[0]->usable () ? patches_scans ()[0] : &patches_scan_plain, l,
                     PATCHES_SEARCH_EXACT, 0, 0, pool, NULL);
  for (int row = 0; row < l->box.height; row++)
    for (int q = l->first[row]; q < l->first[row + 1]; q++)
      {
        const int x = l->query_x[q], y = l->box.y + row;
        double best[PATCHES_K] = { INFINITY, INFINITY, INFINITY, INFINITY };

        for (int sy = 3; sy < 31; sy++)
          for (int sx = 3; sx < 37; sx++)
            {
              const gboolean clear = sx + 3 < 14 || sx - 3 >= 23 || sy + 3 < 12 || sy - 3 >= 19;
              double error = clear ? rounded_error (l, x, y, sx, sy) : INFINITY;

              g_assert_cmpint (clear, ==, patches_is_source (l, (int) patches_at (l, sx, sy)));
              for (int k = 0; k < PATCHES_K; k++)
                if (error < best[k])
                  {
                    double other = best[k];

                    best[k] = error;
                    error = other;
                  }
            }
        for (int k = 0; k < PATCHES_K; k++)
          g_assert_cmpfloat_with_epsilon ((double) l->found[q].error[k], best[k], 1e-6 * best[k]);
      }
}

/* Sweeps never get worse on a fixed y and come close to the best. */
static void
test_sweep (void)
{
  g_auto (SumiEvidence) e = evidence_new (64, 60, &(SumiRect){ 20, 20, 20, 16 });
  g_autoptr (PatchesLevel) l = level_new (&e, PATCHES_RADIUS_MAX), exact = level_new (&e, PATCHES_RADIUS_MAX);
  double last = INFINITY, best = 0, sum = 0;

  patches_search (exact, PATCHES_SEARCH_EXACT, 0, 0, NULL, NULL);
  for (int q = 0; q < l->n_queries; q++)
    best += (double) exact->found[q].error[0];
  for (guint32 sweep = 0; sweep < 8; sweep++, last = sum)
    {
      patches_search (l, PATCHES_SEARCH_SWEEP, 5, sweep, NULL, NULL);
      sum = 0;
      for (int q = 0; q < l->n_queries; q++)
        {
          const int at = l->found[q].at[0];

          g_assert_true (patches_is_source (l, at));
          sum += (double) l->found[q].error[0];
        }
      g_assert_cmpfloat (sum, <=, last);
    }
  g_test_message ("mean error: exact %.2f, after 8 sweeps %.2f", best / l->n_queries, sum / l->n_queries);
  g_assert_cmpfloat (sum, <, 1.1 * best);
  g_assert_cmpfloat (sum, >=, best * (1 - 1e-6));
}

/* y is a known patch: candidates close together come in the order of what is not rounded. */
static void
test_ranks (void)
{
  g_auto (SumiEvidence) e = evidence_new (40, 34, &(SumiRect){ 14, 12, 9, 7 });
  g_autoptr (PatchesLevel) l = NULL;
  int close = 0;

  for (int i = 0; i < 40 * 34; i++)
    for (int c = 0; c < 3; c++)
      e.picture->data[3 * i + c] = 0.5f + 0.01f * e.picture->data[3 * i + c];
  l = level_new (&e, 3);
  for (int i = 0; i < l->box.width * l->box.height; i++)
    for (int c = 0; c < 4; c++)
      l->noisy[4 * i + c] = c < 3 ? 128.3f : 5;
  patches_search (l, PATCHES_SEARCH_EXACT, 0, 0, NULL, NULL);
  for (int q = 0; q < l->n_queries; q++)
    for (int k = 0; k < PATCHES_K; k++)
      {
        const PatchesFound *f = l->found + q;
        const double error = plain_error (l, l->query_x[q], l->query_y[q], f->at[k] % 40, f->at[k] / 40);

        g_assert_true (k == 0 || f->error[k] >= f->error[k - 1]);
        if (f->error[k] - f->error[0] > 1)
          continue;
        close += k > 0;
        g_assert_cmpfloat_with_epsilon ((double) f->error[k], error, 1e-4 * error);
      }
  g_assert_cmpint (close, >, 100);
}

/* Every instruction set and every number of threads find the same, whatever size patches and pictures have. */
static void
test_scans (void)
{
  static const struct
  {
    int width, height;
    SumiRect hole;
  } cases[] = { { 40, 34, { 14, 12, 9, 7 } },
                { 53, 71, { 0, 30, 21, 41 } },
                { 19, 67, { 3, 8, 16, 5 } },
                { 33, 17, { 30, 0, 3, 9 } } };
  g_autoptr (SumiPool) pool = sumi_pool_new (3);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (int radius = 1; radius <= PATCHES_RADIUS_MAX; radius++)
      {
        g_auto (SumiEvidence) e = evidence_new (cases[i].width, cases[i].height, &cases[i].hole);
        g_autofree PatchesFound *first = NULL;

        for (int scan = 0; patches_scans ()[scan]; scan++)
          {
            const PatchesScanClass *class = patches_scans ()[scan];
            g_autoptr (PatchesLevel) l = level_new (&e, radius);

            if (! class->usable ())
              {
                g_test_message ("%s: not on this processor", class->name);
                continue;
              }
            for (guint32 sweep = 0; sweep < 3; sweep++)
              patches_search_by (class, l, PATCHES_SEARCH_SWEEP, 5, sweep, scan % 2 ? NULL : pool, NULL);
            patches_search_by (class, l, PATCHES_SEARCH_EXACT, 5, 3, pool, NULL);
            /* from what is already right, the rows of bands go on: a sweep finds nothing better */
            patches_search_by (class, l, PATCHES_SEARCH_SWEEP, 5, 4, pool, NULL);
            if (! first)
              first = g_memdup2 (l->found, sizeof *first * (gsize) l->n_queries);
            g_assert_cmpmem (l->found, sizeof *first * (gsize) l->n_queries, first,
                             sizeof *first * (gsize) l->n_queries);
          }
      }
}

static int
by_value (gconstpointer a, gconstpointer b)
{
  const float x = *(const float *) a, y = *(const float *) b;

  return x < y ? -1 : x > y;
}

static void
test_votes (void)
{
  g_auto (SumiEvidence) e = evidence_new (40, 34, &(SumiRect){ 14, 12, 9, 7 });
  g_autoptr (PatchesLevel) l = level_new (&e, PATCHES_RADIUS_MAX);
  const SumiRect *b = &l->box;
  const gsize n = (gsize) b->width * (gsize) b->height;
  const double sigma = 12;
  g_autofree guint8 *where = g_new0 (guint8, n);
  g_autofree float *out = g_new0 (float, 4 * n);
  g_autofree float *sorted = g_new (float, l->n_queries);
  const double h2 = (sigma * sigma + 9) / (3 * 49);
  double hc;

  patches_search (l, PATCHES_SEARCH_EXACT, 0, 0, NULL, NULL);
  for (int q = 0; q < l->n_queries; q++)
    sorted[q] = l->found[q].error[0];
  qsort (sorted, (size_t) l->n_queries, sizeof (float), by_value);
  hc = 1 + (double) sorted[l->n_queries * 3 / 4];
  memset (where, 1, n);
  patches_vote_weigh (l, sigma, FALSE, NULL);
  patches_vote (l, where, out, NULL);

  for (int y = 12; y < 19; y++)
    for (int x = 14; x < 23; x++)
      {
        double sum[4] = { 0 }, total = 0;

        for (int qy = y - 3; qy <= y + 3; qy++)
          for (int qx = x - 3; qx <= x + 3; qx++)
            {
              const PatchesFound *f = l->found + l->query_at[patches_box_at (l, qx, qy)];
              const double away = (double) l->distance[patches_box_at (l, qx, qy)];
              const double confidence = exp (-(double) f->error[0] / (2 * hc)) * pow (1.1, -away) + 1e-6;
              const double spread = exp (-((x - qx) * (x - qx) + (y - qy) * (y - qy)) / (2 * 0.64));
              double w[4], all = 0;

              for (int k = 0; k < 4; k++)
                {
                  w[k] = exp (-(double) (f->error[k] - f->error[0]) / (2 * h2));
                  w[k] = w[k] < 0.01 ? 0 : w[k];
                  all += w[k];
                }
              for (int k = 0; k < 4; k++)
                {
                  const int at = f->at[k] + (y - qy) * l->width + x - qx;

                  for (int c = 0; c < 4; c++)
                    sum[c] += confidence * spread * w[k] / all * (double) l->picture[4 * at + c];
                  total += confidence * spread * w[k] / all;
                }
            }
        for (int c = 0; c < 4; c++)
          g_assert_cmpfloat_with_epsilon ((double) out[4 * patches_box_at (l, x, y) + (gsize) c], sum[c] / total, 2e-2);
      }
}

static void
test_distance (void)
{
  g_auto (SumiEvidence) e = evidence_new (40, 34, &(SumiRect){ 14, 12, 9, 7 });
  g_autoptr (PatchesLevel) l = level_new (&e, PATCHES_RADIUS_MAX);

  g_assert_cmpfloat ((double) l->distance[patches_box_at (l, 13, 14)], ==, 0);
  g_assert_cmpfloat ((double) l->distance[patches_box_at (l, 14, 12)], ==, 1);
  g_assert_cmpfloat ((double) l->distance[patches_box_at (l, 18, 15)], ==, 4);
  g_assert_cmpfloat ((double) l->deepest, ==, 4);
}

/* A plane satisfies Laplace's equation, so a hole of any shape in it comes back; void cells take no part. */
static void
test_membrane (void)
{
  const int w = 70, h = 50;
  g_autofree float *u = g_new (float, 4 * w * h);
  g_autofree guint8 *kind = g_new0 (guint8, w * h);

  for (int i = 0; i < w * h; i++)
    {
      const int x = i % w, y = i / w;
      const gboolean hole = (x - 30) * (x - 30) + (y - 25) * (y - 25) < 400 || (y == 3 && x > 5 && x < 60);

      kind[i] = hole ? SUMI_MEMBRANE_UNKNOWN : SUMI_MEMBRANE_KNOWN;
      for (int c = 0; c < 4; c++)
        u[4 * i + c] = hole ? -1000 : (float) (3 * x - 2 * y * c + 10);
    }
  /* a lone unknown cell walled in by void ones: the mean, whatever that is, but a number */
  for (int y = 46; y < 49; y++)
    for (int x = 2; x < 5; x++)
      kind[y * w + x] = y == 47 && x == 3 ? SUMI_MEMBRANE_UNKNOWN : SUMI_MEMBRANE_VOID;
  g_assert_true (sumi_membrane_fill (u, kind, w, h, 1e-6, NULL, NULL));
  for (int i = 0; i < w * h; i++)
    for (int c = 0; c < 4; c++)
      {
        if (i == 47 * w + 3)
          g_assert_true (isfinite (u[4 * i + c]));
        else
          g_assert_cmpfloat_with_epsilon ((double) u[4 * i + c], 3 * (i % w) - 2 * (i / w) * c + 10, 0.01);
      }
}

/* No flow across the picture's edge: between two known columns the rest is linear in x alone. */
static void
test_membrane_edge (void)
{
  const int w = 33, h = 20;
  g_autofree float *u = g_new0 (float, 4 * w * h);
  g_autofree guint8 *kind = g_new (guint8, w * h);

  memset (kind, SUMI_MEMBRANE_UNKNOWN, w * h);
  for (int y = 0; y < h; y++)
    {
      kind[y * w] = kind[y * w + w - 1] = SUMI_MEMBRANE_KNOWN;
      u[4 * (y * w + w - 1)] = 32;
    }
  g_assert_true (sumi_membrane_fill (u, kind, w, h, 1e-6, NULL, NULL));
  for (int i = 0; i < w * h; i++)
    g_assert_cmpfloat_with_epsilon ((double) u[4 * i], i % w, 0.01);
}

static void
test_membrane_threads (void)
{
  const int w = 151, h = 163;
  g_autoptr (SumiPool) pool = sumi_pool_new (3);
  g_autofree float *u = g_new (float, 4 * w * h), *again = NULL;
  g_autofree guint8 *kind = g_new (guint8, w * h);

  for (int i = 0; i < w * h; i++)
    {
      kind[i] = i % w == 0 || i / w == 0 || i % 997 == 0 ? SUMI_MEMBRANE_KNOWN : SUMI_MEMBRANE_UNKNOWN;
      for (int c = 0; c < 4; c++)
        u[4 * i + c] = (float) (100 * sin (i * 0.37 + c));
    }
  again = g_memdup2 (u, sizeof (float) * 4 * w * h);
  g_assert_true (sumi_membrane_fill (u, kind, w, h, 1e-4, NULL, NULL));
  g_assert_true (sumi_membrane_fill (again, kind, w, h, 1e-4, pool, NULL));
  g_assert_cmpmem (u, sizeof (float) * 4 * w * h, again, sizeof (float) * 4 * w * h);
}

static SumiImage *
predict (const SumiEvidence *e, int seed, int candidate, int threads, GError **error)
{
  g_autoptr (SumiModel) model = sumi_model_load ("patches", NULL);
  g_autoptr (SumiPool) pool = sumi_pool_new (threads);
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), pool);
  const SumiPredict how = { .seed = (guint64) seed, .candidate = candidate, .churn = -1 };

  return sumi_model_predict (model, ev, e, &how, NULL, error);
}

static gsize
count_equal (const SumiImage *a, const SumiImage *b, const SumiImage *missing, gboolean in_hole)
{
  gsize n = 0;

  for (gsize i = 0; i < (gsize) a->width * (gsize) a->height; i++)
    if ((missing->data[i] > 0) == in_hole)
      n += ! memcmp (a->data + 3 * i, b->data + 3 * i, 3 * sizeof (float));
  return n;
}

static void
test_predict (void)
{
  const gsize hole = 24 * 20, known = 80 * 70 - hole;
  g_auto (SumiEvidence) e = evidence_new (80, 70, &(SumiRect){ 27, 21, 24, 20 });
  g_autoptr (SumiImage) one = predict (&e, 0, 0, 1, NULL);
  g_autoptr (SumiImage) three = predict (&e, 0, 0, 3, NULL);
  g_autoptr (SumiImage) seed = predict (&e, 1, 0, 2, NULL);
  g_autoptr (SumiImage) other = predict (&e, 0, 1, 2, NULL);
  double sum = 0;

  g_assert_cmpuint (count_equal (one, e.picture, e.missing, FALSE), ==, known);
  g_assert_cmpuint (count_equal (one, three, e.missing, TRUE), ==, hole);
  g_assert_cmpuint (count_equal (one, seed, e.missing, TRUE), <, hole / 4);
  g_assert_cmpuint (count_equal (one, other, e.missing, TRUE), <, hole / 4);
  g_assert_cmpuint (count_equal (seed, other, e.missing, TRUE), <, hole / 4);
  for (gsize i = 0; i < hole + known; i++)
    for (gsize c = 0; c < 3; c++)
      sum += pow ((double) one->data[3 * i + c] - (double) e.picture->data[3 * i + c], 2);
  /* the waves go on: well below their variance of 0.037 */
  g_test_message ("mean squared error in the hole %.5f", sum / (double) (3 * hole));
  g_assert_cmpfloat (sum / (double) (3 * hole), <, 0.025);
}

static void
test_stripes (void)
{
  g_auto (SumiEvidence) e = evidence_new (192, 160, &(SumiRect){ 60, 48, 50, 60 });
  g_autoptr (SumiImage) out = NULL;
  int off = 0;

  for (int i = 0; i < 192 * 160; i++)
    for (int c = 0; c < 3; c++)
      e.picture->data[3 * i + c] = *sumi_image_at (e.missing, i % 192, i / 192) > 0 ? 0.5f :
                                   i % 192 / 3 % 2                                  ? 0.9f :
                                                                                      0.1f;
  out = predict (&e, 0, 0, 2, NULL);
  for (int i = 0; i < 192 * 160; i++)
    off += fabs ((double) out->data[3 * i] - (i % 192 / 3 % 2 ? 0.9 : 0.1)) > 0.1;
  g_test_message ("%d of %d pixels are off", off, 50 * 60);
  g_assert_cmpint (off, <, 50 * 60 / 50);
}

/* Half-covered pixels show half of what was there; the synthesised part belongs to it: a flat picture stays flat,
 * and the answer does not copy what is not to be copied. */
static void
test_soft_and_void (void)
{
  g_auto (SumiEvidence) e = evidence_new (90, 90, &(SumiRect){ 30, 30, 30, 30 });
  g_autoptr (SumiImage) out = NULL;

  e.source = sumi_image_new (90, 90, 1, NULL);
  for (int i = 0; i < 90 * 90; i++)
    {
      const int x = i % 90, y = i / 90;
      const int inside = MIN (MIN (x - 30, 59 - x), MIN (y - 30, 59 - y));

      e.missing->data[i] = inside < 0 ? 0 : MIN (1, (float) (inside + 1) / 8);
      e.source->data[i] = x < 70;
      for (int c = 0; c < 3; c++)
        e.picture->data[3 * i + c] = x >= 70 ? 1 : inside >= 8 ? 0 : 0.4f + 0.05f * (float) ((x + y) % 2);
    }
  out = predict (&e, 0, 0, 2, NULL);
  for (int i = 0; i < 90 * 90; i++)
    {
      if (! (e.missing->data[i] > 0))
        g_assert_cmpfloat (out->data[3 * i], ==, e.picture->data[3 * i]);
      else
        {
          g_assert_cmpfloat (out->data[3 * i], >, 0.37f);
          g_assert_cmpfloat (out->data[3 * i], <, 0.48f);
        }
    }
}

static void
test_sizes (void)
{
  static const struct
  {
    int width, height;
    SumiRect hole;
  } cases[] = {
    { 2, 1, { 0, 0, 1, 1 } },    { 8, 8, { 3, 3, 2, 2 } },     { 8, 8, { 0, 0, 8, 7 } },
    { 7, 40, { 0, 10, 7, 9 } },  { 60, 5, { 20, 0, 4, 5 } },   { 200, 9, { 50, 4, 90, 1 } },
    { 33, 70, { 0, 0, 33, 1 } }, { 64, 64, { 1, 1, 62, 62 } }, { 49, 97, { 0, 0, 49, 80 } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (SumiEvidence) e = evidence_new (cases[i].width, cases[i].height, &cases[i].hole);
      g_autoptr (GError) error = NULL;
      g_autoptr (SumiImage) out = predict (&e, 3, 1, 2, &error);

      g_assert_no_error (error);
      for (gsize k = 0; k < (gsize) out->width * (gsize) out->height * 3; k++)
        {
          g_assert_true (isfinite (out->data[k]));
          if (! (e.missing->data[k / 3] > 0))
            g_assert_cmpfloat (out->data[k], ==, e.picture->data[k]);
          g_assert_cmpfloat (out->data[k], >, -0.6f);
          g_assert_cmpfloat (out->data[k], <, 1.6f);
        }
    }
}

/* Nothing known: a message; nothing missing: the picture; absurd floats: still numbers. */
static void
test_extremes (void)
{
  g_auto (SumiEvidence) none = evidence_new (20, 20, &(SumiRect){ 0, 0, 20, 20 });
  g_auto (SumiEvidence) all = evidence_new (20, 20, &(SumiRect){ 0, 0, 0, 0 });
  g_auto (SumiEvidence) wild = evidence_new (60, 60, &(SumiRect){ 20, 20, 15, 15 });
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiImage) nothing = predict (&none, 0, 0, 1, &error);
  g_autoptr (SumiImage) same = predict (&all, 0, 0, 1, NULL);
  g_autoptr (SumiImage) out = NULL;

  g_assert_null (nothing);
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_INPUT);
  g_assert_cmpuint (count_equal (same, all.picture, all.missing, FALSE), ==, 400);
  for (int i = 0; i < 3 * 60 * 60; i += 7)
    wild.picture->data[i] = i % 2 ? 1e30f : -1e9f;
  out = predict (&wild, 0, 2, 1, NULL);
  for (int i = 0; i < 3 * 60 * 60; i++)
    g_assert_true (isfinite (out->data[i]));
}

typedef struct
{
  SumiJob job;
  double last;
} Watch;

static void
cancel_soon (SumiJob *job, double fraction, const char *phase)
{
  Watch *w = (Watch *) job;

  g_assert_cmpfloat (fraction, >=, w->last);
  w->last = fraction;
  if (fraction > 0.3)
    g_cancellable_cancel (job->cancellable);
}

static void
test_cancel (void)
{
  g_auto (SumiEvidence) e = evidence_new (80, 70, &(SumiRect){ 27, 21, 24, 20 });
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (SumiModel) model = sumi_model_load ("patches", NULL);
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  g_autoptr (GError) error = NULL;
  Watch w = { .job = { .cancellable = cancellable, .progress = cancel_soon } };
  const SumiPredict how = { .churn = -1 };
  SumiImage *out = sumi_model_predict (model, ev, &e, &how, &w.job, &error);

  g_assert_null (out);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpfloat (w.last, <, 0.6);
}

static void
try_steps (SumiModel *model, SumiEval *ev, const SumiEvidence *e, const char *sampler, const char *schedule)
{
  for (int steps = 1; steps <= 4; steps += 3)
    {
      const SumiPredict how = { .names = { .sampler = sampler, .schedule = schedule }, .steps = steps, .churn = 0.5 };
      g_autoptr (GError) error = NULL;
      g_autoptr (SumiImage) out = sumi_model_predict (model, ev, e, &how, NULL, &error);

      g_assert_no_error (error);
      for (int i = 0; i < 3 * 70 * 60; i++)
        g_assert_true (out->data[i] > -1 && out->data[i] < 2);
    }
}

/* Every sampler and schedule of the registries works here, but those that need a table of the model's errors. */
static void
test_samplers (void)
{
  g_auto (SumiEvidence) e = evidence_new (70, 60, &(SumiRect){ 20, 20, 20, 16 });
  g_autoptr (SumiModel) model = sumi_model_load ("patches", NULL);
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);

  for (const SumiSamplerClass *const *s = sumi_samplers (); *s; s++)
    try_steps (model, ev, &e, (*s)->key, "auto");
  for (const SumiScheduleClass *const *c = sumi_schedules (); *c; c++)
    if (! (*c)->needs_errors)
      try_steps (model, ev, &e, "dpmpp-2m", (*c)->key);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/patches/exact", test_exact);
  g_test_add_func ("/patches/ranks", test_ranks);
  g_test_add_func ("/patches/scans", test_scans);
  g_test_add_func ("/patches/sweep", test_sweep);
  g_test_add_func ("/patches/votes", test_votes);
  g_test_add_func ("/patches/distance", test_distance);
  g_test_add_func ("/patches/membrane", test_membrane);
  g_test_add_func ("/patches/membrane-threads", test_membrane_threads);
  g_test_add_func ("/patches/membrane-edge", test_membrane_edge);
  g_test_add_func ("/patches/predict", test_predict);
  g_test_add_func ("/patches/stripes", test_stripes);
  g_test_add_func ("/patches/soft-and-void", test_soft_and_void);
  g_test_add_func ("/patches/sizes", test_sizes);
  g_test_add_func ("/patches/extremes", test_extremes);
  g_test_add_func ("/patches/cancel", test_cancel);
  g_test_add_func ("/patches/samplers", test_samplers);
  return g_test_run ();
}
