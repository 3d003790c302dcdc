/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A piece is a row of the input, two rows of the output. */
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

typedef struct
{
  const float *x;
  float *y;
  gsize width, channels; /* of the picture with fewer, larger pixels; of the other */
} Job;

static void
shuffle_row (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize c = j->channels, row = 2 * j->width * c;
  const float *x = j->x + (gsize) index * 2 * row;
  float *y = j->y + (gsize) index * 2 * row;

  for (gsize i = 0; i < j->width; i++, y += 2 * c)
    for (gsize k = 0; k < c; k++, x += 4)
      {
        y[k] = x[0];
        y[c + k] = x[1];
        y[row + k] = x[2];
        y[row + c + k] = x[3];
      }
}

static void
shuffle_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  Job job = { sumi_tensor_f32 (in[0]), sumi_tensor_f32 (out), (gsize) in[0]->shape[2], (gsize) out->shape[3] };

  sumi_parallel_for (ev->pool, in[0]->shape[0] * in[0]->shape[1], shuffle_row, &job);
}

const SumiCpuKernel sumi_cpu_pixel_shuffle = { "pixel-shuffle", shuffle_run };
