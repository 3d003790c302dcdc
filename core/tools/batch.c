/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/batch.h"

#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>

#include "core/sumi.h"
#include "core/tools/command.h"
#include "core/tools/interrupt.h"
#include "core/tools/json-out.h"
#include "core/tools/pictures.h"
#include "core/tools/progress.h"
#include "core/tools/result.h"

/* What lasts over all photos. */
typedef struct
{
  const SumiTaskClass *task;
  gconstpointer options;
  const SumiBatchOptions *own;
  GCancellable *cancellable;
  SumiProgress progress;
  SumiPicture *mask, *hints; /* of the last photo: read again only if the next one has another */
} Batch;

/* One photo. */
typedef struct
{
  Batch *batch;
  const char *path, *target;
  const SumiFileFormat *format;
  SumiPicture *photo;
  SumiOutput *reserved; /* the first result's file: made early to see that it can be */
  /* the photo as the results are written, as it is and as RGB; pixels.colour NULL: not asked for yet */
  struct
  {
    SumiPixels pixels;
    SumiPicture *base;
  } forms[2];
  GPtrArray *results; /* SumiResultFile */
  double memory;      /* bytes that it will take at most, with all else that the process holds */
} Photo;

static void
photo_clear (Photo *self)
{
  g_clear_pointer (&self->results, g_ptr_array_unref);
  for (gsize i = 0; i < G_N_ELEMENTS (self->forms); i++)
    {
      g_clear_pointer (&self->forms[i].base, sumi_picture_free);
      g_clear_pointer (&self->forms[i].pixels.colour, sumi_colour_unref);
    }
  g_clear_pointer (&self->reserved, sumi_output_free);
  g_clear_pointer (&self->photo, sumi_picture_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Photo, photo_clear)

/* ---- results ---------------------------------------------------------- */

static char *
candidate_path (const char *target, int index)
{
  const char *dot = strrchr (target, '.');

  return g_strdup_printf ("%.*s-%d%s", (int) (dot - target), target, index + 1, dot);
}

static SumiOutput *
open_output (Photo *self, const SumiResult *about, GError **error)
{
  g_autofree char *path = NULL;

  if (about->count <= 1)
    return self->reserved ? g_steal_pointer (&self->reserved) : sumi_output_new (self->target, error);
  g_clear_pointer (&self->reserved, sumi_output_free);
  path = candidate_path (self->target, about->index);
  return sumi_output_new (path, error);
}

static SumiSink *
open_result (SumiRun *run, const SumiResult *about, GError **error)
{
  Photo *self = run->user_data;
  /* a fill of a grey photo stays grey whatever the task says of its colours; so index by what becomes of it */
  const int form = about->has_colour ? 1 : 0;
  SumiPixels *pixels = &self->forms[form].pixels;
  SumiPicture **base = &self->forms[form].base;
  SumiResultFile *file;
  SumiOutput *output;

  if (! pixels->colour && ! sumi_file_format_choose (self->format, self->photo, about->has_colour, pixels, error))
    return NULL;
  if (sumi_result_needs_base (about) && ! *base)
    {
      *base = sumi_picture_convert (self->photo, pixels, error);
      if (! *base)
        return NULL;
    }
  output = open_output (self, about, error);
  file = output ? sumi_result_file_new (output, self->format, self->photo, *base, pixels, about, error) : NULL;
  if (! file)
    return NULL;
  g_ptr_array_add (self->results, file);
  return sumi_result_file_get_sink (file);
}

static gboolean
save_results (Photo *self, GError **error)
{
  Batch *batch = self->batch;

  for (guint i = 0; i < self->results->len; i++)
    {
      sumi_job_progress (&batch->progress.job, 1, _ ("Writing"));
      if (! sumi_result_file_save (self->results->pdata[i], batch->cancellable, error))
        return FALSE;
    }
  if (! sumi_job_check (&batch->progress.job, error))
    return FALSE;
  /* names are given only when all are whole */
  for (guint i = 0; i < self->results->len; i++)
    if (! sumi_result_file_commit (self->results->pdata[i], error))
      return FALSE;
  return TRUE;
}

/* ---- reports ---------------------------------------------------------- */

static void
append_recipe (GString *json, const char *recipe)
{
  g_auto (GStrv) lines = g_strsplit (recipe ? recipe : "", "\n", -1);

  sumi_json_out_open (json, "recipe", '{');
  for (char **line = lines; *line; line++)
    {
      char *equals = strchr (*line, '=');

      if (equals)
        {
          g_autofree char *value = g_strcompress (equals + 1);

          *equals = 0;
          sumi_json_out_string (json, *line, value);
        }
    }
  sumi_json_out_close (json, '}');
}

static void
print_json (const Photo *self, double seconds, const GError *failure)
{
  g_autoptr (GString) json = g_string_new ("{");

  sumi_json_out_string (json, "photo", self->path);
  sumi_json_out_string (json, "task", self->batch->task->key);
  if (failure)
    sumi_json_out_string (json, "error", failure->message);
  sumi_json_out_open (json, "results", '[');
  for (guint i = 0; ! failure && i < self->results->len; i++)
    {
      const SumiResult *about = sumi_result_file_get_about (self->results->pdata[i]);

      sumi_json_out_open (json, NULL, '{');
      sumi_json_out_string (json, "file", sumi_result_file_get_path (self->results->pdata[i]));
      sumi_json_out_int (json, "width", about->canvas_width);
      sumi_json_out_int (json, "height", about->canvas_height);
      append_recipe (json, about->recipe);
      sumi_json_out_close (json, '}');
    }
  sumi_json_out_close (json, ']');
  sumi_json_out_double (json, "seconds", seconds);
  if (! failure)
    {
      sumi_json_out_int (json, "memory_stated", (gint64) self->memory);
      sumi_json_out_int (json, "memory_peak", (gint64) sumi_memory_get_peak ());
    }
  sumi_json_out_close (json, '}');
  puts (json->str);
  fflush (stdout);
}

/* On a terminal, what became of it; in a script, silence is success. */
static void
print_done (const Photo *self, double seconds)
{
  if (! self->batch->progress.show)
    return;
  for (guint i = 0; i < self->results->len; i++)
    {
      const SumiResult *about = sumi_result_file_get_about (self->results->pdata[i]);
      g_autofree char *name = g_filename_display_name (sumi_result_file_get_path (self->results->pdata[i]));
      g_autofree char *time = sumi_progress_dup_time (seconds);

      fprintf (stderr, _ ("%s: %d×%d pixels, %s\n"), name, about->canvas_width, about->canvas_height, time);
    }
}

/* ---- one photo -------------------------------------------------------- */

/* The file called @option, or if that is a folder the one in it that is called like the photo, whatever its extension.
 */
static char *
find_companion (const char *option, const char *photo, GError **error)
{
  g_autofree char *name = NULL;
  char *dot;

  if (! g_file_test (option, G_FILE_TEST_IS_DIR))
    return g_strdup (option);
  name = g_path_get_basename (photo);
  for (int exact = 1; exact >= 0; exact--)
    {
      static const char *const extensions[] = { "png", "tif", "tiff", "webp", "jpg", "jpeg", NULL };

      for (const char *const *e = extensions; *e; e++)
        {
          g_autofree char *file = exact ? g_strdup (name) : g_strconcat (name, ".", *e, NULL);
          g_autofree char *path = g_build_filename (option, file, NULL);

          if (g_file_test (path, G_FILE_TEST_EXISTS))
            return g_steal_pointer (&path);
        }
      dot = strrchr (name, '.');
      if (dot && dot > name)
        *dot = 0;
    }
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_INPUT, _ ("the folder “%s” has no picture called like “%s”"), option,
               photo);
  return NULL;
}

