/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Task restore: scratches filled, noise cleaned, coloured, enlarged; any of them, in one go. Each stage reads what
 * the one before gives: mend → colour → clean and enlarge, which is one answer of the model. */
#include <glib/gi18n-lib.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/model/model.h"
#include "core/task/enlarge.h"
#include "core/task/mend.h"
#include "core/task/stage.h"
#include "core/task/task.h"
#include "core/task/tint.h"

typedef struct
{
  char *factor;
  gboolean colorize;
  double denoise, detail, saturation;
  char *model, *fill_model;
  SumiCommonOptions common;
} Restore;

static const SumiChoice factors[] = {
  { "1", N_ ("As it is") },   { "2", N_ ("Twice") },       { "3", N_ ("Three times") },
  { "4", N_ ("Four times") }, { "8", N_ ("Eight times") }, { NULL },
};

static const SumiOption options[] = {
  {
      .key = "factor",
      .label = N_ ("_Factor"),
      .blurb = N_ ("How many times wider and higher"),
      .type = SUMI_OPTION_CHOICE,
      .offset = G_STRUCT_OFFSET (Restore, factor),
      .text = "1",
      .choices = factors,
  },
  {
      .key = "colorize",
      .label = N_ ("_Colour it"),
      .blurb = N_ ("Colour a black-and-white photo"),
      .type = SUMI_OPTION_BOOL,
      .offset = G_STRUCT_OFFSET (Restore, colorize),
      .max = 1,
  },
  {
      .key = "denoise",
      .label = N_ ("De_noise"),
      .blurb = N_ ("How noisy or JPEG-worn the photo is; 0 takes it as clean"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Restore, denoise),
      .max = 1,
  },
  {
      .key = "detail",
      .label = N_ ("_Detail"),
      .blurb = N_ ("0 is the most faithful answer; more adds detail that the model imagines"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Restore, detail),
      .max = 1,
  },
  {
      .key = "saturation",
      .label = N_ ("_Saturation"),
      .blurb = N_ ("How strong the colours are; 1 is as the model and the strokes say"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Restore, saturation),
      .max = 2,
      .value = 1,
  },
  {
      .key = "model",
      .label = N_ ("_Model"),
      .blurb = N_ ("Name or file of the model"),
      .type = SUMI_OPTION_STRING,
      .flags = SUMI_OPTION_ADVANCED,
      .offset = G_STRUCT_OFFSET (Restore, model),
      .text = "sumi-restore",
  },
  {
      .key = "fill-model",
      .label = N_ ("Model for _holes"),
      .blurb = N_ ("Name or file of the model that fills what is masked"),
      .type = SUMI_OPTION_STRING,
      .flags = SUMI_OPTION_ADVANCED,
      .offset = G_STRUCT_OFFSET (Restore, fill_model),
      .text = "patches",
  },
  SUMI_COMMON_OPTIONS (Restore),
  { NULL },
};

static int
get_factor (const Restore *o)
{
  return (int) g_ascii_strtoll (o->factor, NULL, 10);
}

static gboolean
check (const SumiTaskInput *input, const void *values, GError **error)
{
  const Restore *o = values;

  if (! input->mask && ! o->colorize && o->denoise <= 0 && get_factor (o) == 1)
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                           "nothing to restore: give a mask of what to fill, or ask for colorize, denoise or a factor");
      return FALSE;
    }
  if (input->hints && ! o->colorize)
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                           "colour hints are given, but colorize is not asked for");
      return FALSE;
    }
  return sumi_tint_check_hints (input->hints, error) && sumi_enlarge_check_size (input->photo, get_factor (o), error);
}

/* Wraps the photo in the stages asked for, but the last; @weight: shares of the work. */
static gboolean
prepare (SumiRun *run, SumiModel *model, gboolean grey, SumiSource **mended, SumiSource **coloured, GError **error)
{
  const Restore *o = run->options;
  SumiSource *photo = run->input->photo;
  SumiJobRange outer;

  if (run->input->mask)
    {
      g_autoptr (SumiModel) filler = sumi_run_load_model (run, o->fill_model, error);

      if (! filler)
        return FALSE;
      outer = sumi_job_enter (run->job, 0, o->colorize ? 0.5 : 1);
      *mended = sumi_mend_source_new (run, grey, filler, run->job, error);
      sumi_job_leave (run->job, outer);
      if (! *mended)
        return FALSE;
      photo = *mended;
    }
  if (o->colorize)
    {
      SumiTint tint = {
        .photo = photo,
        .hints = run->input->hints,
        .model = model,
        .pool = run->pool,
        .bf16 = run->bf16,
        .memory = run->memory,
      };
      g_autoptr (SumiImage) map = NULL;

      sumi_common_get_predict (run->common, 0, &tint.how);
      tint.how.mean = sumi_common_is_auto (run->common);
      outer = sumi_job_enter (run->job, run->input->mask ? 0.5 : 0, 1);
      map = sumi_tint_plan (&tint, run->job, error);
      sumi_job_leave (run->job, outer);
      if (! map)
        return FALSE;
      *coloured = sumi_tint_source_new (photo, map, o->saturation, run->pool);
    }
  return TRUE;
}

