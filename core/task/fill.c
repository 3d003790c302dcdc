/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Task fill: what the mask marks is replaced by what could be there. */
#include <glib/gi18n-lib.h>

#include "core/base/image.h"
#include "core/model/model.h"
#include "core/task/filler.h"
#include "core/task/task.h"

typedef struct
{
  int candidates;
  char *model;
  SumiCommonOptions common;
} Fill;

static const SumiOption options[] = {
  {
      .key = "candidates",
      .label = N_ ("_Candidates"),
      .blurb = N_ ("How many different proposals to make"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (Fill, candidates),
      .min = 1,
      .max = 8,
      .value = 1,
  },
  {
      .key = "model",
      .label = N_ ("_Model"),
      .blurb = N_ ("Name or file of the model; patches copies from the photo itself"),
      .type = SUMI_OPTION_STRING,
      .flags = SUMI_OPTION_ADVANCED,
      .offset = G_STRUCT_OFFSET (Fill, model),
      .text = "patches",
  },
  SUMI_COMMON_OPTIONS (Fill),
  { NULL },
};

static SumiFiller
get_filler (SumiRun *run, SumiModel *model)
{
  SumiSource *photo = run->input->photo;

  return (SumiFiller){
    .run = run,
    .model = model,
    .canvas = { .photo = photo, .mask = run->input->mask, .width = photo->width, .height = photo->height },
  };
}

static gboolean
peak (SumiRun *run, double *bytes, GError **error)
{
  const Fill *o = run->options;
  g_autoptr (SumiModel) model = sumi_run_load_model (run, o->model, error);
  SumiFiller filler = get_filler (run, model);

  if (! model || ! sumi_source_bounds (run->input->mask, &filler.bounds, error) ||
      ! sumi_filler_prepare (&filler, error))
    return FALSE;
  *bytes = sumi_filler_get_peak (&filler) + sumi_run_get_weight_bytes (run, model);
  return TRUE;
}

static gboolean
run (SumiRun *run, GError **error)
{
  const Fill *o = run->options;
  g_autoptr (SumiModel) model = sumi_run_load_model (run, o->model, error);
  SumiFiller filler = get_filler (run, model);

  return model && sumi_source_bounds (run->input->mask, &filler.bounds, error) &&
         sumi_filler_run (&filler, &filler.bounds, o->candidates, NULL, error);
}

const SumiTaskClass sumi_task_fill = {
  .key = "fill",
  .label = N_ ("_Fill selection…"),
  .blurb = N_ ("Remove what is marked and continue its surroundings"),
  .flags = SUMI_TASK_MASK_NEEDED,
  .options_size = sizeof (Fill),
  .common_offset = G_STRUCT_OFFSET (Fill, common),
  .options = options,
  .run = run,
  .peak = peak,
};
