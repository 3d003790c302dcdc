/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every answer of family restore must hold, with the shipped model: known pixels and known luminance come back
 * exactly, every size works, tiles see what the whole sees, the same seed gives the same bytes. */
#include <math.h>
#include <string.h>
#include <sys/resource.h>

#include "core/base/arena.h"
#include "core/model/pushpull.h"
#include "core/sumi.h"

static SumiModel *model;

static SumiImage *
image_new (int w, int h, int channels)
{
  g_autoptr (GError) error = NULL;
  SumiImage *image = sumi_image_new (w, h, channels, &error);

  g_assert_no_error (error);
  return image;
}

/* A picture with edges, texture and colour, given at (@x, @y) of an endless one. */
static SumiImage *
scene (int x0, int y0, int w, int h)
{
  SumiImage *image = image_new (w, h, 3);

  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      {
        const int ax = x + x0, ay = y + y0;
        const double disc = hypot (ax % 60 - 30, ay % 70 - 35) < 20, wave = 0.15 * sin (ax * 0.9) * sin (ay * 0.7);
        float *p = sumi_image_at (image, x, y);

        p[0] = (float) (0.3 + 0.5 * disc + wave);
        p[1] = (float) (0.5 + 0.2 * sin (ay * 0.05) - wave);
        p[2] = (float) (0.6 - 0.4 * disc + 0.1 * sin (ax * 0.03));
      }
  return image;
}

static void
make_grey (SumiImage *image)
{
  for (int i = 0; i < image->width * image->height; i++)
    {
      float *p = image->data + 3 * i;

      p[0] = p[1] = p[2] = 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2];
    }
}

static SumiImage *
constant (int w, int h, float value)
{
  SumiImage *map = image_new (w, h, 1);

  for (int i = 0; i < w * h; i++)
    map->data[i] = value;
  return map;
}

/* @threads 0: no pool at all */
static SumiImage *
predict_full (const SumiEvidence *evidence, const SumiPredict *how, int threads, SumiJob *job, GError **error)
{
  g_autoptr (SumiPool) pool = threads ? sumi_pool_new (threads) : NULL;
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), pool);

  return sumi_model_predict (model, ev, evidence, how, job, error);
}

static SumiImage *
predict (const SumiEvidence *evidence, gboolean mean)
{
  const SumiPredict how = { .mean = mean, .seed = 5, .steps = 3, .churn = -1 };
  g_autoptr (GError) error = NULL;
  SumiImage *image = predict_full (evidence, &how, 1, NULL, &error);

  g_assert_no_error (error);
  for (int i = 0; i < image->width * image->height * 3; i++)
    g_assert_true (isfinite (image->data[i]));
  return image;
}

static void
assert_same (const SumiImage *a, const SumiImage *b)
{
  g_assert_true (a->width == b->width && a->height == b->height && a->channels == b->channels);
  g_assert_true (! memcmp (a->data, b->data, sizeof (float) * (gsize) (a->width * a->height * a->channels)));
}

static double
difference (const SumiImage *a, const SumiImage *b)
{
  double worst = 0;

  for (int i = 0; i < a->width * a->height * 3; i++)
    worst = MAX (worst, fabs ((double) a->data[i] - b->data[i]));
  return worst;
}

/* ---- exactness -------------------------------------------------------- */

