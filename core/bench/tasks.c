/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tasks as a host runs them, on photos in memory; what they write is thrown away. The model is loaded each time, as
 * for a user. */
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/base/parallel.h"
#include "core/bench/measure.h"
#include "core/task/task.h"

typedef struct
{
  const char *name;
  const char *task;
  int width, height;
  int hole;                  /* 0: none */
  const char *options[3][2]; /* key, value */
} Case;

/* 12, 1 and 2 million pixels */
static const Case cases[] = {
  { "fill 128x128 of 12 MP", "fill", 4000, 3000, 128, { { NULL } } },
  { "fill 256x256 of 12 MP", "fill", 4000, 3000, 256, { { NULL } } },
  { "fill 512x512 of 12 MP", "fill", 4000, 3000, 512, { { NULL } } },
  { "colorize 12 MP", "colorize", 4000, 3000, 0, { { NULL } } },
  { "upscale 4x of 1 MP", "upscale", 1152, 864, 0, { { "factor", "4" } } },
  { "restore 2x of 2 MP", "restore", 1632, 1224, 0, { { "factor", "2" }, { "denoise", "0.5" } } },
};

typedef struct
{
  const SumiTaskClass *task;
  SumiTaskInput input;
  gpointer options;
  SumiJob job;
  SumiSink sink;
  GError *error;
} Work;

static gboolean
throw_away (SumiSink *sink, int y, int rows, const float *rgba, const float *coverage, GError **error)
{
  return TRUE;
}

static SumiSink *
open_sink (SumiRun *run, const SumiResult *result, GError **error)
{
  Work *work = run->user_data;

  work->sink = (SumiSink){ .width = result->width, .height = result->height, .write = throw_away };
  return &work->sink;
}

static void
go (gpointer data)
{
  Work *work = data;
  SumiRun run = { .input = &work->input, .options = work->options, .job = &work->job, .open = open_sink };

  run.user_data = work;
  if (! work->error)
    sumi_task_run (work->task, &run, &work->error);
}

static gboolean
set_options (const SumiBench *bench, const Case *c, Work *work, GError **error)
{
  g_autofree char *threads = g_strdup_printf ("%d", bench->threads);

  for (gsize i = 0; i < G_N_ELEMENTS (c->options) && c->options[i][0]; i++)
    if (! sumi_option_set_text (sumi_option_find (work->task->options, c->options[i][0]), work->options,
                                c->options[i][1], error))
      return FALSE;
  return sumi_option_set_text (sumi_option_find (work->task->options, "threads"), work->options, threads, error);
}

static gboolean
run_case (SumiBench *bench, const Case *c, Work *work, SumiBenchRow *row, GError **error)
{
  g_autoptr (SumiImage) picture = sumi_bench_make_photo (c->width, c->height, error);
  g_autoptr (SumiImage) hole = picture && c->hole ? sumi_bench_make_hole (c->width, c->height, c->hole, error) : NULL;
  g_autoptr (SumiSource) photo = picture ? sumi_source_new_image (picture) : NULL;
  g_autoptr (SumiSource) mask = hole ? sumi_source_new_image (hole) : NULL;
  gsize before;

  if (! picture || (c->hole && ! hole) || ! set_options (bench, c, work, error))
    return FALSE;
  work->input = (SumiTaskInput){ .photo = photo, .mask = mask };
  work->job.cancellable = bench->cancellable;
  before = sumi_bench_memory_reset ();
  row->time = sumi_bench_measure_cold (go, work, bench->seconds);
  row->memory = sumi_bench_memory_get_taken (before);
  sumi_bench_measure_serial (go, work, row);
  if (! work->error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&work->error));
  return FALSE;
}

static gboolean
measure (SumiBench *bench, const Case *c, int threads, GError **error)
{
  Work work = { .task = sumi_task_find (c->task) };
  SumiBenchRow row = {
    .section = SUMI_BENCH_TASKS, .name = c->name, .kind = c->task, .threads = threads, .count = 1, .serial = -1
  };
  gboolean ok;

  if (! work.task || ! sumi_bench_wants (bench, NULL, c->name))
    return TRUE;
  if (! sumi_bench_check (bench, error))
    return FALSE;
  work.options = sumi_task_new_options (work.task);
  ok = bench->list || run_case (bench, c, &work, &row, error);
  sumi_task_free_options (work.task, work.options);
  if (ok)
    sumi_bench_emit (bench, &row);
  return ok;
}

gboolean
sumi_bench_tasks (SumiBench *bench, GError **error)
{
  g_autoptr (SumiPool) pool = sumi_pool_new (bench->threads);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    if (! measure (bench, &cases[i], sumi_pool_get_n_threads (pool), error))
      return FALSE;
  return TRUE;
}
