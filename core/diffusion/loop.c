/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams: STREAMS_PER_STEP a step: draws 0 to 39 are the sampler's, 40 to 59 the method's, CHURN and JUMP the loop's;
 * those of step number −1, first in the range, are drawn before the run. */
#include "core/diffusion/loop.h"

#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/job.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/method.h"
#include "core/diffusion/plan.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define STREAMS_PER_STEP 64
#define CHURN_DRAW       60
#define JUMP_DRAW        61
#define MAX_STATE        8

/* ---- noise --------------------------------------------------------------- */

typedef struct
{
  SumiTensor *z;
  guint64 seed;
  guint32 stream;
  int x, y;
} NoiseJob;

/* One row; channels go in pairs because Box and Muller give two numbers. */
static void
noise_row (gpointer data, int index, int thread)
{
  const NoiseJob *j = data;
  const int height = j->z->shape[1], width = j->z->shape[2], channels = j->z->shape[3];
  const int n = index / height, row = index % height;
  gsize to = (gsize) index * (gsize) width * (gsize) channels;

  for (int i = 0; i < width; i++)
    for (int c = 0; c < channels; c += 2)
      {
        float pair[2];

        sumi_random_normal (j->seed, j->stream, j->x + i, j->y + row, (guint32) n << 16 | (guint32) c / 2, pair);
        sumi_tensor_put (j->z, to++, pair[0]);
        if (c + 1 < channels)
          sumi_tensor_put (j->z, to++, pair[1]);
      }
}

void
sumi_noise_fill (SumiEval *ev, SumiTensor *z, guint64 seed, guint32 stream, int x, int y)
{
  NoiseJob job = { z, seed, stream, x, y };
  SumiDims dims = { 0 };

  if (sumi_expect (ev, &dims, z, "N H W C", "noise"))
    sumi_parallel_for (ev->pool, z->shape[0] * z->shape[1], noise_row, &job);
}

static SumiTensor *
draw_seeded (const SumiLoop *loop, SumiEval *ev, const SumiTensor *like, guint64 seed, int turn, int number)
{
  SumiTensor *z = sumi_eval_tensor_like (ev, like);

  sumi_noise_fill (ev, z, seed, loop->stream + (guint32) ((turn + 1) * STREAMS_PER_STEP + number), loop->x, loop->y);
  if (sumi_eval_ok (ev) && loop->denoiser->project)
    loop->denoiser->project (loop->denoiser, ev, z);
  return z;
}

static SumiTensor *
draw (const SumiLoop *loop, SumiEval *ev, const SumiTensor *like, int turn, int number)
{
  return draw_seeded (loop, ev, like, loop->seed, turn, number);
}

SumiTensor *
sumi_step_noise_more (const SumiStep *step, SumiEval *ev, const SumiTensor *like, int own, int number)
{
  const guint64 seed = step->loop->seed;

  return draw_seeded (step->loop, ev, like, number ? sumi_random_hash (seed, 0, (guint64) number) : seed, step->turn,
                      own);
}

SumiTensor *
sumi_step_noise (const SumiStep *step, SumiEval *ev, const SumiTensor *like, int number)
{
  return draw (step->loop, ev, like, step->turn, number);
}

SumiTensor *
sumi_method_noise (const SumiMethod *self, SumiEval *ev, const SumiTensor *like, int number)
{
  return draw (self->loop, ev, like, -1, number);
}

/* ---- the method's part --------------------------------------------------- */

static const SumiMethodClass no_method = { .key = "none" };

static const SumiMethodClass *
method_class (const SumiLoop *loop)
{
  return loop->method ? loop->method->klass : &no_method;
}

/* The denoiser as a sampler sees it. */
typedef struct
{
  SumiDenoiser denoiser;
  SumiMethod *method;
} Conditioned;

static SumiTensor *
conditioned_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  SumiMethod *method = ((Conditioned *) self)->method;

  return method->klass->denoise (method, ev, x, sigma);
}

