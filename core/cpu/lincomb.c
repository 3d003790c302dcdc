/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In double, as the reference. */
#include "core/base/fast.h"
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define PIECE 16384

typedef struct
{
  const float *a, *b, *c; /* b, c: nullable */
  float *y;
  gsize n;
  const SumiLincombParams *params;
} Job;

SUMI_CLONES static void
scale (double alpha, const float *a, float *y, int n)
{
  for (int i = 0; i < n; i++)
    y[i] = (float) (alpha * a[i]);
}

SUMI_CLONES static void
combine_2 (double alpha, const float *a, double beta, const float *b, float *y, int n)
{
  for (int i = 0; i < n; i++)
    y[i] = (float) (alpha * a[i] + beta * b[i]);
}

SUMI_CLONES static void
combine_3 (double alpha, const float *a, double beta, const float *b, double gamma, const float *c, float *y, int n)
{
  for (int i = 0; i < n; i++)
    y[i] = (float) (alpha * a[i] + beta * b[i] + gamma * c[i]);
}

static void
lincomb_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const SumiLincombParams *p = j->params;
  const gsize start = (gsize) index * PIECE;
  const int n = (int) MIN (j->n - start, PIECE);
  const float *a = j->a + start;
  float *y = j->y + start;

  if (j->b && j->c)
    combine_3 (p->alpha, a, p->beta, j->b + start, p->gamma, j->c + start, y, n);
  else if (j->b)
    combine_2 (p->alpha, a, p->beta, j->b + start, y, n);
  else if (j->c)
    combine_2 (p->alpha, a, p->gamma, j->c + start, y, n);
  else
    scale (p->alpha, a, y, n);
}

static void
lincomb_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  Job job = {
    .a = sumi_tensor_f32 (in[0]),
    .b = in[1] ? sumi_tensor_f32 (in[1]) : NULL,
    .c = in[2] ? sumi_tensor_f32 (in[2]) : NULL,
    .y = sumi_tensor_f32 (out),
    .n = sumi_tensor_count (out),
    .params = params,
  };

  sumi_parallel_for (ev->pool, (int) ((job.n + PIECE - 1) / PIECE), lincomb_piece, &job);
}

const SumiCpuKernel sumi_cpu_lincomb = { "lincomb", lincomb_run };