static SumiEnlarge
get_enlarge (const SumiRun *run, SumiSource *photo, SumiModel *model, gboolean grey)
{
  const Restore *o = run->options;
  SumiEnlarge e = {
    .photo = photo,
    .factor = get_factor (o),
    .detail = o->detail,
    .denoise = o->denoise,
    .model = model,
    .grey = grey,
    .grey_noise = grey || o->colorize,
    .pool = run->pool,
    .bf16 = run->bf16,
    .memory = run->memory,
  };

  sumi_common_get_predict (run->common, 0, &e.how);
  e.how.mean = sumi_common_is_auto (run->common);
  return e;
}

/* The stages make what the next one reads one after the other; what they keep adds up. */
static gboolean
peak (SumiRun *run, double *bytes, GError **error)
{
  const Restore *o = run->options;
  const gboolean last = get_factor (o) > 1 || o->denoise > 0;
  g_autoptr (SumiModel) model = last || o->colorize ? sumi_run_load_model (run, o->model, error) : NULL;
  g_autoptr (SumiModel) filler = run->input->mask ? sumi_run_load_model (run, o->fill_model, error) : NULL;
  double most = 40.0 * (1 << 17), kept = 0, one = 0;

  if ((! model && (last || o->colorize)) || (! filler && run->input->mask))
    return FALSE;
  if (filler)
    {
      if (! sumi_mend_get_peak (run, filler, &most, &kept, error))
        return FALSE;
      kept += sumi_run_get_weight_bytes (run, filler);
      most += sumi_run_get_weight_bytes (run, filler);
    }
  kept += model ? sumi_run_get_weight_bytes (run, model) : 0;
  if (o->colorize)
    {
      SumiTint tint = { .photo = run->input->photo, .hints = run->input->hints, .model = model, .memory = run->memory };

      sumi_common_get_predict (run->common, 0, &tint.how);
      tint.how.mean = sumi_common_is_auto (run->common);
      if (! sumi_tint_get_peak (&tint, &one, error))
        return FALSE;
      most = MAX (most, kept + one);
      kept += 20e6; /* the map, and the bands that are coloured */
    }
  if (last)
    {
      const SumiEnlarge e = get_enlarge (run, run->input->photo, model, FALSE);

      if (! sumi_enlarge_get_peak (&e, &one, error))
        return FALSE;
      most = MAX (most, kept + one);
    }
  *bytes = most;
  return TRUE;
}

static gboolean
run (SumiRun *run, GError **error)
{
  const Restore *o = run->options;
  SumiSource *photo = run->input->photo;
  const int factor = get_factor (o);
  const gboolean last = factor > 1 || o->denoise > 0;
  /* then what is not masked stays the host's own numbers, to the last bit */
  const gboolean only_mends = ! last && ! o->colorize;
  g_autoptr (SumiModel) model = NULL;
  g_autoptr (SumiSource) mended = NULL, coloured = NULL;
  g_autofree char *recipe = NULL;
  SumiJobRange outer;
  SumiSink *sink;
  gboolean grey, ok;

  /* only what is asked for needs the network's file */
  if (last || o->colorize)
    {
      model = sumi_run_load_model (run, o->model, error);
      if (! model || (last && ! sumi_enlarge_check (model, error)) || (o->colorize && ! sumi_tint_check (model, error)))
        return FALSE;
    }
  if (! sumi_source_is_grey (photo, &grey, run->job, error))
    return FALSE;

  outer = sumi_job_enter (run->job, 0, last ? 0.4 : 0.9);
  ok = prepare (run, model, grey, &mended, &coloured, error);
  sumi_job_leave (run->job, outer);
  if (! ok)
    return FALSE;
  photo = coloured ? coloured : mended ? mended : photo;
  grey = grey && ! o->colorize;

  recipe = sumi_run_dup_recipe (run, model, NULL);
  SumiResult result = {
    .count = 1,
    .width = photo->width * factor,
    .height = photo->height * factor,
    .canvas_width = photo->width * factor,
    .canvas_height = photo->height * factor,
    .scale = factor,
    .has_coverage = only_mends,
    .has_colour = ! grey,
    .recipe = recipe,
  };
  sink = run->open (run, &result, error);
  if (! sink)
    return FALSE;

  outer = sumi_job_enter (run->job, last ? 0.4 : 0.9, 1);
  if (last)
    {
      const SumiEnlarge e = get_enlarge (run, photo, model, grey);

      ok = sumi_enlarge (&e, sink, run->job, error);
    }
  else
    {
      ok = sumi_source_copy (photo, only_mends ? run->input->mask : NULL, sink, run->job, error);
    }
  sumi_job_leave (run->job, outer);
  return ok;
}

const SumiTaskClass sumi_task_restore = {
  .key = "restore",
  .label = N_ ("_Restore…"),
  .blurb = N_ ("Repair an old photo: fill scratches, clean noise, colour and enlarge it, in any combination"),
  .example = "--colorize --denoise 0.3",
  .flags = SUMI_TASK_MASK_OPTIONAL | SUMI_TASK_HINTS | SUMI_TASK_RESIZES,
  .options_size = sizeof (Restore),
  .common_offset = G_STRUCT_OFFSET (Restore, common),
  .options = options,
  .run = run,
  .peak = peak,
  .check = check,
};