int
sumi_loop_start (const SumiLoop *loop, SumiEval *ev, SumiTensor *x)
{
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  int first = 0;

  if (loop->method)
    {
      loop->method->denoiser = loop->denoiser;
      loop->method->sigmas = loop->sigmas;
      loop->method->n_steps = loop->n_steps;
      loop->method->loop = loop;
      loop->method->step = NULL;
    }
  if (method_class (loop)->start)
    first = loop->method->klass->start (loop->method, ev, x);
  else if (loop->sigmas[0] > 0)
    sumi_lincomb (ev, 1, x, loop->sigmas[0], draw (loop, ev, x, -1, 0), 0, NULL, x);
  sumi_arena_release (ev->scratch, mark);
  return CLAMP (first, 0, loop->n_steps);
}

/* ---- the loop ------------------------------------------------------------ */

/* Karras et al. 2022, algorithm 2, lines 4 to 6: raise σ to σ̂ = σ(1 + γ) by fresh noise, γ ≤ √2 − 1, which doubles the
 * variance. γ is a share of the step's own fall instead of S_churn/N, so that what is renewed over a run, and the error
 * it brings, do not grow with the number of steps. */
static void
churn (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const double gamma = MIN (s->loop->churn * (s->sigma / s->sigma_next - 1), G_SQRT2 - 1);
  const double sigma_hat = s->sigma * (1 + gamma);
  const double added = sqrt (sigma_hat * sigma_hat - s->sigma * s->sigma);

  sumi_lincomb (ev, 1, x, added, sumi_step_noise (s, ev, x, CHURN_DRAW), 0, NULL, x);
  s->sigma = sigma_hat;
}

/* One run. */
typedef struct
{
  const SumiLoop *loop;
  SumiEval *ev;
  SumiTensor *x, *state[MAX_STATE];
  Conditioned conditioned;
  SumiStep step; /* what lives from step to step of it */
  double memory[SUMI_STEP_MEMORY];
} Run;

/* Rounding of a sampler's or an operator's sums must not change what is known exactly. */
static void
keep_known (const SumiObservation *seen, SumiEval *ev, SumiTensor *x)
{
  SumiTensor *map;

  if (! seen->free || ! seen->known || seen->noise > 0 || ! sumi_eval_ok (ev))
    return;
  map = sumi_eval_tensor_like (ev, seen->free);
  for (gsize i = 0; sumi_eval_ok (ev) && i < sumi_tensor_count (map); i++)
    sumi_tensor_put (map, i, sumi_tensor_get (seen->free, i) > 0);
  sumi_blend (ev, map, x, seen->known, x);
}

static void
run_step (Run *run, int index)
{
  const SumiLoop *loop = run->loop;
  const SumiMethodClass *method = method_class (loop);
  SumiStep *s = &run->step;
  SumiEval *ev = run->ev;

  s->index = index;
  s->sigma = loop->sigmas[index];
  s->sigma_next = loop->sigmas[index + 1];
  s->x0 = NULL;
  if (loop->method)
    loop->method->step = s;
  if (loop->churn > 0 && ! method->step && ! loop->sampler->own_churn && s->sigma > 0 && s->sigma_next > 0)
    churn (s, ev, run->x);
  if (method->step)
    method->step (loop->method, s, ev, run->x);
  else
    loop->sampler->step (s, ev, run->x);
  if (method->after && sumi_eval_ok (ev))
    method->after (loop->method, s, ev, run->x);
  if (loop->method && s->sigma_next == 0)
    keep_known (&loop->method->seen, ev, run->x);
  memmove (s->past + 1, s->past, sizeof s->past - sizeof *s->past);
  s->past[0] = s->sigma;
  s->n_past = MIN (s->n_past + 1, SUMI_STEP_PAST);
}

/* From the state at sigmas[from] back to the noisier sigmas[to]. */
static void
jump_back (Run *run, int from, int to)
{
  const double a = run->loop->sigmas[from], b = run->loop->sigmas[to];

  sumi_lincomb (run->ev, 1, run->x, sqrt (MAX (b * b - a * a, 0)),
                sumi_step_noise (&run->step, run->ev, run->x, JUMP_DRAW), 0, NULL, run->x);
  run->step.n_past = 0;
}

