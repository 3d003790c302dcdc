/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Task upscale: the whole photo, larger. */
#include <glib/gi18n-lib.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/model/model.h"
#include "core/task/enlarge.h"
#include "core/task/stage.h"
#include "core/task/task.h"

typedef struct
{
  char *factor;
  double detail, denoise;
  char *model;
  SumiCommonOptions common;
} Upscale;

static const SumiChoice factors[] = {
  { "2", N_ ("Twice") }, { "3", N_ ("Three times") }, { "4", N_ ("Four times") }, { "8", N_ ("Eight times") }, { NULL },
};

static const SumiOption options[] = {
  {
      .key = "factor",
      .label = N_ ("_Factor"),
      .blurb = N_ ("How many times wider and higher"),
      .type = SUMI_OPTION_CHOICE,
      .offset = G_STRUCT_OFFSET (Upscale, factor),
      .text = "2",
      .choices = factors,
  },
  {
      .key = "detail",
      .label = N_ ("_Detail"),
      .blurb = N_ ("0 is the most faithful answer; more adds detail that the model imagines"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Upscale, detail),
      .max = 1,
  },
  {
      .key = "denoise",
      .label = N_ ("De_noise"),
      .blurb = N_ ("How noisy or JPEG-worn the photo is; 0 takes it as clean"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Upscale, denoise),
      .max = 1,
  },
  {
      .key = "model",
      .label = N_ ("_Model"),
      .blurb = N_ ("Name or file of the model"),
      .type = SUMI_OPTION_STRING,
      .flags = SUMI_OPTION_ADVANCED,
      .offset = G_STRUCT_OFFSET (Upscale, model),
      .text = "sumi-restore",
  },
  SUMI_COMMON_OPTIONS (Upscale),
  { NULL },
};

static gboolean
check (const SumiTaskInput *input, const void *values, GError **error)
{
  const Upscale *o = values;

  return sumi_enlarge_check_size (input->photo, (int) g_ascii_strtoll (o->factor, NULL, 10), error);
}

static SumiEnlarge
get_enlarge (const SumiRun *run, SumiModel *model, gboolean grey)
{
  const Upscale *o = run->options;
  SumiEnlarge e = {
    .photo = run->input->photo,
    .factor = (int) g_ascii_strtoll (o->factor, NULL, 10),
    .detail = o->detail,
    .denoise = o->denoise,
    .model = model,
    .grey = grey,
    .grey_noise = grey,
    .pool = run->pool,
    .bf16 = run->bf16,
    .memory = run->memory,
  };

  sumi_common_get_predict (run->common, 0, &e.how);
  e.how.mean = sumi_common_is_auto (run->common);
  return e;
}

static gboolean
peak (SumiRun *run, double *bytes, GError **error)
{
  const Upscale *o = run->options;
  g_autoptr (SumiModel) model = sumi_run_load_model (run, o->model, error);
  SumiEnlarge e;

  if (! model)
    return FALSE;
  e = get_enlarge (run, model, FALSE);
  if (! sumi_enlarge_get_peak (&e, bytes, error))
    return FALSE;
  *bytes += sumi_run_get_weight_bytes (run, model);
  return TRUE;
}

static gboolean
run (SumiRun *run, GError **error)
{
  const Upscale *o = run->options;
  SumiSource *photo = run->input->photo;
  const int factor = (int) g_ascii_strtoll (o->factor, NULL, 10);
  g_autoptr (SumiModel) model = sumi_run_load_model (run, o->model, error);
  g_autofree char *recipe = NULL;
  gboolean grey;
  SumiSink *sink;

  if (! model || ! sumi_enlarge_check (model, error) || ! sumi_source_is_grey (photo, &grey, run->job, error))
    return FALSE;
  recipe = sumi_run_dup_recipe (run, model, NULL);
  SumiResult result = {
    .count = 1,
    .width = photo->width * factor,
    .height = photo->height * factor,
    .canvas_width = photo->width * factor,
    .canvas_height = photo->height * factor,
    .scale = factor,
    .has_colour = ! grey,
    .recipe = recipe,
  };
  SumiEnlarge e = get_enlarge (run, model, grey);

  sink = run->open (run, &result, error);
  return sink && sumi_enlarge (&e, sink, run->job, error);
}

const SumiTaskClass sumi_task_upscale = {
  .key = "upscale",
  .label = N_ ("_Upscale…"),
  .blurb = N_ ("Make a photo larger and sharper than plain scaling can"),
  .flags = SUMI_TASK_RESIZES,
  .options_size = sizeof (Upscale),
  .common_offset = G_STRUCT_OFFSET (Upscale, common),
  .options = options,
  .run = run,
  .peak = peak,
  .check = check,
};
