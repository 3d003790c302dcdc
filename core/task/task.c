/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/task/task.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/cpus.h"
#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/base/parallel.h"
#include "core/diffusion/method.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/schedule.h"
#include "core/model/model.h"

#define SUMI_ROW(name) extern const SumiTaskClass sumi_task_##name;
#include "core/task/task-rows.h"
#undef SUMI_ROW

static const SumiTaskClass *const tasks[] = {
#define SUMI_ROW(name) &sumi_task_##name,
#include "core/task/task-rows.h"
#undef SUMI_ROW
  NULL
};

const SumiTaskClass *const *
sumi_tasks (void)
{
  return tasks;
}

const SumiTaskClass *
sumi_task_find (const char *key)
{
  for (int i = 0; tasks[i]; i++)
    if (! strcmp (tasks[i]->key, key))
      return tasks[i];
  return NULL;
}

/* ---- options ---------------------------------------------------------- */

/* A row of every registry that users choose from begins so. */
typedef struct
{
  const char *key, *label, *blurb;
} Named;

G_STATIC_ASSERT (G_STRUCT_OFFSET (SumiSamplerClass, blurb) == G_STRUCT_OFFSET (Named, blurb));
G_STATIC_ASSERT (G_STRUCT_OFFSET (SumiScheduleClass, blurb) == G_STRUCT_OFFSET (Named, blurb));
G_STATIC_ASSERT (G_STRUCT_OFFSET (SumiProcessClass, blurb) == G_STRUCT_OFFSET (Named, blurb));
G_STATIC_ASSERT (G_STRUCT_OFFSET (SumiMethodClass, blurb) == G_STRUCT_OFFSET (Named, blurb));

static const SumiChoice *
list_choices (gsize *made, gconstpointer const *rows)
{
  if (g_once_init_enter (made))
    {
      GArray *all = g_array_new (TRUE, TRUE, sizeof (SumiChoice));

      g_array_append_val (all, ((SumiChoice){ "auto", N_ ("Automatic") }));
      for (; *rows; rows++)
        {
          const Named *row = *rows;

          g_array_append_val (all, ((SumiChoice){ row->key, row->label, row->blurb }));
        }
      g_once_init_leave (made, (gsize) g_array_free (all, FALSE));
    }
  return (const SumiChoice *) *made;
}

const SumiChoice *
sumi_sampler_choices (void)
{
  static gsize made = 0;

  return list_choices (&made, (gconstpointer const *) sumi_samplers ());
}

const SumiChoice *
sumi_schedule_choices (void)
{
  static gsize made = 0;

  return list_choices (&made, (gconstpointer const *) sumi_schedules ());
}

const SumiChoice *
sumi_process_choices (void)
{
  static gsize made = 0;

  return list_choices (&made, (gconstpointer const *) sumi_processes ());
}

const SumiChoice *
sumi_method_choices (void)
{
  static gsize made = 0;

  return list_choices (&made, (gconstpointer const *) sumi_methods ());
}

const SumiChoice *
sumi_precision_choices (void)
{
  static const SumiChoice choices[] = {
    { "auto", N_ ("Automatic") },
    { "f32", N_ ("32-bit floats") },
    { NULL },
  };

  return choices;
}

gpointer
sumi_task_new_options (const SumiTaskClass *task)
{
  gpointer options = g_malloc0 (task->options_size);

  sumi_options_init (task->options, options);
  return options;
}

void
sumi_task_free_options (const SumiTaskClass *task, gpointer options)
{
  if (! options)
    return;
  sumi_options_clear (task->options, options);
  g_free (options);
}

gboolean
sumi_common_is_auto (const SumiCommonOptions *common)
{
  return common->steps == 0 && common->churn < 0 && sumi_plan_is_auto (common->sampler) &&
         sumi_plan_is_auto (common->schedule) && sumi_plan_is_auto (common->process) &&
         sumi_plan_is_auto (common->method) && sumi_plan_is_auto (common->settings);
}

static SumiPlanNames
get_names (const SumiCommonOptions *common)
{
  return (SumiPlanNames){
    .sampler = common->sampler,
    .schedule = common->schedule,
    .process = common->process,
    .method = common->method,
    .settings = common->settings,
  };
}

SumiModel *
sumi_run_load_model (const SumiRun *run, const char *name, GError **error)
{
  g_autoptr (SumiModel) model = sumi_model_load (name, error);
  const SumiPlanNames names = get_names (run->common);

  return model && sumi_model_check_names (model, &names, error) ? g_steal_pointer (&model) : NULL;
}

