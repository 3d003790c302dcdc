/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/bench/bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/bench/measure.h"

/* more runs than this say nothing new */
#define MAX_RUNS 1000

const char *const sumi_bench_sections[] = { "machine", "ops", "networks", "tasks", NULL };
const char *const sumi_bench_kinds[] = { "conv", "linear", "attention", "norm", "other" };

gboolean
sumi_bench_run (SumiBench *bench, SumiBenchSection section, GError **error)
{
  static gboolean (*const sections[SUMI_BENCH_N_SECTIONS]) (SumiBench *, GError **) = {
    [SUMI_BENCH_MACHINE] = sumi_bench_machine,
    [SUMI_BENCH_OPS] = sumi_bench_ops,
  };

  return ! sections[section] || sections[section](bench, error);
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
sumi_bench_measure (void (*run) (gpointer data), gpointer data, double seconds)
{
  SumiBenchTime time = { 0 };
  g_autofree double *each = g_new (double, MAX_RUNS);
  double begin, cpu;

  run (data);
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
