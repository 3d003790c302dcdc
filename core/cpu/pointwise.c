/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/cpu/pointwise.h"

#include "core/base/parallel.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define PIECE 16384

typedef struct
{
  const float *x;
  float *y;
  gsize n;
  void (*span) (const float *x, float *y, int n);
} Job;

static void
run_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize start = (gsize) index * PIECE;

  j->span (j->x + start, j->y + start, (int) MIN (j->n - start, PIECE));
}

void
sumi_cpu_pointwise (SumiEval *ev, const SumiTensor *x, SumiTensor *out, void (*span) (const float *x, float *y, int n))
{
  Job job = { sumi_tensor_f32 (x), sumi_tensor_f32 (out), sumi_tensor_count (out), span };

  sumi_parallel_for (ev->pool, (int) ((job.n + PIECE - 1) / PIECE), run_piece, &job);
}
