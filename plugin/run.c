/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GIMP's Cancel kills a plug-in, and what it has done to the image until then stays. So everything is computed into
 * buffers of our own, and only then is the image touched, by place.c. */
#include "plugin/run.h"

#include <glib/gi18n-lib.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "plugin/pixels.h"
#include "plugin/place.h"
#include "plugin/procedures.h"
#include "ui/task-dialog.h"

static pid_t parent;

/* ---- the process --------------------------------------------------------- */

char *
sumi_plugin_dup_folder (const char *name)
{
  /* argv[0] need not be a path */
  g_autofree char *file = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = g_path_get_dirname (file ? file : ".");

  return g_build_filename (folder, name, NULL);
}

void
sumi_plugin_start (void)
{
  g_autofree char *models = sumi_plugin_dup_folder ("models");

  /* a plug-in that computes does not notice that GIMP is gone */
  parent = getppid ();
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  gegl_init (NULL, NULL);
  sumi_models_add_folder (models);
}

gboolean
sumi_error_is_calling (const GError *error)
{
  return g_error_matches (error, SUMI_ERROR, SUMI_ERROR_OPTION);
}

/* ---- checks and dialog --------------------------------------------------- */

static gboolean
find_input (SumiCall *call, SumiTarget *target, GError **error)
{
  if (call->n_drawables == 0)
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("No layer is selected: select exactly one layer"));
      return FALSE;
    }
  if (call->n_drawables > 1)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("%d layers are selected: select exactly one layer"),
                   call->n_drawables);
      return FALSE;
    }
  return sumi_host_find_target (call->image, call->drawables[0], target, error);
}

typedef struct
{
  GeglBuffer *buffer; /* (nullable): NULL = nothing is selected, or it does not matter */
  SumiRect bounds;    /* of what is selected on the layer, in its coordinates */
} Selection;

/* Returns FALSE when the selection is of no use. */
static gboolean
find_selection (const SumiCall *call, const SumiTarget *target, Selection *selection, GError **error)
{
  const SumiTaskFlags takes = SUMI_TASK_MASK_NEEDED | SUMI_TASK_MASK_OPTIONAL;
  g_autoptr (GeglBuffer) found = NULL;

  /* enlarging concerns the whole picture */
  if (! (call->task->flags & takes) && (call->task->flags & SUMI_TASK_RESIZES))
    return TRUE;
  found = sumi_host_get_selection (call->image);
  if (! found && (call->task->flags & SUMI_TASK_MASK_NEEDED))
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_INPUT,
                           _ ("Nothing is selected: select what is to be filled, then try again"));
      return FALSE;
    }
  if (found && ! sumi_host_selection_meets (target->layer, &selection->bounds))
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_INPUT,
                           _ ("The selection lies outside the layer: select a part of the layer, or another layer"));
      return FALSE;
    }
  selection->buffer = g_steal_pointer (&found);
  return TRUE;
}

static GArray *
list_hint_layers (const SumiTarget *target)
{
  GArray *all = g_array_new (TRUE, TRUE, sizeof (SumiDialogItem));
  g_autofree int *ids = sumi_host_list_layers (target->image);

  for (int i = 0; ids[i] != SUMI_HOST_NONE; i++)
    if (ids[i] != target->layer)
      {
        SumiDialogItem item = { ids[i], sumi_host_dup_name (ids[i]) };

        g_array_append_val (all, item);
      }
  return all;
}

static gboolean
ask (SumiCall *call, const SumiTarget *target, GError **error)
{
  const gboolean takes_hints = call->task->flags & SUMI_TASK_HINTS;
  g_autoptr (GArray) items = takes_hints ? list_hint_layers (target) : NULL;
  SumiTaskDialog dialog = {
    .task = call->task,
    .options = call->options,
    .items = items ? (const SumiDialogItem *) (void *) items->data : NULL,
    .item = call->hints,
    .items_label = _ ("Colour _hints"),
    .items_blurb = _ (SUMI_PLUGIN_HINTS_BLURB),
    .prepare = sumi_host_prepare_window,
  };
  const gboolean ok = sumi_task_dialog_run (&dialog, error);

  call->hints = dialog.item;
  for (guint i = 0; items && i < items->len; i++)
    g_free (g_array_index (items, SumiDialogItem, i).name);
  return ok;
}

/* ---- computing ----------------------------------------------------------- */

typedef struct
{
  SumiJob job; /* first */
  const SumiTarget *target;
  const Babl *layer_format;
  const SumiPixelsProfile *profile;
  GPtrArray *results; /* SumiPlaced */
  gint64 last_time;
} Computation;

static void
show_progress (SumiJob *job, double fraction, const char *phase)
{
  Computation *self = (Computation *) job;
  const gint64 now = g_get_monotonic_time ();

  /* GIMP may have died before prctl() */
  if (getppid () != parent)
    _exit (1);
  /* a round trip to GIMP each */
  if (! phase && now - self->last_time < G_USEC_PER_SEC / 5)
    return;
  self->last_time = now;
  sumi_host_progress (fraction, phase);
}

