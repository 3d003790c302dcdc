/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tasks fill and expand from photo and mask to rows: rectangles, coverage, alpha, candidates, large holes, messages. */
#include <math.h>
#include <string.h>

#include "core/sumi.h"

#define MAX_RESULTS 8

typedef struct
{
  SumiSink sink;
  SumiImage *rgba, *coverage;
  SumiResult about;
  char *recipe;
  int rows;
} Result;

typedef struct
{
  Result results[MAX_RESULTS];
  int n;
} Host;

static gboolean
host_write (SumiSink *sink, int y, int rows, const float *rgba, const float *coverage, GError **error)
{
  Result *r = (Result *) sink;
  const gsize n = (gsize) rows * (gsize) sink->width;

  g_assert_cmpint (y, ==, r->rows);
  g_assert_nonnull (coverage);
  r->rows += rows;
  g_assert_cmpint (r->rows, <=, sink->height);
  memcpy (sumi_image_at (r->rgba, 0, y), rgba, 4 * n * sizeof (float));
  memcpy (sumi_image_at (r->coverage, 0, y), coverage, n * sizeof (float));
  return TRUE;
}

static SumiSink *
host_open (SumiRun *run, const SumiResult *result, GError **error)
{
  Host *host = run->user_data;
  Result *r = host->results + host->n++;

  r->sink = (SumiSink){ result->width, result->height, host_write };
  r->about = *result;
  r->recipe = g_strdup (result->recipe);
  r->rgba = sumi_image_new (result->width, result->height, 4, NULL);
  r->coverage = sumi_image_new (result->width, result->height, 1, NULL);
  return &r->sink;
}

static void
host_clear (Host *host)
{
  for (int i = 0; i < host->n; i++)
    {
      sumi_image_unref (host->results[i].rgba);
      sumi_image_unref (host->results[i].coverage);
      g_free (host->results[i].recipe);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Host, host_clear)

/* @options: "key=value key=value" */
static gboolean
run_task (const char *key, SumiImage *photo, SumiImage *mask, const char *options, Host *host, GError **error)
{
  const SumiTaskClass *task = sumi_task_find (key);
  g_autoptr (SumiSource) source = sumi_source_new_image (photo);
  g_autoptr (SumiSource) mask_source = mask ? sumi_source_new_image (mask) : NULL;
  const SumiTaskInput input = { source, mask_source, NULL };
  g_auto (GStrv) pairs = g_strsplit (options, " ", -1);
  gpointer values = sumi_task_new_options (task);
  SumiRun run = { .input = &input, .options = values, .open = host_open, .user_data = host };
  gboolean ok = TRUE;

  for (int i = 0; ok && pairs[i] && *pairs[i]; i++)
    {
      g_auto (GStrv) pair = g_strsplit (pairs[i], "=", 2);

      ok = sumi_option_set_text (sumi_option_find (task->options, pair[0]), values, pair[1], error);
    }
  ok = ok && sumi_task_run (task, &run, error);
  for (int i = 0; ok && i < host->n; i++)
    g_assert_cmpint (host->results[i].rows, ==, host->results[i].sink.height);
  sumi_task_free_options (task, values);
  return ok;
}

static void
run_well (const char *key, SumiImage *photo, SumiImage *mask, const char *options, Host *host)
{
  g_autoptr (GError) error = NULL;

  run_task (key, photo, mask, options, host, &error);
  g_assert_no_error (error);
}

static void
expect_error (const char *key, SumiImage *photo, SumiImage *mask, const char *options, int code, const char *word)
{
  g_auto (Host) host = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_false (run_task (key, photo, mask, options, &host, &error));
  g_assert_error (error, SUMI_ERROR, code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, word));
  g_assert_cmpint (host.n, ==, 0);
}

/* Two textures, the border between them at two thirds of the height. */
static SumiImage *
photo_new (int width, int height)
{
  SumiImage *image = sumi_image_new (width, height, 4, NULL);

  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      {
        float *p = sumi_image_at (image, x, y), noise[2];

        sumi_random_normal (3, 0, x, y, 0, noise);
        p[0] = (3 * y < 2 * height ? 0.3f : 0.7f) + 0.03f * noise[0];
        p[1] = (3 * y < 2 * height ? 0.5f : 0.4f) + 0.03f * noise[1];
        p[2] = (3 * y < 2 * height ? 0.8f : 0.2f);
        p[3] = 1;
      }
  return image;
}

static SumiImage *
mask_new (int width, int height, const SumiRect *r, float value)
{
  SumiImage *image = sumi_image_new (width, height, 1, NULL);

  for (int y = r->y; y < r->y + r->height; y++)
    for (int x = r->x; x < r->x + r->width; x++)
      *sumi_image_at (image, x, y) = value;
  return image;
}

