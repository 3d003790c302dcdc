/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tasks upscale, colorize and restore with the model that ships. */
#include <math.h>
#include <string.h>
#include <sys/resource.h>

#include "core/base/random.h"
#include "core/sumi.h"
#include "core/task/resample.h"

/* ---- a host in memory -------------------------------------------------- */

typedef struct
{
  SumiSink sink;
  SumiImage *image; /* NULL: rows are counted and dropped */
  int rows;
  char *recipe;
  SumiResult result;
  int covered; /* pixels that the host takes from the result, where the rest stays its own */
  gboolean drop;
} Host;

static gboolean
host_write (SumiSink *self, int y, int rows, const float *rgba, const float *coverage, GError **error)
{
  Host *host = (Host *) self;

  g_assert_cmpint (y, ==, host->rows);
  host->rows += rows;
  g_assert_cmpint (host->rows, <=, self->height);
  g_assert_cmpint (coverage != NULL, ==, host->result.has_coverage);
  for (gsize i = 0; coverage && i < (gsize) rows * (gsize) self->width; i++)
    {
      g_assert_true (coverage[i] == 0 || coverage[i] == 1);
      host->covered += coverage[i] > 0;
    }
  if (host->image)
    memcpy (sumi_image_at (host->image, 0, y), rgba, sizeof (float) * 4 * (gsize) rows * (gsize) self->width);
  return TRUE;
}

static SumiSink *
host_open (SumiRun *run, const SumiResult *result, GError **error)
{
  Host *host = run->user_data;

  host->sink = (SumiSink){ result->width, result->height, host_write };
  host->result = *result;
  host->recipe = g_strdup (result->recipe);
  if (! host->drop)
    host->image = sumi_image_new (result->width, result->height, 4, error);
  return host->drop || host->image ? &host->sink : NULL;
}

static void
host_clear (Host *host)
{
  sumi_image_unref (host->image);
  g_free (host->recipe);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Host, host_clear)

/* @options: "key=value" lines */
static gboolean
run_sources (const char *key,
             SumiSource *photo,
             SumiSource *mask,
             SumiSource *hints,
             const char *options,
             SumiJob *job,
             Host *host,
             GError **error)
{
  const SumiTaskClass *task = sumi_task_find (key);
  const SumiTaskInput input = { photo, mask, hints };
  gpointer values = sumi_task_new_options (task);
  g_auto (GStrv) lines = g_strsplit (options, " ", -1);
  SumiRun run = { .input = &input, .options = values, .job = job, .open = host_open, .user_data = host };
  GError *problem = NULL;
  gboolean ok;

  for (int i = 0; lines[i] && *lines[i]; i++)
    {
      g_auto (GStrv) pair = g_strsplit (lines[i], "=", 2);

      sumi_option_set_text (sumi_option_find (task->options, pair[0]), values, pair[1], &problem);
      g_assert_no_error (problem);
    }
  ok = sumi_task_run (task, &run, error);
  sumi_task_free_options (task, values);
  return ok;
}

/* Runs on pictures. Returns: the result. */
static SumiImage *
run_task (const char *key, SumiImage *photo, SumiImage *mask, SumiImage *hints, gboolean grey, const char *options)
{
  g_autoptr (SumiSource) source = sumi_source_new_image (photo);
  g_autoptr (SumiSource) mask_source = mask ? sumi_source_new_image (mask) : NULL;
  g_autoptr (SumiSource) hints_source = hints ? sumi_source_new_image (hints) : NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Host) host = { 0 };

  source->is_grey = grey;
  run_sources (key, source, mask_source, hints_source, options, NULL, &host, &error);
  g_assert_no_error (error);
  g_assert_cmpint (host.rows, ==, host.sink.height);
  g_assert_nonnull (strstr (host.recipe, key));
  if (! strstr (options, "denoise"))
    g_assert_nonnull (host.recipe);
  return g_steal_pointer (&host.image);
}

/* ---- pictures ---------------------------------------------------------- */

static SumiImage *
new_image (int width, int height, int channels)
{
  g_autoptr (GError) error = NULL;
  SumiImage *image = sumi_image_new (width, height, channels, &error);

  g_assert_no_error (error);
  return image;
}