/* Returns: the step after @index. */
static int
finish_step (Run *run, int index, SumiJob *job)
{
  const SumiLoop *loop = run->loop;
  const SumiMethodClass *method = method_class (loop);
  const int wish = method->next ? method->next (loop->method, index) : index + 1;
  const int next = CLAMP (wish, 0, index + 1);

  if (run->step.x0 && loop->denoiser->preview)
    loop->denoiser->preview (loop->denoiser, run->step.x0, job);
  if (loop->trace)
    loop->trace (loop->trace_data, index + 1, loop->sigmas[index + 1], run->x);
  if (next <= index)
    jump_back (run, index + 1, next);
  return next;
}

static void
explain (const Run *run, int index)
{
  SumiEval *ev = run->ev;

  if (! ev->error && ! sumi_is_finite (run->x))
    sumi_eval_fail (
        ev, SUMI_ERROR_NUMBER,
        "σ = %g: the sampler's or the method's step made the picture not finite; take more steps, or another "
        "sampler",
        run->step.sigma_next);
  if (g_error_matches (ev->error, SUMI_ERROR, SUMI_ERROR_NUMBER))
    g_prefix_error (&ev->error, "step %d of %d, ", index + 1, run->loop->n_steps);
}

static gboolean
run_steps (Run *run, int first, SumiJob *job, GError **error)
{
  const SumiLoop *loop = run->loop;
  SumiEval *ev = run->ev;
  const SumiMethodClass *method = method_class (loop);
  const int total = method->count ? method->count (loop->method) : loop->n_steps - first;

  if (loop->trace)
    loop->trace (loop->trace_data, first, loop->sigmas[first], run->x);
  for (int i = first; i < loop->n_steps && sumi_eval_ok (ev); run->step.turn++)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      const int index = i;

      if (! sumi_job_check (job, error))
        return FALSE;
      run_step (run, index);
      if (! ev->error)
        i = finish_step (run, index, job);
      if (ev->error || i == loop->n_steps)
        explain (run, index);
      sumi_arena_release (ev->scratch, mark);
      sumi_job_progress (job, MIN (1, (run->step.turn + 1.0) / MAX (total, 1)), NULL);
    }
  return sumi_eval_finish (ev, error);
}

gboolean
sumi_loop_run (const SumiLoop *loop, SumiEval *ev, SumiTensor *x, int first, SumiJob *job, GError **error)
{
  const SumiSamplerClass *sampler = loop->sampler;
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  gpointer defaults = NULL;
  Run run = { .loop = loop, .ev = ev, .x = x, .conditioned = { *loop->denoiser, loop->method } };
  gboolean ok;

  g_return_val_if_fail (sampler->n_state <= MAX_STATE, FALSE);
  for (int i = 0; i < sampler->n_state; i++)
    {
      run.state[i] = sumi_eval_tensor_like (ev, x);
      if (! ev->error)
        memset (run.state[i]->data, 0, sumi_tensor_count (x) * sumi_dtype_size (x->dtype));
    }
  if (! loop->sampler_options && ! sumi_settings_new (sampler->options, sampler->options_size, NULL, &defaults, error))
    return FALSE;
  run.conditioned.denoiser.denoise = conditioned_denoise;
  run.conditioned.denoiser.vjp = NULL;
  run.conditioned.denoiser.composed = TRUE;
  run.step = (SumiStep){
    .denoiser = method_class (loop)->denoise ? &run.conditioned.denoiser : loop->denoiser,
    .process = loop->process ? loop->process : sumi_process_find ("edm", NULL),
    .count = loop->n_steps,
    .sigmas = loop->sigmas,
    .state = run.state,
    .memory = run.memory,
    .churn = loop->churn,
    .options = loop->sampler_options ? loop->sampler_options : defaults,
    .loop = loop,
  };
  ok = run_steps (&run, first, job, error);
  if (method_class (loop)->finish)
    loop->method->klass->finish (loop->method);
  if (loop->method)
    loop->method->step = NULL;
  sumi_settings_free (sampler->options, defaults);
  sumi_arena_release (ev->scratch, mark);
  return ok;
}