static gboolean
load_companion (Batch *self, SumiPicture **picture, const char *option, const char *photo, GError **error)
{
  g_autofree char *path = NULL;

  if (! *option)
    return TRUE;
  path = find_companion (option, photo, error);
  if (! path)
    return FALSE;
  if (*picture && ! strcmp ((*picture)->path, path))
    return TRUE;
  g_clear_pointer (picture, sumi_picture_free);
  *picture = sumi_picture_load (path, self->cancellable, error);
  return *picture != NULL;
}

static gboolean
check_hints (const SumiPicture *hints, GError **error)
{
  if (! hints || hints->pixels.has_alpha)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_INPUT,
               _ ("“%s” has no transparency, so it does not show where the strokes are: make everything but the "
                  "strokes transparent"),
               hints->path);
  return FALSE;
}

/* What the encoder takes, and the libraries that it opens. */
#define WRITING 16e6

/* Before the work starts: what is there now, what the task takes, the photo as results need it, and writing. */
static gboolean
state_memory (Photo *self, SumiRun *run, GError **error)
{
  const SumiTaskClass *task = self->batch->task;
  const SumiPixmap *m = &self->photo->pixmap;
  const gboolean converted = self->forms[0].pixels.colour != self->photo->pixels.colour ||
                             sumi_pixels_size (&self->forms[0].pixels) != sumi_pixels_size (&self->photo->pixels);
  double own;

  if (! sumi_task_get_peak (task, run, &own, error))
    return FALSE;
  self->memory = MAX ((double) sumi_memory_get_resident () + own + WRITING, (double) sumi_memory_get_peak ());
  if (converted && (task->flags & (SUMI_TASK_MASK_NEEDED | SUMI_TASK_MASK_OPTIONAL)))
    self->memory += (double) sumi_pixels_size (&self->forms[0].pixels) * m->width * m->height;
  if (self->batch->progress.show || (self->batch->own->dry_run && ! self->batch->own->json))
    {
      g_autofree char *size = g_format_size ((guint64) self->memory);
      g_autofree char *name = g_filename_display_name (self->path);

      sumi_progress_hide (&self->batch->progress);
      fprintf (self->batch->own->dry_run ? stdout : stderr, _ ("%s: takes up to %s of memory\n"), name, size);
    }
  return TRUE;
}

