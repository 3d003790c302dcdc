/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quality over steps: what a sampler makes of known photos in so many steps, one tab-separated row each:
 * job, sampler, schedule, steps, photo, denoiser calls, PSNR, SWD. Not a test: tests/quality/run shows the table.
 *
 *   quality JOB SAMPLERS SCHEDULE STEPS SEED PHOTO.ppm [MASK.pgm]
 *
 * JOB: colour (luminance given), upscale (a quarter of the size given) or fill (MASK's white pixels missing; as fill).
 * SAMPLERS: keys with commas, "all", or "mean" for the one-call mean. STEPS: numbers with commas.
 *
 * PSNR is over the pixels that were not given; SWD is the sliced Wasserstein distance of 7×7 patches of colour at three
 * scales, 0 to 255, lower is better: PSNR rewards the mean, SWD what looks like a photo. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sumi.h"
#include "core/task/resample.h"

#define SIDE       7
#define DIRECTIONS 48
#define MOST       4000
#define FACTOR     4

/* ---- pictures ------------------------------------------------------------ */

/* Reads a binary PPM or PGM of 8 bits. */
static SumiImage *
read_pnm (const char *path)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  int width, height, most, at = 0;
  char kind;
  SumiImage *image;

  if (! g_file_get_contents (path, &text, &size, NULL) ||
      sscanf (text, "P%c %d %d %d%n", &kind, &width, &height, &most, &at) != 4 || (kind != '5' && kind != '6') ||
      most != 255)
    g_error ("%s is not a binary PGM or PPM of 8 bits", path);
  at++;
  image = sumi_image_new (width, height, kind == '6' ? 3 : 1, NULL);
  if (size - (gsize) at < (gsize) width * (gsize) height * (gsize) image->channels)
    g_error ("%s is cut off", path);
  for (gsize i = 0; i < (gsize) width * (gsize) height * (gsize) image->channels; i++)
    image->data[i] = (float) (guint8) text[(gsize) at + i] / 255;
  return image;
}

static SumiImage *
full_map (const SumiImage *like)
{
  SumiImage *map = sumi_image_new (like->width, like->height, 1, NULL);

  for (gsize i = 0; i < (gsize) like->width * (gsize) like->height; i++)
    map->data[i] = 1;
  return map;
}

/* ---- measures ------------------------------------------------------------ */

static double
psnr (const SumiImage *a, const SumiImage *b, const SumiImage *map)
{
  double sum = 0, n = 0;

  for (int y = 0; y < a->height; y++)
    for (int x = 0; x < a->width; x++)
      for (int c = 0; c < 3 && *sumi_image_at (map, x, y) > 0; c++, n++)
        {
          const double p = CLAMP (sumi_image_at (a, x, y)[c], 0, 1) - sumi_image_at (b, x, y)[c];

          sum += p * p;
        }
  return -10 * log10 (MAX (sum / MAX (n, 1), 1e-12));
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const float x = *(const float *) a, y = *(const float *) b;

  return x < y ? -1 : x > y;
}

/* Projections of the patches around @n @pixels on the direction of @seed, sorted. */
static void
project (const SumiImage *image, const int *pixels, int n, guint64 seed, float *out)
{
  float d[SIDE * SIDE * 3];
  double norm = 0;

  for (int i = 0; i < SIDE * SIDE * 3; i++)
    {
      float pair[2];

      sumi_random_normal (seed, 0, i, 0, 0, pair);
      d[i] = pair[0];
      norm += pair[0] * pair[0];
    }
  for (int i = 0; i < n; i++)
    {
      const int x = pixels[i] % image->width, y = pixels[i] / image->width;
      double sum = 0;

      for (int j = 0, k = 0; j < SIDE; j++)
        for (int l = 0; l < SIDE; l++)
          for (int c = 0; c < 3; c++)
            sum += d[k++] * CLAMP (sumi_image_at (image, x + l - SIDE / 2, y + j - SIDE / 2)[c], 0, 1);
      out[i] = (float) (255 * sum / sqrt (norm));
    }
  qsort (out, (gsize) n, sizeof *out, compare);
}

/* At one scale; < 0 where there are too few patches. */
static double
swd_once (const SumiImage *a, const SumiImage *b, const SumiImage *map)
{
  g_autoptr (GArray) pixels = g_array_new (FALSE, FALSE, sizeof (int));
  g_autofree float *p = NULL, *q = NULL;
  double sum = 0;
  int n;

  for (int y = SIDE / 2; y < a->height - SIDE / 2; y++)
    for (int x = SIDE / 2; x < a->width - SIDE / 2; x++)
      if (*sumi_image_at (map, x, y) > 0.5f)
        g_array_append_val (pixels, ((int){ y * a->width + x }));
  if (pixels->len < 50)
    return -1;
  n = (int) MIN (pixels->len, MOST);
  for (int i = 0; i < n; i++) /* an even choice */
    g_array_index (pixels, int, i) = g_array_index (pixels, int, (gsize) i * pixels->len / (gsize) n);
  p = g_new (float, n);
  q = g_new (float, n);
  for (int d = 0; d < DIRECTIONS; d++)
    {
      project (a, (const int *) (gpointer) pixels->data, n, (guint64) d, p);
      project (b, (const int *) (gpointer) pixels->data, n, (guint64) d, q);
      for (int i = 0; i < n; i++)
        sum += fabs ((double) p[i] - q[i]);
    }
  return sum / ((double) n * DIRECTIONS);
}

