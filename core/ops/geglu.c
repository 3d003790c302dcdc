/* SPDX-License-Identifier: GPL-3.0-or-later */
/* [..., 2D] → [..., D]: x·gelu(gate), x and gate the halves of the last dimension (Shazeer 2020, "GLU variants improve
 * transformer", eq. 6; halves in the order of diffusers' GEGLU). */
#include <math.h>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/ops/gradient.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"

static gboolean
geglu_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  const int last = in[0]->n_dims - 1;

  if (last < 0 || in[0]->shape[last] % 2)
    {
      g_autofree char *got = sumi_tensor_describe (in[0]);

      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "geglu: x is %s, expected an even last dimension", got);
      return FALSE;
    }
  *out = *in[0];
  out->shape[last] /= 2;
  return TRUE;
}

static void
geglu_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const gsize width = (gsize) out->shape[out->n_dims - 1], rows = width ? sumi_tensor_count (out) / width : 0;

  for (gsize r = 0; r < rows; r++)
    for (gsize i = 0; i < width; i++)
      {
        const float *x = sumi_tensor_f32 (in[0]) + r * 2 * width;
        const double gate = x[width + i];

        sumi_tensor_f32 (out)[r * width + i] = (float) (x[i] * 0.5 * gate * erfc (-gate * G_SQRT2 / 2));
      }
}

typedef struct
{
  const float *x, *g, *add; /* add: (nullable) */
  float *grad;
  gsize width; /* of g */
} GradientJob;

static void
geglu_gradient_row (gpointer data, int index, int thread)
{
  const GradientJob *job = data;
  const gsize width = job->width, at = (gsize) index * 2 * width;
  const float *x = job->x + at, *g = job->g + (gsize) index * width, *add = job->add ? job->add + at : NULL;

  for (gsize i = 0; i < width; i++)
    {
      const double gate = x[width + i], of_x = g[i] * 0.5 * gate * erfc (-gate * G_SQRT2 / 2);
      const double of_gate = (double) g[i] * x[i] * sumi_gelu_slope (gate);

      job->grad[at + i] = (float) (of_x + (add ? add[i] : 0));
      job->grad[at + width + i] = (float) (of_gate + (add ? add[width + i] : 0));
    }
}

static void
geglu_gradient (SumiEval *ev, const SumiBackward *b)
{
  GradientJob job = {
    .x = sumi_tensor_f32 (b->in[0]),
    .g = sumi_tensor_f32 (b->g),
    .add = b->add[0] ? sumi_tensor_f32 (b->add[0]) : NULL,
    .grad = sumi_tensor_f32 (b->grad[0]),
    .width = (gsize) b->g->shape[b->g->n_dims - 1],
  };

  if (job.width)
    sumi_parallel_for (ev->pool, (int) (sumi_tensor_count (b->g) / job.width), geglu_gradient_row, &job);
}

static const SumiOpCase geglu_cases[] = {
  { .in = { { 2 } } },          { .in = { { 3, 14 } } },       { .in = { { 1, 1, 2 } } },
  { .in = { { 2, 67, 640 } } }, { .in = { { 1, 5, 3, 34 } } },
};

const SumiOpClass sumi_op_geglu = {
  .key = "geglu",
  .n_in = 1,
  .shape = geglu_shape,
  .reference = geglu_reference,
  .cases = geglu_cases,
  .n_cases = G_N_ELEMENTS (geglu_cases),
  .tolerance = 1e-13,
  .gradient = geglu_gradient,
  .keeps = 1 << 0,
};

SumiTensor *
sumi_geglu (SumiEval *ev, const SumiTensor *x, SumiTensor *out)
{
  return sumi_op_call (ev, &sumi_op_geglu, (const SumiTensor *const[]){ x }, NULL, out);
}
