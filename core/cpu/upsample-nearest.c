/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A piece is a row of the input: written once, then copied to the row below it. */
#include <string.h>

#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

typedef struct
{
  const float *x;
  float *y;
  gsize width, channels; /* of x */
} Job;

static void
upsample_row (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize pixel = j->channels * sizeof (float), row = 2 * j->width * j->channels;
  const float *x = j->x + (gsize) index * j->width * j->channels;
  float *start = j->y + (gsize) index * 2 * row, *y = start;

  for (gsize i = 0; i < j->width; i++, x += j->channels, y += 2 * j->channels)
    {
      memcpy (y, x, pixel);
      memcpy (y + j->channels, x, pixel);
    }
  memcpy (start + row, start, row * sizeof (float));
}

static void
upsample_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  Job job = { sumi_tensor_f32 (in[0]), sumi_tensor_f32 (out), (gsize) in[0]->shape[2], (gsize) in[0]->shape[3] };

  sumi_parallel_for (ev->pool, in[0]->shape[0] * in[0]->shape[1], upsample_row, &job);
}

const SumiCpuKernel sumi_cpu_upsample_nearest = { "upsample-nearest", upsample_run };