void
sumi_common_get_predict (const SumiCommonOptions *common, int candidate, SumiPredict *how)
{
  *how = (SumiPredict){
    .seed = (guint64) common->seed,
    .candidate = candidate,
    .steps = common->steps,
    .names = get_names (common),
    .churn = common->churn,
  };
}

double
sumi_run_get_weight_bytes (const SumiRun *run, SumiModel *model)
{
  SumiPredict how;

  sumi_common_get_predict (run->common, 0, &how);
  return sumi_model_get_weight_bytes (model, &how);
}

char *
sumi_run_dup_recipe (const SumiRun *run, SumiModel *model, const char *extra)
{
  g_autofree char *options = sumi_options_dup_recipe (run->task->options, run->options);
  g_autofree char *id = model ? sumi_model_dup_id (model) : NULL;

  return g_strdup_printf ("sumi=%s\ntask=%s\n%s%s%s%s%s", SUMI_VERSION, run->task->key, id ? "model-id=" : "",
                          id ? id : "", id ? "\n" : "", options, extra ? extra : "");
}

/* ---- running ---------------------------------------------------------- */

/* What buffers may take unless asked for. A constant: how a picture is cut follows from it, and the same call must give
 * the same bytes on every machine, however much is free there. More does not make anything faster. */
#define AUTOMATIC_MEMORY ((gint64) 1024 << 20)

static gboolean
same_size (const SumiSource *photo, const SumiSource *other, const char *what, GError **error)
{
  if (photo->width == other->width && photo->height == other->height)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_INPUT,
               "the %s has %d×%d pixels, the photo %d×%d: scale or crop the %s to the photo's size", what, other->width,
               other->height, photo->width, photo->height, what);
  return FALSE;
}

static gboolean
check_input (const SumiTaskClass *task, const SumiTaskInput *input, GError **error)
{
  const gboolean takes_mask = task->flags & (SUMI_TASK_MASK_NEEDED | SUMI_TASK_MASK_OPTIONAL);

  if ((task->flags & SUMI_TASK_MASK_NEEDED) && ! input->mask)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_INPUT, "“%s” needs to know where: give a mask or a selection",
                   task->key);
      return FALSE;
    }
  if (input->mask && ! takes_mask)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "“%s” takes no mask", task->key);
      return FALSE;
    }
  if (input->hints && ! (task->flags & SUMI_TASK_HINTS))
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "“%s” takes no colour hints", task->key);
      return FALSE;
    }
  return (! input->mask || same_size (input->photo, input->mask, "mask", error)) &&
         (! input->hints || same_size (input->photo, input->hints, "picture of hints", error));
}

/* Stacks and scratch. */
#define THREAD_BYTES 3e6

static gboolean
start (const SumiTaskClass *task, SumiRun *run, GError **error)
{
  if (! sumi_options_check (task->options, run->options, error) || ! check_input (task, run->input, error) ||
      (task->check && ! task->check (run->input, run->options, error)) || ! sumi_job_check (run->job, error))
    return FALSE;
  run->task = task;
  run->common = (const SumiCommonOptions *) ((const char *) run->options + task->common_offset);
  run->memory = run->common->memory > 0 ? run->common->memory : AUTOMATIC_MEMORY;
  run->bf16 = g_strcmp0 (run->common->precision, "f32") != 0;
  return TRUE;
}

gboolean
sumi_task_get_peak (const SumiTaskClass *task, SumiRun *run, double *bytes, GError **error)
{
  double own = 0;

  g_return_val_if_fail (run->input && run->input->photo && run->options && task->peak, FALSE);
  if (! start (task, run, error) || ! task->peak (run, &own, error))
    return FALSE;
  *bytes = own + THREAD_BYTES * (run->common->threads > 0 ? run->common->threads : sumi_cpus_usable ());
  return TRUE;
}

gboolean
sumi_task_run (const SumiTaskClass *task, SumiRun *run, GError **error)
{
  g_autoptr (SumiPool) pool = NULL;
  gboolean ok;

  g_return_val_if_fail (run->input && run->input->photo && run->options && run->open, FALSE);
  if (! start (task, run, error))
    return FALSE;
  sumi_memory_keep ();
  run->pool = pool = sumi_pool_new (run->common->threads);
  ok = task->run (run, error);
  run->pool = NULL;
  return ok;
}
