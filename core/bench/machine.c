/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the machine can do at best: the figures that all others are shares of. */
#include <string.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/bench/measure.h"
#include "core/bench/peak.h"

/* one run: long enough to get up to speed, short enough to fit between other programs' turns */
#define TURNS      (1 << 18)
/* for the second-level cache where the system does not tell its size */
#define L2_BYTES   (256 * 1024)
#define READS      64
/* copied by each thread: more than any last-level cache gives to one */
#define COPY_BYTES (gsize) (128 << 20)

typedef struct
{
  SumiPool *pool;
  int threads;
  float (*loop) (gint64 n);
  const SumiBenchPeak *peak;
  char *from, *to; /* [threads, size] */
  gsize size;
  float sums[256];
} Work;

static void
turn (gpointer data, int index, int thread)
{
  Work *work = data;

  work->sums[index] = work->loop (TURNS);
}

static void
copy (gpointer data, int index, int thread)
{
  const Work *work = data;
  const gsize at = (gsize) index * work->size;

  memcpy (work->to + at, work->from + at, work->size);
}

static void
read_again (gpointer data, int index, int thread)
{
  Work *work = data;

  work->sums[index] = 0;
  for (int i = 0; i < READS; i++)
    work->sums[index] += work->peak->read ((const float *) (work->from + (gsize) index * work->size), work->size);
}

static void
turn_all (gpointer data)
{
  Work *work = data;

  sumi_parallel_for (work->pool, work->threads, turn, work);
}

static void
copy_all (gpointer data)
{
  Work *work = data;

  sumi_parallel_for (work->pool, work->threads, copy, work);
}

static void
read_all (gpointer data)
{
  Work *work = data;

  sumi_parallel_for (work->pool, work->threads, read_again, work);
}

/* Half of a core's second-level cache, so that nothing else drives it out. */
static gsize
cache_size (void)
{
  long size = -1;

#ifdef _SC_LEVEL2_CACHE_SIZE
  size = sysconf (_SC_LEVEL2_CACHE_SIZE);
#endif
  return size >= 2048 ? (gsize) size / 2 / 1024 * 1024 : L2_BYTES;
}

double
sumi_bench_get_peak (SumiBench *bench, SumiPool *pool)
{
  const SumiBenchPeak *peak = sumi_bench_peak ();
  const gboolean bf16 = bench->bf16 && peak->bf16;
  const double ops = bf16 ? peak->bf16_ops : peak->fma_ops;
  Work work = { .pool = pool, .threads = sumi_pool_get_n_threads (pool), .loop = bf16 ? peak->bf16 : peak->fma };

  /* by processor time: all threads at once, but other programs do not count */
  if (! bench->peak)
    bench->peak = work.threads * work.threads * ops * TURNS / sumi_bench_measure (turn_all, &work, 0.1).cpu;
  return bench->peak;
}

/* ---- rows ------------------------------------------------------------- */

static void
report (SumiBench *bench, Work *work, const char *what, void (*run) (gpointer data), double flops, double bytes)
{
  g_autofree char *name = g_strdup_printf ("%s, %d %s", what, work->threads, work->threads > 1 ? "threads" : "thread");
  SumiBenchRow row = { .section = SUMI_BENCH_MACHINE,
                       .name = name,
                       .threads = work->threads,
                       .count = 1,
                       .flops = work->threads * flops,
                       .bytes = work->threads * bytes };

  if (! sumi_bench_wants (bench, NULL, name))
    return;
  if (! bench->list)
    row.time = sumi_bench_measure (run, work, bench->seconds);
  sumi_bench_emit (bench, &row);
}

static gboolean
measure_loops (SumiBench *bench, Work *work)
{
  const SumiBenchPeak *peak = work->peak;
  const struct
  {
    const char *what;
    float (*loop) (gint64 n);
    double ops;
  } loops[] = {
    { "fp32 FMA", peak->fma, peak->fma_ops },
    { "bf16 dot", peak->bf16, peak->bf16_ops },
    { "int8 dot", peak->int8, peak->int8_ops },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (loops); i++)
    if (loops[i].loop)
      {
        g_autofree char *name = g_strdup_printf ("%s, %s", loops[i].what, peak->key);

        work->loop = loops[i].loop;
        report (bench, work, name, turn_all, loops[i].ops * TURNS, 0);
      }
  return TRUE;
}

static gboolean
measure_memory (SumiBench *bench, Work *work, GError **error)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  const gsize most = COPY_BYTES * (gsize) work->threads;
  g_autofree char *cache = NULL;

  work->from = sumi_arena_alloc (arena, most);
  work->to = sumi_arena_alloc (arena, most);
  if (! work->from || ! work->to)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY,
                   "no memory for two buffers of %.0f MB to copy; try fewer --threads", 1e-6 * (double) most);
      return FALSE;
    }
  if (! bench->list) /* pages exist only once they are written */
    {
      memset (work->from, 0, most);
      memset (work->to, 0, most);
    }
  work->size = COPY_BYTES;
  report (bench, work, "copy, read + written", copy_all, 0, 2.0 * (double) work->size);
  work->size = cache_size ();
  cache = g_strdup_printf ("L2 read, %d KB", (int) (work->size / 1024));
  report (bench, work, cache, read_all, 0, READS * (double) work->size);
  return TRUE;
}

gboolean
sumi_bench_machine (SumiBench *bench, GError **error)
{
  const int both[] = { 1, bench->threads };

  for (int i = 0; i < 2; i++)
    {
      g_autoptr (SumiPool) pool = sumi_pool_new (both[i]);
      Work work = { .pool = pool, .threads = sumi_pool_get_n_threads (pool), .peak = sumi_bench_peak () };

      if (i && work.threads == 1)
        break;
      if (! sumi_bench_check (bench, error) || ! measure_loops (bench, &work) || ! measure_memory (bench, &work, error))
        return FALSE;
    }
  return TRUE;
}
