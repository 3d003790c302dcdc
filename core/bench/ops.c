/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every op of every network, once with each of its shapes. */
#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/bench/measure.h"
#include "core/bench/shape.h"
#include "core/tensor/eval.h"
#include "core/tensor/prepared.h"
#include "core/tensor/tensor.h"

typedef struct
{
  const SumiBenchShape *shape;
  SumiEval *ev;
  SumiBenchData data;
} Work;

static void
call (gpointer data)
{
  Work *work = data;
  const SumiArenaMark mark = sumi_arena_mark (work->ev->scratch);

  work->shape->op->call (work->shape, work->ev, &work->data);
  sumi_arena_release (work->ev->scratch, mark);
}

static gboolean
measure (SumiBench *bench, SumiPool *pool, SumiBenchRow *row, GError **error)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiPrepared) prepared = sumi_prepared_new ();
  g_autoptr (SumiEval) ev = sumi_bench_new_eval (bench, pool);
  Work work = { .shape = row->shape, .ev = ev };

  if (! row->shape->op->prepare (row->shape, arena, &work.data))
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY,
                   "no memory for the %.0f MB of “%s %s”; leave it out by --filter", 1e-6 * row->bytes, row->network,
                   row->name);
      return FALSE;
    }
  /* as a model keeps its weights; what the first call makes of them is not timed */
  if (row->shape->op->weights >= 0)
    work.data.in[row->shape->op->weights]->prepared = prepared;
  row->time = sumi_bench_measure (call, &work, bench->seconds);
  row->memory = sumi_arena_get_peak (arena) + sumi_arena_get_peak (ev->scratch) + sumi_prepared_get_bytes (prepared);
  return sumi_eval_finish (ev, error);
}

static void
add_to_sum (SumiBenchRow *sum, const SumiBenchRow *row)
{
  sum->time.runs = MAX (sum->time.runs, row->time.runs);
  sum->time.best += row->count * row->time.best;
  sum->time.median += row->count * row->time.median;
  sum->time.cpu += row->count * row->time.cpu;
  sum->flops += row->count * row->flops;
  sum->bytes += row->count * row->bytes;
  sum->memory = MAX (sum->memory, row->memory);
}

static gboolean
measure_network (SumiBench *bench, SumiPool *pool, const SumiBenchNetwork *network, GError **error)
{
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (SumiBenchShape));
  SumiBenchRow sums[SUMI_BENCH_N_KINDS + 1] = { 0 };

  network->list (list);
  for (guint i = 0; i < list->len; i++)
    {
      const SumiBenchShape *shape = &g_array_index (list, SumiBenchShape, i);
      g_autofree char *name = sumi_bench_shape_dup_name (shape);
      SumiBenchRow row = { .section = SUMI_BENCH_OPS,
                           .network = network->key,
                           .name = name,
                           .kind = sumi_bench_kinds[shape->op->kind],
                           .threads = sumi_pool_get_n_threads (pool),
                           .count = shape->count,
                           .flops = shape->op->flops (shape),
                           .bytes = shape->op->bytes (shape),
                           .shape = shape };

      if (! sumi_bench_wants (bench, network->key, name))
        continue;
      if (! sumi_bench_check (bench, error))
        return FALSE;
      if (! bench->list)
        {
          row.peak = sumi_bench_get_peak (bench, pool);
          if (! measure (bench, pool, &row, error))
            return FALSE;
        }
      sumi_bench_emit (bench, &row);
      add_to_sum (&sums[shape->op->kind], &row);
      add_to_sum (&sums[SUMI_BENCH_N_KINDS], &row);
    }
  for (int k = 0; k <= SUMI_BENCH_N_KINDS; k++)
    if (sums[k].flops > 0)
      {
        const gboolean all = k == SUMI_BENCH_N_KINDS;

        sums[k].section = SUMI_BENCH_OPS;
        sums[k].network = network->key;
        sums[k].name = all ? "all" : sumi_bench_kinds[k];
        sums[k].kind = all ? NULL : sumi_bench_kinds[k];
        sums[k].threads = sumi_pool_get_n_threads (pool);
        sums[k].count = 1;
        sums[k].sum = TRUE;
        sums[k].peak = bench->peak;
        sumi_bench_emit (bench, &sums[k]);
      }
  return TRUE;
}

gboolean
sumi_bench_ops (SumiBench *bench, GError **error)
{
  g_autoptr (SumiPool) pool = sumi_pool_new (bench->threads);

  for (int i = 0; sumi_bench_networks[i]; i++)
    if (! measure_network (bench, pool, sumi_bench_networks[i], error))
      return FALSE;
  return TRUE;
}
