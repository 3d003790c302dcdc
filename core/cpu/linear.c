/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Few rows, as the embeddings have: dot products along the weight's rows, outputs shared out in spans. */
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define SPAN 64

typedef struct
{
  const float *x, *w, *b;
  float *y;
  int n, d_in, d_out;
} Job;

static void
linear_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const int o = index * SPAN, n = MIN (SPAN, j->d_out - o);

  if (j->b)
    for (int i = 0; i < j->n; i++)
      for (int k = 0; k < n; k++)
        j->y[(gsize) i * (gsize) j->d_out + (gsize) (o + k)] = j->b[o + k];
  sumi_gemm (j->n, n, j->d_in, j->x, j->d_in, j->w + (gsize) o * (gsize) j->d_in, j->d_in, TRUE, j->y + o, j->d_out,
             j->b != NULL);
}

static void
linear_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  Job job = {
    .x = sumi_tensor_f32 (in[0]),
    .w = sumi_tensor_f32 (in[1]),
    .b = in[2] ? sumi_tensor_f32 (in[2]) : NULL,
    .y = sumi_tensor_f32 (out),
    .n = out->shape[0],
    .d_in = in[0]->shape[1],
    .d_out = out->shape[1],
  };

  sumi_parallel_for (ev->pool, (job.d_out + SPAN - 1) / SPAN, linear_piece, &job);
}

const SumiCpuKernel sumi_cpu_linear = { "linear", linear_run };
