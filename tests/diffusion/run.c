/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/diffusion/run.h"

#include <math.h>

#include "core/base/arena.h"
#include "core/base/parallel.h"
#include "core/diffusion/loop.h"
#include "core/diffusion/plan.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

const double run_starts[RUN_STARTS] = { -1.6, -0.7, -0.15, 0.3, 0.9, 1.8 };

typedef struct
{
  int stop, count;
  double *x;
} Stop;

static void
remember (gpointer data, int index, double sigma, const SumiTensor *x)
{
  Stop *s = data;

  for (int i = 0; i < s->count && index == s->stop; i++)
    s->x[i] = sumi_tensor_get (x, (gsize) i);
}

gboolean
run_try (Runner *r, double *x, int count, GError **error)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiPool) pool = sumi_pool_new (MAX (r->threads, 1));
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, pool);
  g_auto (SumiPlan) plan = { NULL };
  const SumiPlanNames names = { r->sampler, "karras", r->process, NULL, r->settings };
  const int rows = MAX (r->rows, 1);
  const int shape[] = { r->batch ? count : 1, rows, r->batch ? 1 : count / rows, 1 };
  SumiTensor *t = sumi_tensor_new (arena, r->f32 ? SUMI_DTYPE_F32 : SUMI_DTYPE_F64, 4, shape);
  Stop stop = { r->stop > 0 ? r->stop : r->n, count, x };
  SumiLoop loop = { .denoiser = r->denoiser,
                    .sigmas = r->sigmas,
                    .n_steps = r->n,
                    .churn = r->churn,
                    .seed = r->seed ? r->seed : RUN_SEED,
                    .method = r->method,
                    .trace = remember,
                    .trace_data = &stop };
  gboolean ok;

  if (! sumi_plan_init (&plan, &names, &names, error))
    return FALSE;
  loop.sampler = plan.sampler;
  loop.sampler_options = plan.sampler_options;
  loop.process = plan.process;
  for (int i = 0; i < count; i++)
    sumi_tensor_put (t, (gsize) i, x[i]);
  ok = sumi_loop_run (&loop, ev, t, r->start ? sumi_loop_start (&loop, ev, t) : 0, NULL, error);
  r->n_denoise = ev->n_denoise;
  return ok;
}

void
run_all (Runner *r, double *x, int count)
{
  g_autoptr (GError) error = NULL;

  run_try (r, x, count, &error);
  g_assert_no_error (error);
}

double
run_karras (double top, double bottom, double u)
{
  const double a = pow (top, 1 / 7.0), b = pow (bottom, 1 / 7.0);

  return pow (a + (b - a) * u, 7);
}
