/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spans of pixels that stay in the first-level cache: one pass sums the squares over the channels, a second one scales,
 * shifts and applies silu, vectorised along the pixels. */
#include <math.h>

#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/cpu/fast.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define SPAN 128

typedef struct
{
  const float *x, *g, *ac; /* ac: [N, 2C] or NULL */
  float *y;
  int channels;
  int spans; /* per picture */
  gsize plane;
} Job;

/* @x, @y: [C] rows of @n ≤ SPAN pixels, @plane apart */
SUMI_CLONES static void
rms_silu_span (const float *x, const float *g, const float *ac, float *y, int channels, gsize plane, int n)
{
  float scale[SPAN] = { 0 };

  for (int c = 0; c < channels; c++)
    for (int i = 0; i < n; i++)
      scale[i] += x[(gsize) c * plane + (gsize) i] * x[(gsize) c * plane + (gsize) i];
  for (int i = 0; i < n; i++)
    scale[i] = 1 / sqrtf (scale[i] / (float) channels + (float) SUMI_RMS_EPSILON);
  for (int c = 0; c < channels; c++)
    {
      const float factor = ac ? g[c] * (1 + ac[c]) : g[c], shift = ac ? ac[channels + c] : 0;

      for (int i = 0; i < n; i++)
        y[(gsize) c * plane + (gsize) i] =
            sumi_fast_silu (x[(gsize) c * plane + (gsize) i] * scale[i] * factor + shift);
    }
}

static void
rms_silu_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize n = (gsize) (index / j->spans), start = (gsize) (index % j->spans) * SPAN;
  const gsize at = n * (gsize) j->channels * j->plane + start;

  rms_silu_span (j->x + at, j->g, j->ac ? j->ac + n * (gsize) (2 * j->channels) : NULL, j->y + at, j->channels,
                 j->plane, (int) MIN (j->plane - start, SPAN));
}

static void
rms_silu_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  Job job = {
    .x = sumi_tensor_f32 (in[0]),
    .g = sumi_tensor_f32 (in[1]),
    .ac = in[2] ? sumi_tensor_f32 (in[2]) : NULL,
    .y = sumi_tensor_f32 (out),
    .channels = out->shape[1],
    .plane = (gsize) out->shape[2] * (gsize) out->shape[3],
  };

  job.spans = (int) ((job.plane + SPAN - 1) / SPAN);
  sumi_parallel_for (ev->pool, out->shape[0] * job.spans, rms_silu_piece, &job);
}

const SumiCpuKernel sumi_cpu_rms_silu = { "rms-silu", rms_silu_run };