/* How far the upper and lower texture's blue are from what they are in the photo, in the mean over the result. */
static double
error_of (const Result *r, const SumiImage *photo)
{
  double sum = 0, n = 0;

  for (int y = 0; y < r->about.height; y++)
    for (int x = 0; x < r->about.width; x++)
      if (*sumi_image_at (r->coverage, x, y) > 0)
        {
          const int py = CLAMP (r->about.y + y - r->about.photo_y, 0, photo->height - 1);

          g_assert_cmpfloat (sumi_image_at (r->rgba, x, y)[3], ==, 1);
          sum += fabs ((double) sumi_image_at (r->rgba, x, y)[2] - (double) sumi_image_at (photo, 0, py)[2]);
          n++;
        }
  return sum / n;
}

static void
test_fill (void)
{
  const SumiRect hole = { 50, 60, 44, 33 };
  g_autoptr (SumiImage) photo = photo_new (160, 120);
  g_autoptr (SumiImage) mask = mask_new (160, 120, &hole, 1);
  g_auto (Host) host = { 0 };

  *sumi_image_at (mask, 60, 70) = 0; /* an island that stays */
  *sumi_image_at (mask, 61, 70) = 0.25f;
  run_well ("fill", photo, mask, "candidates=2 threads=2 steps=4", &host);
  g_assert_cmpint (host.n, ==, 2);
  for (int i = 0; i < 2; i++)
    {
      const Result *r = host.results + i;

      g_assert_cmpint (r->about.index, ==, i);
      g_assert_cmpint (r->about.count, ==, 2);
      g_assert_cmpint (r->about.x, ==, 50);
      g_assert_cmpint (r->about.y, ==, 60);
      g_assert_cmpint (r->about.width, ==, 44);
      g_assert_cmpint (r->about.height, ==, 33);
      g_assert_cmpint (r->about.canvas_width, ==, 160);
      g_assert_cmpint (r->about.photo_x, ==, 0);
      g_assert_true (r->about.has_coverage && r->about.has_colour);
      for (int y = 0; y < 33; y++)
        g_assert_cmpmem (sumi_image_at (r->coverage, 0, y), 44 * sizeof (float), sumi_image_at (mask, 50, 60 + y),
                         44 * sizeof (float));
      g_assert_cmpmem (sumi_image_at (r->rgba, 10, 10), 16, sumi_image_at (photo, 60, 70), 16);
      g_assert_cmpfloat (error_of (r, photo), <, 0.05);
      g_assert_nonnull (strstr (r->recipe, "task=fill"));
      g_assert_nonnull (strstr (r->recipe, "crop=0,0,160,120"));
      for (int j = 0; j < i; j++)
        g_assert_true (memcmp (r->rgba->data, host.results[j].rgba->data, sizeof (float) * 4 * 44 * 33));
    }
}

static void
test_threads_and_seed (void)
{
  g_autoptr (SumiImage) photo = photo_new (90, 100);
  g_autoptr (SumiImage) mask = mask_new (90, 100, &(SumiRect){ 20, 40, 26, 30 }, 1);
  g_auto (Host) one = { 0 }, three = { 0 }, other = { 0 };
  const gsize size = sizeof (float) * 4 * 26 * 30;

  run_well ("fill", photo, mask, "seed=4 threads=1", &one);
  run_well ("fill", photo, mask, "seed=4 threads=3", &three);
  run_well ("fill", photo, mask, "seed=5 threads=1", &other);
  g_assert_cmpmem (one.results[0].rgba->data, size, three.results[0].rgba->data, size);
  g_assert_true (memcmp (one.results[0].rgba->data, other.results[0].rgba->data, size));
}

/* What hides under alpha 0 is neither copied nor compared with; a transparent hole is filled all the same. */
static void
test_transparent (void)
{
  g_autoptr (SumiImage) photo = photo_new (150, 120);
  g_autoptr (SumiImage) mask = mask_new (150, 120, &(SumiRect){ 40, 15, 50, 50 }, 1);
  g_auto (Host) host = { 0 };
  const Result *r = host.results;

  for (int y = 0; y < 120; y++)
    for (int x = 0; x < 150; x++)
      if (x >= 85 || (x > 60 && x < 70 && y > 30 && y < 50))
        {
          float *p = sumi_image_at (photo, x, y);

          p[0] = p[1] = p[2] = 5; /* seen at once where it leaks */
          p[3] = 0;
        }
  run_well ("fill", photo, mask, "", &host);
  for (int y = 0; y < 50; y++)
    for (int x = 0; x < 50; x++)
      {
        const float *p = sumi_image_at (r->rgba, x, y);

        g_assert_cmpfloat (p[3], ==, 1);
        g_assert_cmpfloat (p[0], <, 1);
        g_assert_cmpfloat (p[2], <, 0.9f);
      }
  g_assert_cmpfloat (error_of (r, photo), <, 0.06);
}

