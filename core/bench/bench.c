/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/bench/bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "core/base/parallel.h"
#include "core/bench/measure.h"
#include "core/tensor/backend.h"
#include "core/tensor/eval.h"

/* more runs than this say nothing new */
#define MAX_RUNS 1000

const char *const sumi_bench_sections[] = { "machine", "ops", "networks", "tasks", NULL };
const char *const sumi_bench_kinds[] = { "conv", "linear", "attention", "norm", "other" };

gboolean
sumi_bench_run (SumiBench *bench, SumiBenchSection section, GError **error)
{
  static gboolean (*const sections[]) (SumiBench *, GError **) = {
    [SUMI_BENCH_MACHINE] = sumi_bench_machine,
    [SUMI_BENCH_OPS] = sumi_bench_ops,
    [SUMI_BENCH_NETWORKS] = sumi_bench_calls,
    [SUMI_BENCH_TASKS] = sumi_bench_tasks,
  };

  return sections[section](bench, error);
}

gboolean
sumi_bench_wants (const SumiBench *bench, const char *network, const char *name)
{
  g_autofree char *full = network ? g_strdup_printf ("%s %s", network, name) : NULL;

  return ! bench->filter || strstr (full ? full : name, bench->filter);
}

gboolean
sumi_bench_check (const SumiBench *bench, GError **error)
{
  return ! g_cancellable_set_error_if_cancelled (bench->cancellable, error);
}

void
sumi_bench_emit (SumiBench *bench, const SumiBenchRow *row)
{
  bench->row (bench, row);
}

SumiEval *
sumi_bench_new_eval (const SumiBench *bench, SumiPool *pool)
{
  SumiEval *ev = sumi_eval_new (sumi_backend_default (), pool);

  ev->cancellable = bench->cancellable;
  ev->bf16 = bench->bf16;
  return ev;
}

static double
seconds_of (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

SumiBenchTime
sumi_bench_measure_cold (void (*run) (gpointer data), gpointer data, double seconds)
{
  SumiBenchTime time = { 0 };
  g_autofree double *each = g_new (double, MAX_RUNS);
  double begin, cpu;

  begin = seconds_of (CLOCK_MONOTONIC);
  cpu = seconds_of (CLOCK_PROCESS_CPUTIME_ID);
  do
    {
      const double wall = seconds_of (CLOCK_MONOTONIC);

      run (data);
      each[time.runs++] = seconds_of (CLOCK_MONOTONIC) - wall;
    }
  while (time.runs < MAX_RUNS && seconds_of (CLOCK_MONOTONIC) - begin < seconds);
  /* of all runs: other threads' clocks are only brought up to date a hundred times a second or so */
  time.cpu = (seconds_of (CLOCK_PROCESS_CPUTIME_ID) - cpu) / time.runs;
  qsort (each, (gsize) time.runs, sizeof *each, compare);
  time.best = each[0];
  time.median = each[time.runs / 2];
  return time;
}

SumiBenchTime
sumi_bench_measure (void (*run) (gpointer data), gpointer data, double seconds)
{
  run (data);
  return sumi_bench_measure_cold (run, data, seconds);
}

void
sumi_bench_measure_serial (void (*run) (gpointer data), gpointer data, SumiBenchRow *row)
{
  SumiParallelWatch watch = { .threads = 64 };
  double all = seconds_of (CLOCK_THREAD_CPUTIME_ID), serial;

  sumi_parallel_watch (&watch);
  run (data);
  sumi_parallel_watch (NULL);
  all = seconds_of (CLOCK_THREAD_CPUTIME_ID) - all;
  serial = MAX (all - watch.shared, 0);
  row->serial = all > 0 ? serial / all : -1;
  row->most_64 = all / (serial + watch.spread);
}

/* ---- memory ------------------------------------------------------------ */

/* A line of this process's status in bytes, 0 when there is none. */
static gsize
read_status (const char *key)
{
  g_autofree char *text = NULL;
  const char *line = NULL;

  if (g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    line = strstr (text, key);
  return line ? 1024 * (gsize) g_ascii_strtoull (line + strlen (key), NULL, 10) : 0;
}

/* before the last reset */
static gsize peak_before;

gsize
sumi_bench_get_peak_memory (void)
{
  return MAX (peak_before, read_status ("VmHWM:"));
}

gsize
sumi_bench_memory_reset (void)
{
  const int file = open ("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

  peak_before = sumi_bench_get_peak_memory ();
#ifdef __GLIBC__
  /* what earlier rows freed shall not stay resident */
  malloc_trim (0);
#endif
  if (file >= 0)
    {
      /* "5" sets VmHWM to what is resident now; where that is refused, the peak of before stays */
      if (write (file, "5", 1) != 1)
        g_debug ("the peak of memory cannot be reset");
      close (file);
    }
  return read_status ("VmRSS:");
}

gsize
sumi_bench_memory_get_taken (gsize before)
{
  const gsize peak = read_status ("VmHWM:");

  return peak > before ? peak - before : 0;
}
