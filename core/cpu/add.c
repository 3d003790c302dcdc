/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/fast.h"
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define PIECE 16384

typedef struct
{
  const float *a, *b;
  float *y;
  gsize n;
} Job;

SUMI_CLONES static void
add_span (const float *a, const float *b, float *y, int n)
{
  for (int i = 0; i < n; i++)
    y[i] = a[i] + b[i];
}

static void
add_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize start = (gsize) index * PIECE;

  add_span (j->a + start, j->b + start, j->y + start, (int) MIN (j->n - start, PIECE));
}

static void
add_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  Job job = { sumi_tensor_f32 (in[0]), sumi_tensor_f32 (in[1]), sumi_tensor_f32 (out), sumi_tensor_count (out) };

  sumi_parallel_for (ev->pool, (int) ((job.n + PIECE - 1) / PIECE), add_piece, &job);
}

const SumiCpuKernel sumi_cpu_add = { "add", add_run };