static SumiImage *
scene (int width, int height, gboolean grey)
{
  SumiImage *image = new_image (width, height, 3);

  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      for (int c = 0; c < 3; c++)
        {
          const int k = grey ? 0 : c;
          const gboolean inside = hypot (x - width * 0.4, y - height * 0.5) < 0.3 * MIN (width, height);
          const double grain = (double) (sumi_random_hash (7, (guint64) (x * 7919 + y), (guint64) k) >> 40) / (1 << 24);

          sumi_image_at (image, x, y)[c] =
              (float) (0.4 + 0.2 * sin (x * 0.3 + k) * cos (y * 0.2) + (0.3 - 0.1 * k) * inside + 0.1 * (grain - 0.5));
        }
  return image;
}

static double
max_difference (const SumiImage *a, const SumiImage *b, int channels)
{
  double most = 0;

  g_assert_cmpint (a->width, ==, b->width);
  g_assert_cmpint (a->height, ==, b->height);
  for (int y = 0; y < a->height; y++)
    for (int x = 0; x < a->width; x++)
      for (int c = 0; c < channels; c++)
        {
          const double d = fabs ((double) (sumi_image_at (a, x, y)[c] - sumi_image_at (b, x, y)[c]));

          g_assert_false (isnan (d));
          most = MAX (most, d);
        }
  return most;
}

static SumiImage *
shrink (const SumiImage *big, int factor)
{
  SumiImage *out = new_image (big->width / factor, big->height / factor, big->channels);

  for (int y = 0; y < big->height; y++)
    for (int x = 0; x < big->width; x++)
      for (int c = 0; c < big->channels; c++)
        sumi_image_at (out, x / factor, y / factor)[c] += sumi_image_at (big, x, y)[c] / (float) (factor * factor);
  return out;
}

static double
luminance (const float *p)
{
  return 0.299 * (double) p[0] + 0.587 * (double) p[1] + 0.114 * (double) p[2];
}

static gboolean
is_grey (const SumiImage *image)
{
  for (gsize i = 0, n = (gsize) image->width * (gsize) image->height; i < n; i++)
    if (image->data[4 * i] != image->data[4 * i + 1] || image->data[4 * i] != image->data[4 * i + 2])
      return FALSE;
  return TRUE;
}

/* ---- upscale ----------------------------------------------------------- */