static SumiSink *
open_result (SumiRun *run, const SumiResult *result, GError **error)
{
  Computation *self = run->user_data;
  const SumiTarget *t = self->target;
  const double width = t->canvas_width * result->scale, height = t->canvas_height * result->scale;
  SumiPlaced *placed;

  if (MAX (width, result->canvas_width) > GIMP_MAX_IMAGE_SIZE ||
      MAX (height, result->canvas_height) > GIMP_MAX_IMAGE_SIZE)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_INPUT,
                   _ ("The image would have %.0f×%.0f pixels; GIMP allows %d on a side: choose a smaller size"),
                   MAX (width, result->canvas_width), MAX (height, result->canvas_height), GIMP_MAX_IMAGE_SIZE);
      return NULL;
    }
  placed = g_new0 (SumiPlaced, 1);
  placed->about = *result;
  placed->about.recipe = g_strdup (result->recipe);
  placed->sink = sumi_buffer_sink_new (result->width, result->height,
                                       sumi_pixels_get_result_format (self->layer_format, result->has_colour),
                                       result->has_coverage, self->profile);
  g_ptr_array_add (self->results, placed);
  return &placed->sink->sink;
}

static SumiSource *
open_hints (const SumiCall *call, const SumiTarget *target, const SumiPixelsProfile *profile, GError **error)
{
  g_autoptr (GeglBuffer) buffer = NULL;
  SumiTarget hints;

  if (! sumi_host_find_target (call->image, call->hints, &hints, error))
    {
      g_prefix_error (error, "%s: ", _ ("Colour hints"));
      return NULL;
    }
  if (hints.layer == target->layer)
    {
      g_set_error_literal (
          error, SUMI_ERROR, SUMI_ERROR_OPTION,
          _ ("The layer to be coloured cannot be its own colour hints: paint strokes on another layer"));
      return NULL;
    }
  buffer = sumi_host_get_buffer (hints.layer);
  return sumi_source_new_buffer (buffer, target->x - hints.x, target->y - hints.y, target->width, target->height,
                                 profile);
}

static gboolean
compute (SumiCall *call, Computation *self, GeglBuffer *pixels, const Selection *selection, GError **error)
{
  const SumiTarget *t = self->target;
  const gboolean masks = call->task->flags & (SUMI_TASK_MASK_NEEDED | SUMI_TASK_MASK_OPTIONAL);
  g_autoptr (SumiSource) photo = sumi_source_new_buffer (pixels, 0, 0, t->width, t->height, self->profile);
  g_autoptr (SumiSource) mask = NULL, hints = NULL;
  SumiTaskInput input = { .photo = photo };
  SumiRun run = {
    .input = &input,
    .options = call->options,
    .job = &self->job,
    .open = open_result,
    .user_data = self,
  };

  if (selection->buffer && masks)
    input.mask = mask =
        sumi_source_new_coverage (selection->buffer, t->x, t->y, t->width, t->height, &selection->bounds);
  if (call->hints > 0 && (call->task->flags & SUMI_TASK_HINTS) &&
      ! (input.hints = hints = open_hints (call, t, self->profile, error)))
    return FALSE;
  return sumi_task_run (call->task, &run, error);
}

/* ---- a call -------------------------------------------------------------- */

static gboolean
run_on_target (SumiCall *call, const SumiTarget *target, const Selection *selection, GError **error)
{
  g_autoptr (GeglBuffer) pixels = sumi_host_get_buffer (target->layer);
  g_autoptr (GObject) icc = (GObject *) sumi_host_get_profile (target->image);
  g_auto (SumiPixelsProfile) profile = { 0 };
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func ((GDestroyNotify) sumi_placed_free);
  g_autofree char *name = g_strdup_printf ("Sumi %s", call->task->key);
  const gboolean masks = call->task->flags & (SUMI_TASK_MASK_NEEDED | SUMI_TASK_MASK_OPTIONAL);
  Computation self = {
    .job = { .progress = show_progress },
    .target = target,
    .layer_format = gegl_buffer_get_format (pixels),
    .profile = &profile,
    .results = results,
  };

  if (! sumi_pixels_profile_init (&profile, (GimpColorProfile *) icc, self.layer_format, error))
    return FALSE;
  if (! compute (call, &self, pixels, selection, error))
    return FALSE;
  if (results->len == 0)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED, "“%s” gave no result", call->task->key);
      return FALSE;
    }
  call->layer = sumi_place_results (target, name, results, masks ? NULL : selection->buffer, call->layers, error);
  return call->layer != SUMI_HOST_NONE;
}

gboolean
sumi_call_run (SumiCall *call, GError **error)
{
  Selection selection = { 0 };
  SumiTarget target;
  gboolean ok;

  call->layer = SUMI_HOST_NONE;
  call->layers = g_array_new (FALSE, FALSE, sizeof (int));
  if (! find_input (call, &target, error) || ! find_selection (call, &target, &selection, error))
    return FALSE;
  if (call->ask && ! ask (call, &target, error))
    {
      g_clear_object (&selection.buffer);
      return FALSE;
    }

  sumi_host_progress_start ("Sumi");
  ok = run_on_target (call, &target, &selection, error);
  g_clear_object (&selection.buffer);
  sumi_host_progress_end ();
  if (ok && call->show)
    sumi_host_flush ();
  return ok;
}

void
sumi_call_clear (SumiCall *call)
{
  g_clear_pointer (&call->layers, g_array_unref);
}
