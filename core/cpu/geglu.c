/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows are shared out; each is one vectorised pass. */
#include "core/base/fast.h"
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define PIECE 16384

typedef struct
{
  const float *x;
  float *y;
  gsize rows, width, span; /* span: rows of a piece */
} Job;

SUMI_CLONES static void
geglu_row (const float *restrict x, const float *restrict gate, float *restrict y, gsize n)
{
  for (gsize i = 0; i < n; i++)
    y[i] = x[i] * sumi_fast_gelu (gate[i]);
}

static void
geglu_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize start = (gsize) index * j->span, end = MIN (start + j->span, j->rows);

  for (gsize r = start; r < end; r++)
    geglu_row (j->x + r * 2 * j->width, j->x + (r * 2 + 1) * j->width, j->y + r * j->width, j->width);
}

static void
geglu_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  Job job = { .x = sumi_tensor_f32 (in[0]), .y = sumi_tensor_f32 (out), .width = (gsize) out->shape[out->n_dims - 1] };

  job.rows = job.width ? sumi_tensor_count (out) / job.width : 0;
  job.span = MAX (1, PIECE / MAX (1, job.width));
  sumi_parallel_for (ev->pool, (int) ((job.rows + job.span - 1) / job.span), geglu_piece, &job);
}

const SumiCpuKernel sumi_cpu_geglu = { "geglu", geglu_run };