static void
test_upscale_sizes (void)
{
  const struct
  {
    int width, height;
    const char *options;
    int factor;
  } cases[] = {
    { 1, 1, "factor=8", 8 },
    { 1, 1, "factor=2", 2 },
    { 7, 3, "factor=3", 3 },
    { 31, 17, "factor=2", 2 },
    { 23, 40, "factor=4", 4 },
    { 9, 11, "factor=8", 8 },
    { 5, 60, "factor=2 detail=0.5 steps=2", 2 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (SumiImage) photo = scene (cases[i].width, cases[i].height, FALSE);
      g_autoptr (SumiImage) big = run_task ("upscale", photo, NULL, NULL, FALSE, cases[i].options), back = NULL;

      g_assert_cmpint (big->width, ==, cases[i].width * cases[i].factor);
      back = shrink (big, cases[i].factor);
      g_assert_cmpfloat (max_difference (back, photo, 3), <, 1e-4);
      for (gsize p = 3; p < (gsize) big->width * (gsize) big->height * 4; p += 4)
        g_assert_cmpfloat (big->data[p], ==, 1);
    }
}

/* Nearer to the truth than bicubic, on edges that were seen larger. */
static void
test_upscale_sharpens (void)
{
  const SumiRect all = { 0, 0, 96, 96 }, where = sumi_enlarge_needs (&all, 2, SUMI_BICUBIC_MARGIN);
  g_autoptr (SumiImage) truth = new_image (96, 96, 3), photo = NULL, big = NULL, piece = NULL, bicubic = NULL;
  g_autoptr (SumiSource) source = NULL;
  double error = 0, plain = 0;

  for (int y = 0; y < 96; y++)
    for (int x = 0; x < 96; x++)
      for (int c = 0; c < 3; c++)
        sumi_image_at (truth, x, y)[c] = (x * 5 + y * 3) / 96 % 2 ? 0.75f : 0.3f;
  photo = shrink (truth, 2);
  source = sumi_source_new_image (photo);
  piece = sumi_source_read (source, &where, TRUE, NULL);
  bicubic = sumi_enlarge_bicubic (NULL, piece, &where, 2, &all, NULL);
  big = run_task ("upscale", photo, NULL, NULL, FALSE, "factor=2");
  for (int y = 8; y < 88; y++)
    for (int x = 8; x < 88; x++)
      {
        const double t = *sumi_image_at (truth, x, y);

        error += pow (*sumi_image_at (big, x, y) - t, 2);
        plain += pow (*sumi_image_at (bicubic, x, y) - t, 2);
      }
  g_test_message ("%.2f dB over bicubic", 10 * log10 (plain / error));
  g_assert_cmpfloat (error, <, 0.8 * plain);
}

static void
test_upscale_tiles (void)
{
  g_autoptr (SumiImage) photo = scene (150, 130, FALSE);
  g_autoptr (SumiImage) large = run_task ("upscale", photo, NULL, NULL, FALSE, "factor=2 memory=2G"), small = NULL,
                        back = NULL;

  small = run_task ("upscale", photo, NULL, NULL, FALSE, "factor=2 memory=" SMALL_MEMORY);
  const double d = max_difference (large, small, 4);
  g_test_message ("tiles change the picture by %.5f of 1/255", d * 255);
  g_assert_cmpfloat (d, <, 1.0 / 255);
  back = shrink (small, 2);
  g_assert_cmpfloat (max_difference (back, photo, 3), <, 1e-4);
}

static void
test_upscale_alpha (void)
{
  g_autoptr (SumiImage) colours = scene (40, 32, FALSE), photo = new_image (40, 32, 4), big = NULL;

  /* bright colours, black hidden under alpha 0, half-transparent border */
  for (int y = 0; y < 32; y++)
    for (int x = 0; x < 40; x++)
      {
        float *p = sumi_image_at (photo, x, y);
        const float *c = sumi_image_at (colours, x, y);

        p[3] = x < 20 ? 1 : x == 20 ? 0.5f : 0;
        for (int k = 0; k < 3; k++)
          p[k] = x <= 20 ? 0.6f + 0.2f * c[k] : 0;
      }
  big = run_task ("upscale", photo, NULL, NULL, FALSE, "factor=3");
  for (int y = 0; y < 96; y++)
    for (int x = 0; x < 120; x++)
      {
        const float *p = sumi_image_at (big, x, y);

        g_assert_true (p[3] >= 0 && p[3] <= 1);
        if (x < 54)
          g_assert_cmpfloat_with_epsilon (p[3], 1, 0.05);
        if (x >= 69)
          g_assert_cmpfloat_with_epsilon (p[3], 0, 0.05);
        for (int k = 0; k < 3 && p[3] > 0; k++)
          g_assert_cmpfloat (p[k], >, 0.5f); /* no dark fringe */
      }
}

static void
test_upscale_grey (void)
{
  g_autoptr (SumiImage) photo = scene (30, 20, TRUE);
  g_autoptr (SumiImage) told = run_task ("upscale", photo, NULL, NULL, TRUE, "factor=2");
  g_autoptr (SumiImage) seen = run_task ("upscale", photo, NULL, NULL, FALSE, "factor=2");

  g_assert_true (is_grey (told));
  g_assert_true (is_grey (seen));
}

static void
test_upscale_beyond (void)
{
  /* float layers: highlights and negative values come out as they are */
  g_autoptr (SumiImage) photo = scene (24, 24, FALSE), big = NULL, back = NULL;

  for (int y = 4; y < 12; y++)
    for (int x = 4; x < 12; x++)
      for (int c = 0; c < 3; c++)
        sumi_image_at (photo, x, y)[c] = 6.5f - (float) c;
  *sumi_image_at (photo, 20, 20) = -0.5f;
  big = run_task ("upscale", photo, NULL, NULL, FALSE, "factor=2");
  back = shrink (big, 2);
  g_assert_cmpfloat (max_difference (back, photo, 3), <, 1e-4);
  g_assert_cmpfloat_with_epsilon (*sumi_image_at (big, 16, 16), 6.5, 0.2);
  for (gsize i = 0; i < (gsize) 48 * 48 * 4; i++)
    g_assert_true (big->data[i] <= 6.6f && big->data[i] >= -0.6f);
}

static void
test_threads (void)
{
  g_autoptr (SumiImage) photo = scene (37, 29, FALSE);
  static const char *const tasks[] = { "upscale", "colorize", "restore" };
  static const char *const options[] = { "factor=2 detail=0.3 steps=2 seed=5", "steps=2 seed=5",
                                         "factor=2 denoise=0.5 colorize=yes" };

  for (gsize i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      g_autofree char *one_thread = g_strconcat (options[i], " threads=1", NULL);
      g_autofree char *three = g_strconcat (options[i], " threads=3", NULL);
      g_autoptr (SumiImage) one = run_task (tasks[i], photo, NULL, NULL, FALSE, one_thread);
      g_autoptr (SumiImage) many = run_task (tasks[i], photo, NULL, NULL, FALSE, three);
      const gsize bytes = sizeof (float) * 4 * (gsize) one->width * (gsize) one->height;

      g_assert_cmpmem (one->data, bytes, many->data, bytes);
    }
}

/* Pixels made on the fly: what is held must not grow with the picture. */
typedef struct
{
  SumiSource source;
  gsize largest;
} Endless;

static gboolean
endless_read (SumiSource *self, const SumiRect *rect, float *pixels, GError **error)
{
  Endless *e = (Endless *) self;

  e->largest = MAX (e->largest, (gsize) rect->width * (gsize) rect->height);
  for (int y = 0; y < rect->height; y++)
    for (int x = 0; x < rect->width; x++, pixels += 4)
      {
        pixels[0] = pixels[1] = (float) (0.5 + 0.4 * sin ((rect->x + x) * 0.02) * sin ((rect->y + y) * 0.03));
        pixels[2] = 0.3f;
        pixels[3] = 1;
      }
  return TRUE;
}

static void
test_colorize_streams (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (Host) host = { .drop = TRUE };
  g_auto (Host) first = { .drop = TRUE };
  Endless endless = { .source = { .width = 2000, .height = 1200, .channels = 4, .read = endless_read } };
  struct rusage before, after;

  /* what a picture of any size takes: weights, a tile's values */
  run_sources ("colorize", &endless.source, NULL, NULL, "", NULL, &first, &error);
  g_assert_no_error (error);
  getrusage (RUSAGE_SELF, &before);
  endless.source.height = 3600;
  run_sources ("colorize", &endless.source, NULL, NULL, "", NULL, &host, &error);
  g_assert_no_error (error);
  g_assert_cmpint (host.rows, ==, 3600);
  g_assert_cmpuint (endless.largest, <, 2 << 20);
  getrusage (RUSAGE_SELF, &after);
  g_test_message ("peak %ld kB, before %ld kB", after.ru_maxrss, before.ru_maxrss);
#ifndef __SANITIZE_ADDRESS__                                      /* which keeps what is freed */
  g_assert_cmpint (after.ru_maxrss - before.ru_maxrss, <, 20000); /* of 77 MB of pixels more */
#endif
}

static void
test_upscale_streams (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (Host) host = { .drop = TRUE };
  Endless endless = { .source = { .width = 400, .height = 24, .channels = 4, .read = endless_read } };
  struct rusage before, after;

  getrusage (RUSAGE_SELF, &before);
  run_sources ("upscale", &endless.source, NULL, NULL, "factor=4 memory=" SMALL_MEMORY, NULL, &host, &error);
  g_assert_no_error (error);
  getrusage (RUSAGE_SELF, &after);
  g_test_message ("peak %ld kB, before %ld kB", after.ru_maxrss, before.ru_maxrss);
  g_assert_cmpint (host.rows, ==, 96);
  g_assert_cmpuint (endless.largest, <, 60000);
#ifndef __SANITIZE_ADDRESS__
  g_assert_cmpint (after.ru_maxrss - before.ru_maxrss, <, 130000); /* 80 MB are the weights, transformed */
#endif
}

/* Networks that multiply in bf16 give the same picture as in f32: measured 70 dB and more between them. Where the
 * processor has no such products, both are the same. */
static void
test_precision (void)
{
  static const char *const runs[][2] = {
    { "upscale", "factor=2" },
    { "upscale", "factor=4 detail=0.7 seed=3" },
    { "colorize", "" },
    { "restore", "denoise=0.3 colorize=yes factor=2" },
  };
  g_autoptr (SumiImage) photo = scene (96, 80, TRUE), mask = new_image (96, 80, 1);

  for (int y = 20; y < 40; y++)
    *sumi_image_at (mask, 30, y) = 1;
  for (int i = 0; i < (int) G_N_ELEMENTS (runs); i++)
    {
      g_autofree char *f32 = g_strdup_printf ("precision=f32 %s", runs[i][1]);
      g_autofree char *own = g_strdup_printf ("precision=auto %s", runs[i][1]);
      SumiImage *where = strcmp (runs[i][0], "restore") ? NULL : mask;
      g_autoptr (SumiImage) want = run_task (runs[i][0], photo, where, NULL, TRUE, g_strstrip (f32));
      g_autoptr (SumiImage) got = run_task (runs[i][0], photo, where, NULL, TRUE, g_strstrip (own));
      const gsize n = (gsize) want->width * (gsize) want->height * (gsize) want->channels;
      double square = 0;

      for (gsize k = 0; k < n; k++)
        square += pow (want->data[k] - got->data[k], 2);
      g_test_message ("%s %s: %.1f dB", runs[i][0], runs[i][1], -10 * log10 (square / (double) n + 1e-30));
      g_assert_cmpfloat (square / (double) n, <, 1e-6); /* 60 dB */
    }
}

/* ---- cancel, errors ---------------------------------------------------- */

static void
progress_and_cancel (SumiJob *job, double fraction, const char *phase)
{
  double *last = job->user_data;

  g_assert_cmpfloat (fraction, >=, *last);
  g_assert_cmpfloat (fraction, <=, 1);
  *last = fraction;
  if (fraction > 0.01 && fraction < 1)
    g_cancellable_cancel (job->cancellable);
}

static void
test_cancel (void)
{
  static const char *const tasks[] = { "upscale", "colorize", "restore" };
  static const char *const options[] = { "factor=4 memory=" SMALL_MEMORY, "", "denoise=0.4 colorize=yes factor=2" };
  g_autoptr (SumiImage) photo = scene (120, 100, FALSE);
  g_autoptr (SumiSource) source = sumi_source_new_image (photo);

  for (gsize i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      g_auto (Host) host = { 0 };
      double last = 0;
      SumiJob job = { .cancellable = cancellable, .progress = progress_and_cancel, .user_data = &last };

      g_assert_false (run_sources (tasks[i], source, NULL, NULL, options[i], &job, &host, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
}

static void
test_errors (void)
{
  g_autoptr (SumiImage) photo = scene (20, 20, FALSE), mask = new_image (20, 20, 1), hints = new_image (20, 20, 4);
  g_autoptr (SumiSource) source = sumi_source_new_image (photo), mask_source = sumi_source_new_image (mask);
  g_autoptr (SumiSource) hints_source = sumi_source_new_image (hints);
  const struct
  {
    const char *task, *options;
    int mask, hints;
    int code;
    const char *says;
  } cases[] = {
    { "restore", "", FALSE, FALSE, SUMI_ERROR_OPTION, "nothing to restore" },
    { "restore", "", TRUE, FALSE, SUMI_ERROR_INPUT, "selected" },
    { "restore", "factor=2", FALSE, TRUE, SUMI_ERROR_OPTION, "colorize" },
    { "colorize", "", FALSE, 2, SUMI_ERROR_INPUT, "transparen" },
    { "upscale", "model=patches", FALSE, FALSE, SUMI_ERROR_UNSUPPORTED, "cannot enlarge" },
    { "colorize", "model=patches", FALSE, FALSE, SUMI_ERROR_UNSUPPORTED, "cannot colour" },
    { "restore", "denoise=1 model=patches", FALSE, FALSE, SUMI_ERROR_UNSUPPORTED, "cannot enlarge" },
    { "upscale", "memory=1M", FALSE, FALSE, SUMI_ERROR_MEMORY, "memory" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_auto (Host) host = { 0 };

      g_assert_false (run_sources (cases[i].task, source, cases[i].mask ? mask_source : NULL,
                                   cases[i].hints == 2 ? source :
                                   cases[i].hints      ? hints_source :
                                                         NULL,
                                   cases[i].options, NULL, &host, &error));
      g_assert_error (error, SUMI_ERROR, cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].says));
      g_assert_cmpint (host.rows, ==, 0);
    }
}

/* ---- colorize ---------------------------------------------------------- */

static void
check_luminance (const SumiImage *photo, const SumiImage *result)
{
  for (gsize i = 0, n = (gsize) photo->width * (gsize) photo->height; i < n; i++)
    {
      const float *in = photo->data + 3 * i, *out = result->data + 4 * i;
      float rounded[3];

      g_assert_cmpfloat_with_epsilon (luminance (in), luminance (out), 1e-6);
      for (int c = 0; c < 3; c++)
        {
          g_assert_true (out[c] > -1e-6f && out[c] < 1 + 1e-6f);
          rounded[c] = roundf (255 * CLAMP (out[c], 0, 1)) / 255;
        }
      g_assert_cmpfloat (fabs (luminance (in) - luminance (rounded)), <=, 0.5 / 255 + 1e-6);
    }
}

static void
test_colorize (void)
{
  g_autoptr (SumiImage) photo = scene (70, 45, TRUE), colour = scene (70, 45, FALSE), one = new_image (1, 1, 3);
  g_autoptr (SumiImage) result = run_task ("colorize", photo, NULL, NULL, TRUE, "saturation=1.5");
  g_autoptr (SumiImage) other = run_task ("colorize", colour, NULL, NULL, FALSE, "");
  g_autoptr (SumiImage) pixel = run_task ("colorize", one, NULL, NULL, FALSE, "");
  g_autoptr (SumiImage) grey = run_task ("colorize", photo, NULL, NULL, TRUE, "saturation=0");

  check_luminance (photo, result);
  check_luminance (colour, other);
  g_assert_false (is_grey (result));
  g_assert_true (is_grey (grey));
  g_assert_cmpint (pixel->width, ==, 1);
}

static void
test_colorize_hints (void)
{
  /* two grounds, two strokes: larger than the working size, so that all of the way is gone */
  const int w = 700, h = 300;
  g_autoptr (SumiImage) photo = new_image (w, h, 3), hints = new_image (w, h, 4), result = NULL;
  const float orange[3] = { 0.9f, 0.5f, 0.2f }, blue[3] = { 0.2f, 0.4f, 0.9f };

  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      {
        const double edge = 350 + 60 * sin (y * 0.03);
        const float v = (float) (x < edge ? 0.35 + 0.03 * sin (x * 0.02) : 0.65 + 0.03 * cos (y * 0.02));

        for (int c = 0; c < 3; c++)
          sumi_image_at (photo, x, y)[c] = v;
      }
  for (int i = 0; i < 60; i++)
    for (int j = 0; j < 4; j++)
      {
        float *a = sumi_image_at (hints, 80 + i, 100 + j), *b = sumi_image_at (hints, 550 + i, 180 + j);

        memcpy (a, orange, sizeof orange), memcpy (b, blue, sizeof blue);
        a[3] = b[3] = 1;
      }
  result = run_task ("colorize", photo, NULL, hints, TRUE, "");
  check_luminance (photo, result);
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      {
        const double edge = 350 + 60 * sin (y * 0.03);
        const float *p = sumi_image_at (result, x, y);
        const double red = (double) p[0] - luminance (p), bluish = (double) p[2] - luminance (p);

        if (x < edge - 1)
          g_assert_true (red > 0.15 && bluish < -0.15);
        if (x > edge + 2)
          g_assert_true (red < -0.1 && bluish > 0.15);
      }
}

/* ---- restore ----------------------------------------------------------- */

static void
test_restore_subsets (void)
{
  g_autoptr (SumiImage) photo = scene (72, 64, TRUE), mask = new_image (72, 64, 1);

  for (int y = 10; y < 50; y++)
    for (int x = 34; x < 37; x++)
      {
        *sumi_image_at (mask, x, y) = 1;
        for (int c = 0; c < 3; c++)
          sumi_image_at (photo, x, y)[c] = 1;
      }
  for (int subset = 1; subset < 16; subset++)
    {
      const gboolean fill = subset & 1, colour = subset & 2, clean = subset & 4, enlarge = subset & 8;
      g_autofree char *options = g_strdup_printf ("%s%s%s", colour ? "colorize=yes " : "", clean ? "denoise=0.3 " : "",
                                                  enlarge ? "factor=2 " : "");
      g_autoptr (SumiImage) result = run_task ("restore", photo, fill ? mask : NULL, NULL, TRUE, g_strstrip (options));
      const int f = enlarge ? 2 : 1;

      g_assert_cmpint (result->width, ==, 72 * f);
      g_assert_cmpint (is_grey (result), ==, ! colour);
      if (fill) /* the white scratch is gone */
        g_assert_cmpfloat (*sumi_image_at (result, 35 * f, 30 * f), <, 0.9f);
      else
        g_assert_cmpfloat (luminance (sumi_image_at (result, 35 * f, 30 * f)), >, 0.9);
      if (fill && subset == 1) /* what is not masked is untouched */
        for (int y = 0; y < 64; y++)
          for (int x = 0; x < 72; x++)
            if (*sumi_image_at (mask, x, y) == 0)
              g_assert_cmpfloat (*sumi_image_at (result, x, y), ==, *sumi_image_at (photo, x, y));
    }
}

/* Filling alone tells the host what is not to be touched, in whatever numbers it keeps it. */
static void
test_restore_coverage (void)
{
  g_autoptr (SumiImage) photo = scene (72, 64, TRUE), mask = new_image (72, 64, 1);
  g_autoptr (SumiSource) source = sumi_source_new_image (photo), where = sumi_source_new_image (mask);

  *sumi_image_at (mask, 30, 30) = 1;
  *sumi_image_at (mask, 31, 30) = 0.25f;
  for (int colorize = 0; colorize < 2; colorize++)
    {
      g_auto (Host) host = { .drop = TRUE };

      run_sources ("restore", source, where, NULL, colorize ? "colorize=yes" : "", NULL, &host, NULL);
      g_assert_cmpint (host.result.has_coverage, ==, ! colorize);
      g_assert_cmpint (host.covered, ==, colorize ? 0 : 2);
    }
}

static void
test_restore_cleans (void)
{
  g_autoptr (SumiImage) clean = new_image (80, 80, 3), noisy = new_image (80, 80, 3), result = NULL;
  double before = 0, after = 0;

  for (int y = 0; y < 80; y++)
    for (int x = 0; x < 80; x++)
      for (guint32 c = 0; c < 3; c++)
        {
          float z[2];

          sumi_random_normal (1, 0, x, y, c, z);
          sumi_image_at (clean, x, y)[c] = (float) (0.5 + 0.2 * sin (0.1 * x + c) + (x + y > 80 ? 0.2 : -0.1));
          sumi_image_at (noisy, x, y)[c] = sumi_image_at (clean, x, y)[c] + 0.06f * z[0];
        }
  result = run_task ("restore", noisy, NULL, NULL, FALSE, "denoise=0.5");
  for (int i = 0; i < 80 * 80; i++)
    for (int c = 0; c < 3; c++)
      {
        before += pow ((double) (noisy->data[3 * i + c] - clean->data[3 * i + c]), 2);
        after += pow ((double) (result->data[4 * i + c] - clean->data[3 * i + c]), 2);
      }
  g_test_message ("squared error falls to %.3f", after / before);
  g_assert_cmpfloat (after, <, before / 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sumi_models_add_folder (MODELS);
  /* first: a peak shows only when nothing was higher before */
  g_test_add_func ("/streams/upscale", test_upscale_streams);
  g_test_add_func ("/streams/colorize", test_colorize_streams);
  g_test_add_func ("/tasks/upscale/sizes", test_upscale_sizes);
  g_test_add_func ("/tasks/upscale/sharpens", test_upscale_sharpens);
  g_test_add_func ("/tasks/upscale/tiles", test_upscale_tiles);
  g_test_add_func ("/tasks/upscale/alpha", test_upscale_alpha);
  g_test_add_func ("/tasks/upscale/grey", test_upscale_grey);
  g_test_add_func ("/tasks/upscale/beyond", test_upscale_beyond);
  g_test_add_func ("/tasks/colorize/luminance", test_colorize);
  g_test_add_func ("/tasks/colorize/hints", test_colorize_hints);
  g_test_add_func ("/tasks/restore/subsets", test_restore_subsets);
  g_test_add_func ("/tasks/restore/coverage", test_restore_coverage);
  g_test_add_func ("/tasks/restore/cleans", test_restore_cleans);
  g_test_add_func ("/tasks/precision", test_precision);
  g_test_add_func ("/tasks/threads", test_threads);
  g_test_add_func ("/tasks/cancel", test_cancel);
  g_test_add_func ("/tasks/errors", test_errors);
  return g_test_run ();
}
