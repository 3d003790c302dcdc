/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/cli/lib.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/wait.h>

static char *folder, *start;

/* ---- running ---------------------------------------------------------- */

void
cli_init (int *argc, char ***argv)
{
  g_setenv ("LC_ALL", "C.UTF-8", TRUE);
  g_test_init (argc, argv, NULL);
  if (vips_init ("test"))
    g_error ("%s", vips_error_buffer ());
  /* names are used again for other pictures */
  vips_cache_set_max (0);
  start = g_get_current_dir ();
  folder = g_dir_make_tmp ("sumi-cli-XXXXXX", NULL);
  g_assert_cmpint (g_chdir (folder), ==, 0);
}

/* Follows no link: a test links to /dev/null, and root could change that. */
static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (g_file_test (path, G_FILE_TEST_IS_DIR) && ! g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    {
      g_chmod (path, 0700);
      dir = g_dir_open (path, 0, NULL);
    }
  while (dir && (name = g_dir_read_name (dir)))
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  g_remove (path);
}

int
cli_run_tests (void)
{
  const int status = g_test_run ();

  g_chdir (start);
  remove_tree (folder);
  return status;
}

void
cli_run_clear (CliRun *run)
{
  g_free (run->out);
  g_free (run->err);
}

static CliRun
spawn (const char *line)
{
  g_autofree char *all = g_strdup_printf ("%s %s", g_getenv ("SUMI_EXE"), line);
  g_auto (GStrv) words = g_strsplit (all, " ", -1);
  g_autoptr (GError) error = NULL;
  CliRun run = { 0 };
  int wait_status;

  g_spawn_sync (NULL, words, NULL, G_SPAWN_DEFAULT, NULL, NULL, &run.out, &run.err, &wait_status, &error);
  g_assert_no_error (error);
  run.status = WIFEXITED (wait_status) ? WEXITSTATUS (wait_status) : -1;
  return run;
}

CliRun
cli_sumi (const char *line, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, line);
  text = g_strdup_vprintf (line, args);
  va_end (args);
  return spawn (text);
}

void
cli_sumi_ok (const char *line, ...)
{
  g_autofree char *text = NULL;
  g_auto (CliRun) run = { 0 };
  va_list args;

  va_start (args, line);
  text = g_strdup_vprintf (line, args);
  va_end (args);
  run = spawn (text);
  if (run.status || *run.err)
    g_error ("sumi %s: exit status %d, said: %s", text, run.status, run.err);
}

static int
count_lines (const char *text)
{
  int n = 0;

  for (; *text; text++)
    n += *text == '\n';
  return n;
}

void
cli_sumi_fails (int status, const char *message, const char *line, ...)
{
  g_autofree char *text = NULL, *before = cli_ls ("."), *after = NULL;
  g_auto (CliRun) run = { 0 };
  va_list args;

  va_start (args, line);
  text = g_strdup_vprintf (line, args);
  va_end (args);
  run = spawn (text);
  after = cli_ls (".");
  if (run.status != status || ! strstr (run.err, message) || ! g_str_has_prefix (run.err, "sumi: ") ||
      count_lines (run.err) > 2)
    g_error ("sumi %s: exit status %d instead of %d, and “%s” is not in one or two lines: %s", text, run.status, status,
             message, run.err);
  g_assert_cmpstr (before, ==, after);
}

gboolean
cli_has_task (const char *key)
{
  g_auto (CliRun) run = cli_sumi ("list tasks --json");
  g_autofree char *wanted = g_strdup_printf ("\"key\": \"%s\"", key);

  if (strstr (run.out, wanted))
    return TRUE;
  g_test_skip_printf ("this build has no task %s", key);
  return FALSE;
}

/* ---- pictures --------------------------------------------------------- */

static double
sample (int x, int y, int band)
{
  /* smooth enough for a model, different in every band, reaching both ends */
  return 0.5 + 0.35 * sin (x / 7.0 + band) + 0.25 * cos (y / 5.0 - band);
}

static double
alpha (int x, int y)
{
  const int cell = (x / 8 + y / 8) % 4;

  return cell == 0 ? 0 : cell == 1 ? 0.4 : 1;
}

static void
put (VipsPel *row, VipsBandFormat format, int i, double v)
{
  const double unit = CLAMP (v, 0, 1);

  if (format == VIPS_FORMAT_UCHAR)
    row[i] = (guint8) (unit * 255 + 0.5);
  else if (format == VIPS_FORMAT_USHORT)
    ((guint16 *) row)[i] = (guint16) (unit * 65535 + 0.5);
  else
    ((float *) row)[i] = (float) v;
}