/* A hole, a soft rim and a colour beyond [0, 1]. */
static void
test_known (void)
{
  g_autoptr (SumiImage) picture = scene (0, 0, 45, 37), missing = constant (45, 37, 0);
  SumiEvidence e = { .x = 3, .y = -7, .picture = picture, .missing = missing };

  for (int y = 10; y < 25; y++)
    for (int x = 12; x < 30; x++)
      *sumi_image_at (missing, x, y) = x == 12 ? 0.25f : 1;
  sumi_image_at (picture, 0, 0)[0] = 7.5f;
  sumi_image_at (picture, 1, 0)[2] = -2;
  for (int mean = 0; mean < 2; mean++)
    {
      g_autoptr (SumiImage) out = predict (&e, mean);
      g_autoptr (SumiImage) hard = NULL;
      int changed = 0;

      for (int y = 0; y < 37; y++)
        for (int x = 0; x < 45; x++)
          {
            const float *p = sumi_image_at (out, x, y), *q = sumi_image_at (picture, x, y);

            if (*sumi_image_at (missing, x, y) > 0)
              changed += memcmp (p, q, 12) != 0;
            else
              g_assert_true (! memcmp (p, q, 12));
          }
      g_assert_cmpint (changed, >, 15 * 17);

      /* partly missing: a mix of the answer and the picture */
      {
        g_autoptr (SumiImage) full = sumi_image_dup (missing, NULL);
        SumiEvidence whole = e;

        for (int i = 0; i < 45 * 37; i++)
          full->data[i] = full->data[i] > 0;
        whole.missing = full;
        hard = predict (&whole, mean);
      }
      for (int y = 10; y < 25; y++)
        for (int c = 0; c < 3; c++)
          g_assert_cmpfloat_with_epsilon (
              sumi_image_at (out, 12, y)[c],
              0.25 * sumi_image_at (hard, 12, y)[c] + 0.75 * sumi_image_at (picture, 12, y)[c], 1e-6);
    }
}

static void
test_luminance (void)
{
  g_autoptr (SumiImage) picture = scene (0, 0, 50, 34), grey = constant (50, 34, 1);
  SumiEvidence e = { .picture = picture, .grey = grey };
  float hint[3];

  make_grey (picture);
  for (int x = 20; x < 24; x++) /* hints: a few pixels whose colour is known */
    {
      *sumi_image_at (grey, x, 8) = 0;
      sumi_image_at (picture, x, 8)[0] += 0.1f;
    }
  memcpy (hint, sumi_image_at (picture, 22, 8), sizeof hint);
  for (int mean = 0; mean < 2; mean++)
    {
      g_autoptr (SumiImage) out = predict (&e, mean);
      double chroma = 0;

      for (int i = 0; i < 50 * 34; i++)
        {
          const float *p = out->data + 3 * i, *q = picture->data + 3 * i;

          g_assert_cmpfloat_with_epsilon (0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2],
                                          0.299 * q[0] + 0.587 * q[1] + 0.114 * q[2], 3e-7);
          chroma = MAX (chroma, fabs (p[0] - (double) p[2]));
        }
      g_assert_cmpfloat (chroma, >, 0.005);
      g_assert_true (! memcmp (sumi_image_at (out, 22, 8), hint, sizeof hint));
    }
}

/* Nothing unknown: the picture itself. */
static void
test_nothing (void)
{
  g_autoptr (SumiImage) picture = scene (0, 0, 20, 20), none = constant (20, 20, 0);
  const SumiEvidence plain = { .picture = picture }, maps = { .picture = picture, .missing = none, .grey = none };
  g_autoptr (SumiImage) a = predict (&plain, TRUE), b = predict (&maps, FALSE);

  assert_same (a, picture);
  assert_same (b, picture);
}

