/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/restore-project.h"

#include "core/base/parallel.h"
#include "core/tensor/eval.h"
#include "core/tensor/tape.h"
#include "core/tensor/tensor.h"

static const float luma[] = SUMI_RESTORE_LUMA;

typedef struct
{
  const float *e, *from, *add; /* e: missing, grey, coarse; add: (nullable) */
  float *to;
  gsize width;
  gboolean turned; /* the adjoint instead */
} ProjectJob;

static void
project_row (gpointer data, int index, int thread)
{
  const ProjectJob *job = data;
  const gsize at = 3 * (gsize) index * job->width;
  const float *e = job->e + at, *from = job->from + at, *add = job->add ? job->add + at : NULL;
  float *to = job->to + at;

  for (gsize i = 0; i < 3 * job->width; i += 3, e += 3)
    {
      const gboolean unknown = e[0] > 0 || e[2] > 0, grey = ! unknown && e[1] > 0;
      const float p[] = { from[i], from[i + 1], from[i + 2] };
      const float sum = ! grey      ? 0 :
                        job->turned ? p[0] + p[1] + p[2] :
                                      luma[0] * p[0] + luma[1] * p[1] + luma[2] * p[2];

      for (int c = 0; c < 3; c++)
        {
          const float value = unknown ? p[c] : grey ? p[c] - (job->turned ? luma[c] * sum : sum) : 0;

          to[i + (gsize) c] = add ? add[i + (gsize) c] + value : value;
        }
    }
}

/* Of v ← v − (l·v)·1, l the luminance's weights: g − l·(1·g). */
static void
project_gradient (SumiEval *ev, const SumiBackward *b)
{
  ProjectJob job = {
    .e = sumi_tensor_f32 (*(const SumiTensor *const *) b->params),
    .from = sumi_tensor_f32 (b->g),
    .add = b->add[0] ? sumi_tensor_f32 (b->add[0]) : NULL,
    .to = sumi_tensor_f32 (b->grad[0]),
    .width = (gsize) b->g->shape[2],
    .turned = TRUE,
  };

  sumi_parallel_for (ev->pool, b->g->shape[1], project_row, &job);
}

void
sumi_restore_project (SumiEval *ev, const SumiTensor *e, SumiTensor *x)
{
  const SumiTapeStep step = {
    .name = "project", .gradient = project_gradient, .n_in = 1, .over = 1 << 0, .params = &e, .params_size = sizeof e
  };
  ProjectJob job = { .width = (gsize) x->shape[2] };

  if (ev->error)
    return;
  if (ev->tape)
    sumi_tape_record (ev, &step, (const SumiTensor *const[]){ x }, x);
  job.e = sumi_tensor_f32 (e);
  job.from = job.to = sumi_tensor_f32 (x);
  sumi_parallel_for (ev->pool, x->shape[1], project_row, &job);
}
