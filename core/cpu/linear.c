/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A product with the packed weight; rows and panels are shared out. */
#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/half.h"
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/cpu/product.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define ROWS 128

typedef struct
{
  SumiPacked packed;
  const float *x, *b;
  float *y;
  guint16 *rows; /* bf16: [threads, ROWS, depth] */
  int m, panels, group, n_groups;
} Job;

static void
run_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const int first = index / j->n_groups * ROWS, from = index % j->n_groups * j->group, m = MIN (ROWS, j->m - first);
  const gsize k = (gsize) j->packed.k, depth = sumi_packed_depth (&j->packed), n = (gsize) j->packed.n;
  const float *x = j->x + (gsize) first * k;
  guint16 *rows = j->rows ? j->rows + (gsize) thread * ROWS * depth : NULL;

  for (int i = 0; rows && i < m; i++)
    {
      rows[(gsize) (i + 1) * depth - 1] = 0;
      sumi_float_to_bfloat (x + (gsize) i * k, rows + (gsize) i * depth, k);
    }
  sumi_product (&j->packed, from, MIN (j->panels, from + j->group), m, rows ? (gconstpointer) rows : x, depth, j->b,
                NULL, j->y + (gsize) first * n, n);
}

static void
linear_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const SumiCpuIsa *isa = sumi_cpu_isa ();
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  const int n_threads = sumi_pool_get_n_threads (ev->pool);
  Job j = {
    .packed = {
      .isa = isa, .n = in[1]->shape[0], .k = in[1]->shape[1], .bf16 = ev->bf16 && isa->product_bf16,
    },
    .x = sumi_tensor_f32 (in[0]),
    .b = in[2] ? sumi_tensor_f32 (in[2]) : NULL,
    .y = sumi_tensor_f32 (out),
  };
  int blocks;

  j.m = (int) (sumi_tensor_count (out) / (gsize) MAX (1, j.packed.n));
  blocks = (j.m + ROWS - 1) / ROWS;
  j.panels = sumi_panel_count (isa, j.packed.n);
  j.group = sumi_panel_group (j.panels, 1, blocks, n_threads);
  j.n_groups = (j.panels + j.group - 1) / j.group;
  if (j.packed.bf16)
    {
      j.rows =
          sumi_arena_alloc (ev->scratch, sizeof (guint16) * ROWS * sumi_packed_depth (&j.packed) * (gsize) n_threads);
      if (! j.rows)
        sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "no memory for a product of %d rows", j.m);
    }
  if (! ev->error && sumi_packed_prepare (ev, &j.packed, in[1], 1))
    sumi_parallel_for (ev->pool, blocks * j.n_groups, run_piece, &j);
  sumi_arena_release (ev->scratch, mark);
}

const SumiCpuKernel sumi_cpu_linear = { "linear", linear_run };