/* Little memory forces a smaller working size and tiles; the answer still has the photo's grain. */
static void
test_large (void)
{
  g_autoptr (SumiImage) photo = photo_new (1040, 240);
  g_autoptr (SumiImage) mask = mask_new (1040, 240, &(SumiRect){ 70, 90, 900, 100 }, 1);
  g_auto (Host) host = { 0 }, again = { 0 };
  const Result *r = host.results;
  double sum = 0, squares = 0;

  run_well ("fill", photo, mask, "memory=16M threads=1 steps=3", &host);
  run_well ("fill", photo, mask, "memory=16M threads=2 steps=3", &again);
  g_assert_cmpmem (r->rgba->data, sizeof (float) * 4 * 900 * 100, again.results[0].rgba->data,
                   sizeof (float) * 4 * 900 * 100);
  g_assert_cmpfloat (error_of (r, photo), <, 0.15);
  for (int y = 5; y < 35; y++)
    for (int x = 20; x < 880; x++)
      {
        const double v = (double) sumi_image_at (r->rgba, x, y)[0];

        sum += v;
        squares += v * v;
      }
  sum /= 30 * 860;
  g_test_message ("grain %.4f of 0.03", sqrt (squares / (30 * 860) - sum * sum));
  g_assert_cmpfloat (sqrt (squares / (30 * 860) - sum * sum), >, 0.015);
  g_assert_cmpfloat (sqrt (squares / (30 * 860) - sum * sum), <, 0.045);
}

static void
test_expand (void)
{
  g_autoptr (SumiImage) photo = photo_new (120, 90);
  g_auto (Host) host = { 0 }, strip = { 0 };
  const Result *r = host.results;

  run_well ("expand", photo, NULL, "left=20 top=7 right=33", &host);
  g_assert_cmpint (r->about.canvas_width, ==, 173);
  g_assert_cmpint (r->about.canvas_height, ==, 97);
  g_assert_cmpint (r->about.width, ==, 173);
  g_assert_cmpint (r->about.height, ==, 97);
  g_assert_cmpint (r->about.photo_x, ==, 20);
  g_assert_cmpint (r->about.photo_y, ==, 7);
  for (int y = 0; y < 97; y++)
    for (int x = 0; x < 173; x++)
      {
        const gboolean old = x >= 20 && x < 140 && y >= 7;

        g_assert_cmpfloat (*sumi_image_at (r->coverage, x, y), ==, old ? 0 : 1);
        if (old)
          g_assert_cmpmem (sumi_image_at (r->rgba, x, y), 16, sumi_image_at (photo, x - 20, y - 7), 16);
      }
  g_assert_cmpfloat (error_of (r, photo), <, 0.06);

  run_well ("expand", photo, NULL, "bottom=25", &strip);
  g_assert_cmpint (strip.results[0].about.canvas_height, ==, 115);
  g_assert_cmpint (strip.results[0].about.photo_y, ==, 0);
  g_assert_cmpfloat (error_of (strip.results, photo), <, 0.06);
}

static void
test_tiny (void)
{
  static const int sizes[][2] = { { 2, 1 }, { 1, 2 }, { 3, 3 }, { 8, 8 }, { 40, 3 } };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      const int w = sizes[i][0], h = sizes[i][1];
      g_autoptr (SumiImage) photo = photo_new (w, h);
      g_autoptr (SumiImage) mask = mask_new (w, h, &(SumiRect){ 0, 0, 1, 1 }, 0.5f);
      g_auto (Host) host = { 0 }, wide = { 0 };

      run_well ("fill", photo, mask, "", &host);
      run_well ("expand", photo, NULL, "left=3 bottom=2", &wide);
      g_assert_cmpint (host.results[0].about.width, ==, 1);
      g_assert_cmpint (wide.results[0].about.width, ==, w + 3);
    }
}

static void
test_messages (void)
{
  g_autoptr (SumiImage) photo = photo_new (60, 50);
  g_autoptr (SumiImage) empty = mask_new (60, 50, &(SumiRect){ 0, 0, 1, 1 }, 0);
  g_autoptr (SumiImage) all = mask_new (60, 50, &(SumiRect){ 0, 0, 60, 50 }, 1);
  g_autoptr (SumiImage) other = mask_new (61, 50, &(SumiRect){ 0, 0, 9, 9 }, 1);

  expect_error ("fill", photo, empty, "", SUMI_ERROR_INPUT, "selected");
  expect_error ("fill", photo, all, "", SUMI_ERROR_INPUT, "mark a smaller part");
  expect_error ("fill", photo, other, "", SUMI_ERROR_INPUT, "61×50");
  expect_error ("fill", photo, NULL, "", SUMI_ERROR_INPUT, "mask");
  expect_error ("expand", photo, NULL, "", SUMI_ERROR_OPTION, "--left");
  expect_error ("expand", photo, NULL, "left=20000", SUMI_ERROR_OPTION, "16384");
  for (int i = 0; i < 60 * 50; i++)
    photo->data[4 * i + 3] = 0;
  expect_error ("expand", photo, NULL, "left=20", SUMI_ERROR_INPUT, "transparent");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fill/fill", test_fill);
  g_test_add_func ("/fill/threads-and-seed", test_threads_and_seed);
  g_test_add_func ("/fill/transparent", test_transparent);
  g_test_add_func ("/fill/large", test_large);
  g_test_add_func ("/fill/expand", test_expand);
  g_test_add_func ("/fill/tiny", test_tiny);
  g_test_add_func ("/fill/messages", test_messages);
  return g_test_run ();
}