static double
swd (const SumiImage *a, const SumiImage *b, const SumiImage *map)
{
  g_autoptr (SumiImage) x = sumi_image_dup (a, NULL);
  g_autoptr (SumiImage) y = sumi_image_dup (b, NULL);
  g_autoptr (SumiImage) m = sumi_image_dup (map, NULL);
  double sum = 0;
  int n = 0;

  for (; n < 3; n++)
    {
      const double one = swd_once (x, y, m);
      SumiImage *half[3];
      const SumiRect even = { 0, 0, x->width / 2 * 2, x->height / 2 * 2 };
      SumiImage *const full[] = { x, y, m };

      if (one < 0)
        break;
      sum += one;
      for (int i = 0; i < 3; i++)
        {
          g_autoptr (SumiImage) crop = sumi_image_crop (full[i], &even, NULL);

          half[i] = sumi_shrink_box (NULL, crop, 2, NULL);
          sumi_image_unref (full[i]);
        }
      x = half[0];
      y = half[1];
      m = half[2];
    }
  return sum / MAX (n, 1);
}

/* ---- jobs ---------------------------------------------------------------- */

typedef struct
{
  const char *job, *model;
  SumiEvidence evidence;
  SumiImage *truth, *map; /* map: what is measured */
} Case;

static void
read_case (Case *c, const char *photo, const char *mask)
{
  *c = (Case){ .job = c->job, .model = "sumi-restore", .truth = read_pnm (photo) };
  c->map = full_map (c->truth);
  c->evidence = (SumiEvidence){ .factor = 1, .guide_factor = 1 };
  if (! strcmp (c->job, "colour"))
    {
      c->evidence.grey = c->map;
      c->evidence.picture = sumi_image_dup (c->truth, NULL);
      for (gsize i = 0; i < (gsize) c->truth->width * (gsize) c->truth->height; i++)
        {
          float *p = c->evidence.picture->data + 3 * i;

          p[0] = p[1] = p[2] = 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2];
        }
    }
  else if (! strcmp (c->job, "upscale"))
    {
      g_autoptr (SumiImage) small = sumi_shrink_box (NULL, c->truth, FACTOR, NULL);
      const SumiRect out = { 0, 0, c->truth->width, c->truth->height };
      const SumiRect where = sumi_enlarge_needs (&out, FACTOR, SUMI_BICUBIC_MARGIN);
      g_autoptr (SumiImage) padded = sumi_image_new (where.width, where.height, 3, NULL);

      for (int y = 0; y < where.height; y++)
        for (int x = 0; x < where.width; x++)
          memcpy (sumi_image_at (padded, x, y),
                  sumi_image_at (small, CLAMP (where.x + x, 0, small->width - 1),
                                 CLAMP (where.y + y, 0, small->height - 1)),
                  3 * sizeof (float));

      c->evidence.coarse = TRUE;
      c->evidence.factor = FACTOR;
      c->evidence.picture = sumi_enlarge_bicubic (NULL, padded, &where, FACTOR, &out, NULL);
    }
  else
    {
      c->model = "patches";
      c->map = c->evidence.missing = read_pnm (mask);
      c->evidence.picture = sumi_image_dup (c->truth, NULL);
      for (gsize i = 0; i < (gsize) c->truth->width * (gsize) c->truth->height; i++)
        if (c->map->data[i] > 0)
          memset (c->evidence.picture->data + 3 * i, 0, 3 * sizeof (float));
    }
}

static void
measure (const Case *c, SumiModel *model, SumiEval *ev, const SumiPredict *how, const char *photo)
{
  g_autoptr (GError) error = NULL;
  const guint64 before = ev->n_denoise;
  g_autoptr (SumiImage) out = sumi_model_predict (model, ev, &c->evidence, how, NULL, &error);
  g_autofree char *name = g_path_get_basename (photo);

  if (! out)
    {
      fprintf (stderr, "%s %s %d steps, %s: %s\n", c->job, how->names.sampler, how->steps, name, error->message);
      g_clear_error (&ev->error);
      return;
    }
  printf ("%s\t%s\t%s\t%d\t%s\t%d\t%.3f\t%.3f\n", c->job, how->mean ? "mean" : how->names.sampler, how->names.schedule,
          how->steps, name, (int) (ev->n_denoise - before), psnr (out, c->truth, c->map), swd (out, c->truth, c->map));
  fflush (stdout);
}

int
main (int argc, char **argv)
{
  g_autoptr (SumiPool) pool = sumi_pool_new (0);
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), pool);
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiModel) model = NULL;
  g_auto (GStrv) samplers = NULL, steps = NULL;
  Case c = { .job = argc > 6 ? argv[1] : "" };

  if (argc < 7 || (! strcmp (c.job, "fill") && argc < 8))
    g_error ("usage: quality JOB SAMPLERS SCHEDULE STEPS SEED PHOTO.ppm [MASK.pgm]");
  read_case (&c, argv[6], argv[7]);
  model = sumi_model_load (c.model, &error);
  if (! model)
    g_error ("%s", error->message);
  samplers = g_strsplit (argv[2], ",", -1);
  steps = g_strsplit (argv[4], ",", -1);
  if (! strcmp (argv[2], "all"))
    {
      g_autoptr (GString) all = g_string_new (NULL);

      for (const SumiSamplerClass *const *s = sumi_samplers (); *s; s++)
        g_string_append_printf (all, "%s%s", all->len ? "," : "", (*s)->key);
      g_strfreev (samplers);
      samplers = g_strsplit (all->str, ",", -1);
    }
  for (char **s = samplers; *s; s++)
    for (char **n = steps; *n; n++)
      {
        SumiPredict how = {
          .mean = ! strcmp (*s, "mean"),
          .seed = g_ascii_strtoull (argv[5], NULL, 10),
          .steps = atoi (*n),
          .churn = -1,
        };

        how.names = (SumiPlanNames){ .sampler = how.mean ? NULL : *s, .schedule = argv[3] };
        measure (&c, model, ev, &how, argv[6]);
        if (how.mean)
          break;
      }
  return 0;
}
