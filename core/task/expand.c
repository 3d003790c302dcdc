/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Task expand: the photo on a larger canvas, whose new part is filled. */
#include <glib/gi18n-lib.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/model/model.h"
#include "core/task/filler.h"
#include "core/task/task.h"

#define MOST 16384

typedef struct
{
  int left, top, right, bottom;
  int candidates;
  char *model;
  SumiCommonOptions common;
} Expand;

#define SIDE(name, text, says)                                                                                         \
  {                                                                                                                    \
    .key = #name, .label = text, .blurb = says, .unit = N_ ("px"), .type = SUMI_OPTION_INT,                            \
    .offset = G_STRUCT_OFFSET (Expand, name), .max = MOST                                                              \
  }

static const SumiOption options[] = {
  SIDE (left, N_ ("_Left"), N_ ("New pixels on the left")),
  SIDE (top, N_ ("_Top"), N_ ("New pixels at the top")),
  SIDE (right, N_ ("_Right"), N_ ("New pixels on the right")),
  SIDE (bottom, N_ ("_Bottom"), N_ ("New pixels at the bottom")),
  {
      .key = "candidates",
      .label = N_ ("_Candidates"),
      .blurb = N_ ("How many different proposals to make"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (Expand, candidates),
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
      .offset = G_STRUCT_OFFSET (Expand, model),
      .text = "patches",
  },
  SUMI_COMMON_OPTIONS (Expand),
  { NULL },
};

static gboolean
check (const SumiTaskInput *input, const void *values, GError **error)
{
  const Expand *o = values;

  if (o->left || o->top || o->right || o->bottom)
    return TRUE;
  g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                       "nothing to expand: give --left, --top, --right or --bottom a number of pixels above 0");
  return FALSE;
}

static SumiFiller
get_filler (SumiRun *run, SumiModel *model)
{
  const Expand *o = run->options;
  SumiSource *photo = run->input->photo;
  const int width = photo->width + o->left + o->right, height = photo->height + o->top + o->bottom;
  SumiFiller filler = {
    .run = run,
    .model = model,
    .canvas = { .photo = photo, .width = width, .height = height, .photo_x = o->left, .photo_y = o->top },
    .bounds = { 0, 0, width, height },
  };

  /* new pixels on one side only: the hole is that strip */
  if (! o->top && ! o->bottom && ! (o->left && o->right))
    {
      filler.bounds.x = o->left ? 0 : photo->width;
      filler.bounds.width = o->left + o->right;
    }
  else if (! o->left && ! o->right && ! (o->top && o->bottom))
    {
      filler.bounds.y = o->top ? 0 : photo->height;
      filler.bounds.height = o->top + o->bottom;
    }
  return filler;
}

static gboolean
peak (SumiRun *run, double *bytes, GError **error)
{
  const Expand *o = run->options;
  g_autoptr (SumiModel) model = sumi_run_load_model (run, o->model, error);
  SumiFiller filler = get_filler (run, model);

  if (! model || ! sumi_filler_prepare (&filler, error))
    return FALSE;
  *bytes = sumi_filler_get_peak (&filler) + sumi_run_get_weight_bytes (run, model);
  return TRUE;
}

static gboolean
run (SumiRun *run, GError **error)
{
  const Expand *o = run->options;
  g_autoptr (SumiModel) model = sumi_run_load_model (run, o->model, error);
  SumiFiller filler = get_filler (run, model);
  const SumiRect whole = { 0, 0, filler.canvas.width, filler.canvas.height };

  return model && sumi_filler_run (&filler, &whole, o->candidates, NULL, error);
}

const SumiTaskClass sumi_task_expand = {
  .key = "expand",
  .label = N_ ("_Expand canvas…"),
  .blurb = N_ ("Make the canvas larger and fill what is new"),
  .example = "--left 200 --right 200",
  .flags = SUMI_TASK_RESIZES,
  .options_size = sizeof (Expand),
  .common_offset = G_STRUCT_OFFSET (Expand, common),
  .options = options,
  .run = run,
  .peak = peak,
  .check = check,
};
