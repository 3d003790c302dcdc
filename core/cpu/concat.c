/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A piece is a row of the output. */
#include <string.h>

#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

typedef struct
{
  const float *a, *b;
  float *y;
  gsize width, from_a, from_b; /* of y; channels */
  int shift;                   /* 1: a is enlarged */
} Job;

static void
concat_row (gpointer data, int index, int thread)
{
  const Job *j = data;
  const float *a = j->a + (gsize) (index >> j->shift) * (j->width >> j->shift) * j->from_a;
  const float *b = j->b + (gsize) index * j->width * j->from_b;
  float *y = j->y + (gsize) index * j->width * (j->from_a + j->from_b);

  for (gsize i = 0; i < j->width; i++, b += j->from_b)
    {
      memcpy (y, a + (i >> j->shift) * j->from_a, j->from_a * sizeof (float));
      memcpy (y + j->from_a, b, j->from_b * sizeof (float));
      y += j->from_a + j->from_b;
    }
}

static void
concat_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const SumiConcatParams *p = params;
  Job job = {
    .a = sumi_tensor_f32 (in[0]),
    .b = sumi_tensor_f32 (in[1]),
    .y = sumi_tensor_f32 (out),
    .width = (gsize) out->shape[2],
    .from_a = (gsize) in[0]->shape[3],
    .from_b = (gsize) in[1]->shape[3],
    .shift = p->enlarge ? 1 : 0,
  };

  sumi_parallel_for (ev->pool, out->shape[0] * out->shape[1], concat_row, &job);
}

const SumiCpuKernel sumi_cpu_concat = { "concat", concat_run };
