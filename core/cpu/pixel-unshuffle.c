/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A piece is a row of the output, two rows of the input. */
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
unshuffle_row (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize c = j->channels, row = 2 * j->width * c;
  const float *x = j->x + (gsize) index * 2 * row;
  float *y = j->y + (gsize) index * 2 * row;

  for (gsize i = 0; i < j->width; i++, x += 2 * c)
    for (gsize k = 0; k < c; k++, y += 4)
      {
        y[0] = x[k];
        y[1] = x[c + k];
        y[2] = x[row + k];
        y[3] = x[row + c + k];
      }
}

static void
unshuffle_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  Job job = { sumi_tensor_f32 (in[0]), sumi_tensor_f32 (out), (gsize) out->shape[2], (gsize) in[0]->shape[3] };

  sumi_parallel_for (ev->pool, out->shape[0] * out->shape[1], unshuffle_row, &job);
}

const SumiCpuKernel sumi_cpu_pixel_unshuffle = { "pixel-unshuffle", unshuffle_run };