static gboolean
run_photo (Photo *self, GError **error)
{
  Batch *batch = self->batch;
  g_autoptr (SumiSource) source = NULL, mask = NULL, hints = NULL;
  SumiTaskInput input = { 0 };
  SumiRun run = {
    .input = &input, .options = batch->options, .job = &batch->progress.job, .open = open_result, .user_data = self
  };

  self->format = sumi_file_format_find (self->target, error);
  if (! self->format)
    return FALSE;
  self->reserved = sumi_output_new (self->target, error);
  if (! self->reserved)
    return FALSE;
  self->photo = sumi_picture_load (self->path, batch->cancellable, error);
  if (! self->photo || ! load_companion (batch, &batch->mask, batch->own->mask, self->path, error) ||
      ! load_companion (batch, &batch->hints, batch->own->hints, self->path, error) ||
      ! check_hints (batch->hints, error))
    return FALSE;
  /* what cannot be written is said now, not after the work */
  if (! sumi_file_format_choose (self->format, self->photo, FALSE, &self->forms[0].pixels, error))
    return FALSE;
  input.photo = source = sumi_picture_source (self->photo);
  input.mask = mask = batch->mask ? sumi_picture_coverage (batch->mask) : NULL;
  input.hints = hints = batch->hints ? sumi_picture_source (batch->hints) : NULL;
  if (! state_memory (self, &run, error))
    return FALSE;
  return batch->own->dry_run || (sumi_task_run (batch->task, &run, error) && save_results (self, error));
}

/* Returns: the exit status of this photo. */
static int
do_photo (Batch *self, const char *path, const char *target, const char *title, gboolean several)
{
  g_auto (Photo) photo = { .batch = self, .path = path, .target = target };
  GError *error = NULL;
  double seconds;

  photo.results = g_ptr_array_new_with_free_func ((GDestroyNotify) sumi_result_file_free);
  sumi_progress_begin (&self->progress, title);
  if (! run_photo (&photo, &error) && ! error)
    g_set_error (&error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                 _ ("the task failed without saying why: please report this"));
  seconds = sumi_progress_get_seconds (&self->progress);
  sumi_progress_hide (&self->progress);
  if (self->own->json)
    print_json (&photo, seconds, error);
  if (error)
    return sumi_command_fail (several ? path : NULL, error);
  print_done (&photo, seconds);
  return 0;
}

int
sumi_batch_run (const SumiTaskClass *task, gpointer options, const SumiBatchOptions *own, const char *const *photos)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Batch self = { .task = task, .options = options, .own = own, .cancellable = cancellable };
  const SumiCommonOptions *common = (const SumiCommonOptions *) ((const char *) options + task->common_offset);
  const int count = (int) g_strv_length ((GStrv) photos);
  GError *error = NULL;
  g_auto (GStrv) targets = sumi_batch_plan (own->output, photos, &error);
  int status = 0;

  if (! targets)
    return sumi_command_fail (task->key, error);
  sumi_interrupt_start (cancellable);
  if (! sumi_pictures_open (common->threads, &error))
    return sumi_command_fail (NULL, error);
  sumi_progress_init (&self.progress, own->quiet, cancellable);
  for (int i = 0; photos[i]; i++)
    {
      g_autofree char *name = g_path_get_basename (photos[i]);
      g_autofree char *title = count > 1 ? g_strdup_printf ("[%d/%d] %s", i + 1, count, name) : g_strdup (name);
      const int one = do_photo (&self, photos[i], targets[i], title, count > 1);

      status = one && status != SUMI_EXIT_USAGE ? one : status;
      /* a wrong option is wrong for the others too */
      if (one == SUMI_EXIT_USAGE || g_cancellable_is_cancelled (cancellable))
        {
          status = one;
          break;
        }
    }
  sumi_progress_clear (&self.progress);
  g_clear_pointer (&self.mask, sumi_picture_free);
  g_clear_pointer (&self.hints, sumi_picture_free);
  return status;
}