/* Cubic convolution, a = −1/2 (Keys 1981). */
static double
cubic (double t)
{
  t = fabs (t);
  return t < 1 ? (1.5 * t - 2.5) * t * t + 1 : t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

/* Shrunk to half by boxes and enlarged again. */
static SumiImage *
make_guide (const SumiImage *truth)
{
  const int w = truth->width, h = truth->height;
  g_autoptr (SumiImage) half = image_new (w / 2, h / 2, 3);
  SumiImage *guide = image_new (w, h, 3);

  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      for (int c = 0; c < 3; c++)
        sumi_image_at (half, x / 2, y / 2)[c] += sumi_image_at (truth, x, y)[c] / 4;
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      for (int c = 0; c < 3; c++)
        {
          const double fx = (x + 0.5) / 2 - 0.5, fy = (y + 0.5) / 2 - 0.5;
          double sum = 0;

          for (int i = (int) floor (fy) - 1; i <= floor (fy) + 2; i++)
            for (int j = (int) floor (fx) - 1; j <= floor (fx) + 2; j++)
              sum += cubic (fx - j) * cubic (fy - i) *
                     sumi_image_at (half, CLAMP (j, 0, w / 2 - 1), CLAMP (i, 0, h / 2 - 1))[c];
          sumi_image_at (guide, x, y)[c] = (float) CLAMP (sum, 0, 1);
        }
  return guide;
}

/* A picture made coarse on purpose comes nearer to the original. */
static void
test_coarse (void)
{
  g_autoptr (SumiImage) truth = image_new (96, 96, 3), guide = NULL, out = NULL;
  SumiEvidence e = { .coarse = TRUE, .factor = 2 };
  double before = 0, after = 0;

  for (int i = 0; i < 96 * 96; i++) /* a dark disc and a slanted edge */
    {
      const int x = i % 96, y = i / 96;
      const double v = hypot (x - 40, y - 50) < 25 || 2 * x > 140 + y ? 0.2 : 0.8;

      for (int c = 0; c < 3; c++)
        truth->data[3 * i + c] = (float) (v + 0.05 * c);
    }
  e.picture = guide = make_guide (truth);
  out = predict (&e, TRUE);
  for (int i = 0; i < 96 * 96 * 3; i++)
    {
      before += pow (guide->data[i] - truth->data[i], 2);
      after += pow (out->data[i] - truth->data[i], 2);
    }
  g_test_message ("squared error %.3f → %.3f", before, after);
  g_assert_cmpfloat (after, <, 0.8 * before);
}

/* ---- sizes, tiles, threads -------------------------------------------- */

static void
test_sizes (void)
{
  for (int n = 1; n <= 40; n++)
    {
      const int w = n, h = n % 3 ? 41 - n : n;
      g_autoptr (SumiImage) picture = scene (n, 0, w, h), missing = constant (w, h, 0), grey = constant (w, h, 1);
      SumiEvidence e = { .x = n, .y = 7 * n, .picture = picture, .missing = missing, .grey = grey, .factor = 1 };
      g_autoptr (SumiImage) out = NULL;

      for (int i = 0; i < w * h; i += 5)
        missing->data[i] = 1;
      out = predict (&e, n % 4 != 0);
      g_assert_true (out->width == w && out->height == h && out->channels == 3);
      if (n > 3)
        continue;
      for (int i = 0; i < w * h; i++) /* nothing is known at all */
        missing->data[i] = 1;
      g_clear_pointer (&out, sumi_image_unref);
      out = predict (&e, TRUE);
    }
}

/* A tile with the family's margin around it gives the inside of the whole to 1/255, wherever it starts. */
static void
test_tiles (void)
{
  const int m = model->family->margin, n = 32;
  const int w = 2 * m + n + 64, h = 2 * m + n;
  g_autoptr (SumiImage) picture = scene (0, 0, w, h), whole = NULL;
  SumiEvidence e = { .picture = picture, .coarse = TRUE, .factor = 4 };

  whole = predict (&e, FALSE);
  for (int shift = 32; shift < 64; shift += 15)
    {
      g_autoptr (SumiImage) part = scene (shift, 0, 2 * m + n, h), out = NULL;
      SumiEvidence tile = { .x = shift, .picture = part, .coarse = TRUE, .factor = 4 };
      double worst = 0;

      out = predict (&tile, FALSE);
      for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++)
          for (int c = 0; c < 3; c++)
            worst = MAX (worst, fabs ((double) sumi_image_at (out, m + x, m + y)[c] -
                                      sumi_image_at (whole, shift + m + x, m + y)[c]));
      g_test_message ("tile at %d: %.2f/255", shift, worst * 255);
      g_assert_cmpfloat (worst, <, 1 / 255.0);
    }
}

static void
test_same_bytes (void)
{
  g_autoptr (SumiImage) picture = scene (0, 0, 70, 50), grey = constant (70, 50, 1), first = NULL;
  SumiEvidence e = { .picture = picture, .grey = grey };
  SumiPredict how = { .seed = 9, .steps = 3, .churn = 0.5 };

  make_grey (picture);
  first = predict_full (&e, &how, 0, NULL, NULL);
  for (int threads = 1; threads <= 3; threads++)
    {
      g_autoptr (SumiImage) again = predict_full (&e, &how, threads, NULL, NULL);

      assert_same (first, again);
    }
  for (int i = 0; i < 3; i++) /* another seed, candidate, sampler: another answer */
    {
      SumiPredict other = how;
      g_autoptr (SumiImage) image = NULL;

      other.seed += i == 0;
      other.candidate += i == 1;
      other.names.sampler = i == 2 ? "euler" : NULL;
      image = predict_full (&e, &other, 2, NULL, NULL);
      g_assert_cmpfloat (difference (first, image), >, 1e-3);
    }
  how.mean = TRUE; /* the mean knows no seed */
  g_clear_pointer (&first, sumi_image_unref);
  first = predict_full (&e, &how, 1, NULL, NULL);
  {
    SumiPredict other = how;
    g_autoptr (SumiImage) image = NULL;

    other.seed = 77;
    image = predict_full (&e, &other, 1, NULL, NULL);
    assert_same (first, image);
  }
}