VipsImage *
cli_make_photo (int width, int height, int bands, VipsBandFormat format)
{
  VipsImage *image = vips_image_new_memory ();
  const gboolean grey = bands < 3, deep = format == VIPS_FORMAT_USHORT;
  g_autofree VipsPel *row = g_malloc (sizeof (float) * (gsize) (width * bands));

  vips_image_init_fields (image, width, height, bands, format, VIPS_CODING_NONE,
                          grey                        ? (deep ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W) :
                          deep                        ? VIPS_INTERPRETATION_RGB16 :
                          format == VIPS_FORMAT_FLOAT ? VIPS_INTERPRETATION_scRGB :
                                                        VIPS_INTERPRETATION_sRGB,
                          1, 1);
  for (int y = 0; y < height; y++)
    {
      for (int x = 0; x < width; x++)
        for (int b = 0; b < bands; b++)
          put (row, format, x * bands + b, b == bands - 1 && bands % 2 == 0 ? alpha (x, y) : sample (x, y, b));
      vips_image_write_line (image, y, row);
    }
  return image;
}

VipsImage *
cli_make_mask (int width, int height)
{
  VipsImage *image = vips_image_new_memory ();
  g_autofree VipsPel *row = g_malloc ((gsize) width);

  vips_image_init_fields (image, width, height, 1, VIPS_FORMAT_UCHAR, VIPS_CODING_NONE, VIPS_INTERPRETATION_B_W, 1, 1);
  for (int y = 0; y < height; y++)
    {
      for (int x = 0; x < width; x++)
        {
          const double d = hypot (x - width / 2.0, y - height / 2.0), r = MIN (width, height) / 5.0;

          row[x] = (VipsPel) (255 * CLAMP ((r + 3 - d) / 6, 0, 1) + 0.5);
        }
      vips_image_write_line (image, y, row);
    }
  return image;
}

void
cli_save (VipsImage *image, const char *name)
{
  int failed = g_str_has_suffix (name, ".webp") ? vips_webpsave (image, name, "lossless", TRUE, NULL) :
               g_str_has_suffix (name, ".jpg")  ? vips_jpegsave (image, name, "Q", 90, NULL) :
                                                  vips_image_write_to_file (image, name, NULL);

  if (failed)
    g_error ("%s: %s", name, vips_error_buffer ());
}

VipsImage *
cli_load (const char *name)
{
  VipsImage *file = vips_image_new_from_file (name, NULL), *image = file ? vips_image_copy_memory (file) : NULL;

  if (! image)
    g_error ("%s: %s", name, vips_error_buffer ());
  g_object_unref (file);
  return image;
}

double
cli_get (VipsImage *image, int x, int y, int band)
{
  gconstpointer p = VIPS_IMAGE_ADDR (image, x, y);

  switch (image->BandFmt)
    {
    case VIPS_FORMAT_UCHAR:
      return ((const guint8 *) p)[band];
    case VIPS_FORMAT_USHORT:
      return ((const guint16 *) p)[band];
    case VIPS_FORMAT_FLOAT:
      return (double) ((const float *) p)[band];
    default:
      g_error ("a picture of format %d", image->BandFmt);
    }
}

void
cli_assert_kept (VipsImage *before, VipsImage *after, VipsImage *mask)
{
  const gsize size = VIPS_IMAGE_SIZEOF_PEL (before);
  int kept = 0, changed = 0, inside = 0;

  g_assert_cmpint (before->Xsize, ==, after->Xsize);
  g_assert_cmpint (before->Ysize, ==, after->Ysize);
  g_assert_cmpint (before->Bands, ==, after->Bands);
  g_assert_cmpint (before->BandFmt, ==, after->BandFmt);
  for (int y = 0; y < before->Ysize; y++)
    for (int x = 0; x < before->Xsize; x++)
      {
        const gboolean same = ! memcmp (VIPS_IMAGE_ADDR (before, x, y), VIPS_IMAGE_ADDR (after, x, y), size);
        const int m = (int) cli_get (mask, x, y, 0);

        if (m == 0 && ! same)
          g_error ("pixel %d, %d outside the mask has changed: %g %g", x, y, cli_get (before, x, y, 0),
                   cli_get (after, x, y, 0));
        kept += m == 0;
        inside += m == 255;
        changed += m == 255 && ! same;
      }
  g_assert_cmpint (kept, >, 100);
  /* a good fill of so regular a picture meets many pixels again */
  g_assert_cmpint (changed, >, inside / 8);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

char *
cli_ls (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return g_strjoinv (" ", (char **) names->pdata);
}
