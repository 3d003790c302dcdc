/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Task colorize: chroma from the model and strokes, luminance of the photo. A photo in colour is used for its
 * luminance. */
#include <glib/gi18n-lib.h>

#include "core/base/image.h"
#include "core/base/job.h"
#include "core/model/model.h"
#include "core/task/stage.h"
#include "core/task/task.h"
#include "core/task/tint.h"

typedef struct
{
  double saturation;
  char *model;
  SumiCommonOptions common;
} Colorize;

static const SumiOption options[] = {
  {
      .key = "saturation",
      .label = N_ ("_Saturation"),
      .blurb = N_ ("How strong the colours are; 1 is as the model and the strokes say"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Colorize, saturation),
      .max = 2,
      .value = 1,
  },
  {
      .key = "model",
      .label = N_ ("_Model"),
      .blurb = N_ ("Name or file of the model"),
      .type = SUMI_OPTION_STRING,
      .flags = SUMI_OPTION_ADVANCED,
      .offset = G_STRUCT_OFFSET (Colorize, model),
      .text = "sumi-restore",
  },
  SUMI_COMMON_OPTIONS (Colorize),
  { NULL },
};

static gboolean
check (const SumiTaskInput *input, const void *values, GError **error)
{
  return sumi_tint_check_hints (input->hints, error);
}

static gboolean
peak (SumiRun *run, double *bytes, GError **error)
{
  const Colorize *o = run->options;
  g_autoptr (SumiModel) model = sumi_run_load_model (run, o->model, error);
  SumiTint tint = { .photo = run->input->photo, .hints = run->input->hints, .model = model, .memory = run->memory };

  sumi_common_get_predict (run->common, 0, &tint.how);
  tint.how.mean = sumi_common_is_auto (run->common);
  if (! model || ! sumi_tint_get_peak (&tint, bytes, error))
    return FALSE;
  *bytes += sumi_run_get_weight_bytes (run, model);
  return TRUE;
}

static gboolean
run (SumiRun *run, GError **error)
{
  const Colorize *o = run->options;
  SumiSource *photo = run->input->photo;
  g_autoptr (SumiModel) model = sumi_run_load_model (run, o->model, error);
  g_autoptr (SumiImage) map = NULL;
  g_autoptr (SumiSource) coloured = NULL;
  g_autofree char *recipe = NULL;
  SumiJobRange outer;
  SumiSink *sink;
  gboolean ok;

  if (! model)
    return FALSE;
  SumiTint tint = {
    .photo = photo,
    .hints = run->input->hints,
    .model = model,
    .pool = run->pool,
    .bf16 = run->bf16,
    .memory = run->memory,
  };
  sumi_common_get_predict (run->common, 0, &tint.how);
  tint.how.mean = sumi_common_is_auto (run->common);

  outer = sumi_job_enter (run->job, 0, 0.7);
  map = sumi_tint_plan (&tint, run->job, error);
  sumi_job_leave (run->job, outer);
  if (! map)
    return FALSE;

  recipe = sumi_run_dup_recipe (run, model, NULL);
  SumiResult result = {
    .count = 1,
    .width = photo->width,
    .height = photo->height,
    .canvas_width = photo->width,
    .canvas_height = photo->height,
    .scale = 1,
    .has_colour = TRUE,
    .recipe = recipe,
  };
  sink = run->open (run, &result, error);
  if (! sink)
    return FALSE;
  coloured = sumi_tint_source_new (photo, map, o->saturation, run->pool);
  outer = sumi_job_enter (run->job, 0.7, 1);
  sumi_job_progress (run->job, 0, _ ("Colouring"));
  ok = sumi_source_copy (coloured, NULL, sink, run->job, error);
  sumi_job_leave (run->job, outer);
  return ok;
}

const SumiTaskClass sumi_task_colorize = {
  .key = "colorize",
  .label = N_ ("_Colorize…"),
  .blurb = N_ ("Colour a black-and-white photo, by itself or from a few strokes"),
  .flags = SUMI_TASK_HINTS,
  .options_size = sizeof (Colorize),
  .common_offset = G_STRUCT_OFFSET (Colorize, common),
  .options = options,
  .run = run,
  .peak = peak,
  .check = check,
};