/* ---- jobs and failures ------------------------------------------------ */

typedef struct
{
  SumiJob job;
  int previews, cancel_at;
  double last;
} Watch;

static void
on_progress (SumiJob *job, double fraction, const char *phase)
{
  Watch *watch = job->user_data;

  g_assert_cmpfloat (fraction, >=, watch->last);
  watch->last = fraction;
}

static void
on_preview (SumiJob *job, const SumiImage *picture, const SumiRect *where)
{
  Watch *watch = job->user_data;

  g_assert_cmpint (picture->width, ==, where->width);
  g_assert_cmpint (where->x, ==, 11);
  if (++watch->previews == watch->cancel_at)
    g_cancellable_cancel (job->cancellable);
}

static void
test_job (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (SumiImage) picture = scene (0, 0, 40, 40), missing = constant (40, 40, 1), out = NULL;
  const SumiEvidence e = { .x = 11, .picture = picture, .missing = missing };
  const SumiPredict how = { .seed = 1, .steps = 6, .churn = -1 };
  g_autoptr (GError) error = NULL;
  Watch watch = { .job = { .cancellable = cancellable, .progress = on_progress, .preview = on_preview } };

  watch.job.user_data = &watch;
  out = predict_full (&e, &how, 2, &watch.job, &error);
  g_assert_no_error (error);
  g_assert_cmpint (watch.previews, ==, 6);
  g_assert_cmpfloat (watch.last, ==, 1);

  watch.cancel_at = 8; /* in the second step of the second run */
  watch.job.last = watch.last = 0;
  g_assert_null (predict_full (&e, &how, 2, &watch.job, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (watch.previews, ==, 8);
  g_clear_error (&error);
  g_assert_null (predict_full (&e, &how, 2, &watch.job, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_wrong (void)
{
  g_autoptr (SumiImage) picture = scene (0, 0, 20, 20), small = constant (19, 20, 1);
  SumiEvidence e = { .picture = picture, .missing = small };
  SumiPredict how = { .steps = 2, .churn = -1 };
  g_autoptr (GError) error = NULL;

  g_assert_null (predict_full (&e, &how, 1, NULL, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);
  e = (SumiEvidence){ .picture = picture, .coarse = TRUE, .factor = NAN };
  g_assert_null (predict_full (&e, &how, 1, NULL, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);
  g_clear_error (&error);
  e.factor = 2;
  how.names.sampler = "dice";
  g_assert_null (predict_full (&e, &how, 1, NULL, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);
  g_assert_nonnull (strstr (error->message, "dpmpp-2m"));
  g_clear_error (&error);
  how.names.sampler = NULL;
  how.names.schedule = "never";
  g_assert_null (predict_full (&e, &how, 1, NULL, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);
}

/* An evaluation context may serve any number of pictures. */
static void
test_scratch (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  g_autoptr (SumiImage) picture = scene (0, 0, 48, 48);
  const SumiEvidence e = { .picture = picture, .coarse = TRUE, .factor = 2 };
  gsize first = 0;

  for (int i = 0; i < 6; i++)
    {
      const SumiPredict how = { .mean = i % 2, .steps = 2, .churn = -1 };
      g_autoptr (SumiImage) out = sumi_model_predict (model, ev, &e, &how, NULL, NULL);

      if (i == 1)
        first = sumi_arena_get_peak (ev->scratch);
    }
  g_assert_cmpuint (sumi_arena_get_peak (ev->scratch), ==, first);
}

/* Too little memory for a large picture is an error like any other. */
static void
test_memory (void)
{
#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("the sanitizer's own memory would not fit the limit");
#else
  if (g_test_subprocess ())
    {
      const struct rlimit limit = { 420u << 20, 420u << 20 };
      g_autoptr (SumiImage) picture = scene (0, 0, 1400, 1400);
      const SumiEvidence e = { .picture = picture, .coarse = TRUE, .factor = 2 };
      const SumiPredict how = { .mean = TRUE };
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (setrlimit (RLIMIT_AS, &limit), ==, 0);
      g_assert_null (predict_full (&e, &how, 0, NULL, &error));
      g_assert_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
#endif
}

/* ---- push-pull -------------------------------------------------------- */

static void
test_pushpull (void)
{
  g_autoptr (SumiImage) image = image_new (9, 5, 1), missing = constant (9, 5, 1), dark = NULL;

  /* nothing known: middle grey */
  g_assert_true (sumi_pushpull_fill (image, missing, 0, 0, NULL));
  for (int i = 0; i < 45; i++)
    g_assert_cmpfloat (image->data[i], ==, 0.5);
  /* one pixel known: it is everywhere */
  image->data[20] = 0.75f;
  missing->data[20] = 0;
  g_assert_true (sumi_pushpull_fill (image, missing, -3, 100, NULL));
  for (int i = 0; i < 45; i++)
    g_assert_cmpfloat (image->data[i], ==, 0.75);

  /* by hand, 4×1: known 0 and 1 at the ends; level 1 is (0, 1); inner pixels are at 1/4 and 3/4 between its centres */
  dark = image_new (4, 1, 1);
  {
    g_autoptr (SumiImage) inner = image_new (4, 1, 1);

    dark->data[3] = 1;
    inner->data[1] = inner->data[2] = 1;
    g_assert_true (sumi_pushpull_fill (dark, inner, 0, 0, NULL));
  }
  g_assert_cmpfloat (dark->data[1], ==, 0.25);
  g_assert_cmpfloat (dark->data[2], ==, 0.75);
}

/* A small hole fills the same in two tiles that begin elsewhere. */
static void
test_pushpull_tiles (void)
{
  g_autoptr (SumiImage) a = scene (0, 0, 300, 300), b = scene (37, 53, 200, 200);
  g_autoptr (SumiImage) hole_a = constant (300, 300, 0), hole_b = constant (200, 200, 0);

  for (int y = 150; y < 157; y++)
    for (int x = 140; x < 160; x++)
      *sumi_image_at (hole_a, x, y) = *sumi_image_at (hole_b, x - 37, y - 53) = 1;
  g_assert_true (sumi_pushpull_fill (a, hole_a, 0, 0, NULL));
  g_assert_true (sumi_pushpull_fill (b, hole_b, 37, 53, NULL));
  for (int y = 150; y < 157; y++)
    for (int x = 140; x < 160; x++)
      for (int c = 0; c < 3; c++)
        g_assert_cmpfloat_with_epsilon (sumi_image_at (a, x, y)[c], sumi_image_at (b, x - 37, y - 53)[c], 1e-6);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int result;

  g_test_init (&argc, &argv, NULL);
  model = sumi_model_load ("sumi-restore", &error);
  g_assert_no_error (error);
  g_test_add_func ("/predict/known", test_known);
  g_test_add_func ("/predict/luminance", test_luminance);
  g_test_add_func ("/predict/nothing", test_nothing);
  g_test_add_func ("/predict/coarse", test_coarse);
  g_test_add_func ("/predict/sizes", test_sizes);
  g_test_add_func ("/predict/tiles", test_tiles);
  g_test_add_func ("/predict/same-bytes", test_same_bytes);
  g_test_add_func ("/predict/job", test_job);
  g_test_add_func ("/predict/wrong", test_wrong);
  g_test_add_func ("/predict/scratch", test_scratch);
  g_test_add_func ("/predict/memory", test_memory);
  g_test_add_func ("/pushpull/values", test_pushpull);
  g_test_add_func ("/pushpull/tiles", test_pushpull_tiles);
  result = g_test_run ();
  sumi_model_unref (model);
  return result;
}
