/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/gimp/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static FILE *report;
static int n_checks, n_failed;

/* ---- report -------------------------------------------------------------- */

void
check (gboolean ok, const char *format, ...)
{
  va_list args;

  n_checks++;
  n_failed += ! ok;
  fputs (ok ? "ok - " : "not ok - ", report);
  va_start (args, format);
  vfprintf (report, format, args);
  va_end (args);
  fputc ('\n', report);
  fflush (report);
}

void
say (const char *line)
{
  fprintf (report, "%s\n", line);
  fflush (report);
}

void
check_equal (int got, int wanted, const char *what)
{
  check (got == wanted, "%s: %d, wanted %d", what, got, wanted);
}

int
cases_run (const char *group)
{
  static const struct
  {
    const char *name;
    void (*run) (void);
  } groups[] = { { "fill", cases_fill }, { "errors", cases_errors }, { "canvas", cases_canvas },
                 { "gui", cases_gui },   { "german", cases_german }, { "kill", cases_kill } };
  const char *path = g_getenv ("SUMI_TEST_RESULT");

  report = path ? fopen (path, "w") : stderr;
  if (! report)
    return 1;
  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    if (! strcmp (group, groups[i].name))
      groups[i].run ();
  fprintf (report, "%d checks, %d failed\n%s\n", n_checks, n_failed, n_checks && ! n_failed ? "PASSED" : "FAILED");
  fclose (report);
  return n_checks ? n_failed : 1;
}

/* ---- pixels -------------------------------------------------------------- */

Pixels *
pixels_read (int drawable, const Babl *format)
{
  g_autoptr (GeglBuffer) buffer = sumi_host_get_buffer (drawable);
  Pixels *self = g_new0 (Pixels, 1);

  self->format = format ? format : gegl_buffer_get_format (buffer);
  self->width = gegl_buffer_get_width (buffer);
  self->height = gegl_buffer_get_height (buffer);
  self->bytes = babl_format_get_bytes_per_pixel (self->format);
  self->data = g_malloc0_n ((gsize) self->width * (gsize) self->height, (gsize) self->bytes);
  gegl_buffer_get (buffer, GEGL_RECTANGLE (0, 0, self->width, self->height), 1, self->format, self->data,
                   GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
  return self;
}

void
pixels_free (Pixels *self)
{
  g_free (self->data);
  g_free (self);
}

static const guint8 *
pixel (const Pixels *self, int x, int y)
{
  return self->data + ((gsize) y * (gsize) self->width + (gsize) x) * (gsize) self->bytes;
}

static gboolean
same (const guint8 *a, const guint8 *b, int bytes, double tolerance)
{
  const float *p = (const float *) (const void *) a, *q = (const float *) (const void *) b;

  if (tolerance == 0)
    return ! memcmp (a, b, (gsize) bytes);
  for (int i = 0; i < bytes / (int) sizeof (float); i++)
    if (! (fabs (p[i] - q[i]) <= tolerance))
      return FALSE;
  return TRUE;
}

gboolean
pixels_near_outside (const Pixels *a, const Pixels *b, int x0, int y0, const Pixels *mask, double tolerance)
{
  int different = 0, compared = 0;

  if (a->bytes != b->bytes)
    return FALSE;
  for (int y = MAX (0, -y0); y < MIN (a->height, b->height - y0); y++)
    for (int x = MAX (0, -x0); x < MIN (a->width, b->width - x0); x++)
      {
        if (mask && *(const float *) (const void *) pixel (mask, x + x0, y + y0) > 0)
          continue;
        compared++;
        if (same (pixel (a, x, y), pixel (b, x + x0, y + y0), a->bytes, tolerance) || different++)
          continue;
        fprintf (report, "# first difference at %d,%d:", x, y);
        for (int i = 0; i < a->bytes; i++)
          fprintf (report, " %02x/%02x", pixel (a, x, y)[i], pixel (b, x + x0, y + y0)[i]);
        fputc ('\n', report);
      }
  if (different)
    fprintf (report, "# %d of %d pixels differ (%s)\n", different, compared, babl_get_name (a->format));
  return compared > 0 && different == 0;
}

gboolean
pixels_same_outside (const Pixels *a, const Pixels *b, int x0, int y0, const Pixels *mask)
{
  return pixels_near_outside (a, b, x0, y0, mask, 0);
}

void
paint (int layer, guint seed)
{
  g_autoptr (GeglBuffer) buffer = sumi_host_get_buffer (layer);
  const int width = gegl_buffer_get_width (buffer), height = gegl_buffer_get_height (buffer);
  g_autofree float *rgba = g_new (float, 4 * (gsize) width * (gsize) height);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  float *p = rgba;

  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++, p += 4)
      {
        const double wave = 0.5 + 0.3 * sin (x * 0.11 + seed) * cos (y * 0.07);

        for (int c = 0; c < 3; c++)
          p[c] = (float) (wave * (1 - 0.15 * c) + 0.1 * g_rand_double (rand));
        p[3] = x % 17 == 0 ? 0.0f : y % 13 == 0 ? 0.5f : 1.0f;
      }
  gegl_buffer_set (buffer, GEGL_RECTANGLE (0, 0, width, height), 0, babl_format ("R'G'B'A float"), rgba,
                   GEGL_AUTO_ROWSTRIDE);
}

int
picture_new (int width, int height, int base, int precision, gboolean alpha, int *layer)
{
  const int image = driver_image_new (width, height, base, precision);

  *layer = driver_layer_new (image, SUMI_HOST_NONE, 0, 0, width, height, alpha);
  paint (*layer, 1);
  driver_clean (image);
  return image;
}

int
count_layers (int image)
{
  g_autofree int *layers = sumi_host_list_layers (image);
  int n = 0;

  while (layers[n] != SUMI_HOST_NONE)
    n++;
  return n;
}

gboolean
has_task (const char *key)
{
  const gboolean found = sumi_task_find (key) != NULL;

  if (! found)
    check (TRUE, "skipped: there is no task “%s”", key);
  return found;
}

/* ---- calls --------------------------------------------------------------- */

void
driver_result_clear (DriverResult *result)
{
  g_clear_pointer (&result->message, g_free);
  g_clear_pointer (&result->layers, g_array_unref);
}

gboolean
call (const char *task, int image, int drawable, const char *options, DriverResult *result)
{
  driver_call (task, image, &drawable, 1, DRIVER_BATCH, SUMI_HOST_NONE, options, result);
  check (result->status == DRIVER_SUCCESS, "%s runs (status %d, %s)", task, result->status,
         result->message ? result->message : "no message");
  return result->status == DRIVER_SUCCESS;
}

void
call_fails (const char *task, int image, int drawable, const char *options, int status, const char *text)
{
  const int before = count_layers (image);
  g_autoptr (Pixels) kept = NULL;
  DriverResult result;

  driver_clean (image);
  driver_call (task, image, &drawable, 1, DRIVER_BATCH, SUMI_HOST_NONE, options, &result);
  check_equal (result.status, status, task);
  check (result.message && strstr (result.message, text), "message “%s” has “%s”", result.message ? result.message : "",
         text);
  check (! driver_is_dirty (image) && count_layers (image) == before, "%s left the image alone", task);
  driver_result_clear (&result);
}
