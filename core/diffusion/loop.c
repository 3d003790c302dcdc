/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams: 4 per step; draws 0 to 2 are the sampler's, 3 the loop's churn; the step after the last is the start noise.
 */
#include "core/diffusion/loop.h"

#include <math.h>

#include "core/base/arena.h"
#include "core/base/job.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/sampler.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define STREAMS_PER_STEP 4
#define CHURN_DRAW       3
#define MAX_STATE        4

typedef struct
{
  const SumiTensor *z;
  guint64 seed;
  guint32 stream;
  int x, y;
} NoiseJob;

/* One row; channels go in pairs because Box and Muller give two numbers. */
static void
noise_row (gpointer data, int index, int thread)
{
  const NoiseJob *j = data;
  const SumiTensor *z = j->z;
  const int height = z->shape[1], width = z->shape[2], channels = z->shape[3];
  const int n = index / height, row = index % height;
  float *to = sumi_tensor_f32 (z) + (gsize) index * (gsize) width * (gsize) channels;

  for (int i = 0; i < width; i++, to += channels)
    for (int c = 0; c < channels; c += 2)
      {
        float pair[2];

        sumi_random_normal (j->seed, j->stream, j->x + i, j->y + row, (guint32) n << 16 | (guint32) c / 2, pair);
        to[c] = pair[0];
        if (c + 1 < channels)
          to[c + 1] = pair[1];
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
draw (const SumiLoop *loop, SumiEval *ev, const SumiTensor *like, int step, int number)
{
  SumiTensor *z = sumi_eval_tensor_like (ev, like);

  sumi_noise_fill (ev, z, loop->seed, loop->stream + (guint32) (step * STREAMS_PER_STEP + number), loop->x, loop->y);
  if (sumi_eval_ok (ev) && loop->denoiser->project)
    loop->denoiser->project (loop->denoiser, ev, z);
  return z;
}

SumiTensor *
sumi_step_noise (const SumiStep *step, SumiEval *ev, const SumiTensor *like, int number)
{
  return draw (step->loop, ev, like, step->index, number);
}

void
sumi_loop_start (const SumiLoop *loop, SumiEval *ev, SumiTensor *x)
{
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);

  if (loop->sigmas[0] > 0)
    sumi_lincomb (ev, 1, x, loop->sigmas[0], draw (loop, ev, x, loop->n_steps, 0), 0, NULL, x);
  sumi_arena_release (ev->scratch, mark);
}

SumiTensor *
sumi_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  if (! sumi_eval_ok (ev))
    return sumi_eval_nothing (ev);
  ev->n_denoise++;
  return self->denoise (self, ev, x, sigma);
}

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

gboolean
sumi_loop_run (const SumiLoop *loop, SumiEval *ev, SumiTensor *x, SumiJob *job, GError **error)
{
  const SumiSamplerClass *sampler = loop->sampler;
  SumiArenaMark start = sumi_arena_mark (ev->scratch);
  SumiTensor *state[MAX_STATE] = { NULL };
  double sigma_last = 0;

  g_return_val_if_fail (sampler->n_state <= MAX_STATE, FALSE);
  for (int i = 0; i < sampler->n_state; i++)
    state[i] = sumi_eval_tensor_like (ev, x);

  for (int i = 0; i < loop->n_steps && sumi_eval_ok (ev); i++)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      SumiStep step = {
        .denoiser = loop->denoiser,
        .sigma = loop->sigmas[i],
        .sigma_next = loop->sigmas[i + 1],
        .index = i,
        .count = loop->n_steps,
        .sigma_last = sigma_last,
        .state = state,
        .churn = loop->churn,
        .loop = loop,
      };

      if (! sumi_job_check (job, error))
        {
          sumi_arena_release (ev->scratch, start);
          return FALSE;
        }
      if (loop->churn > 0 && ! sampler->own_churn && step.sigma > 0 && step.sigma_next > 0)
        churn (&step, ev, x);
      sampler->step (&step, ev, x);
      sigma_last = step.sigma;
      if (sumi_eval_ok (ev) && step.x0 && loop->denoiser->preview)
        loop->denoiser->preview (loop->denoiser, step.x0, job);
      sumi_arena_release (ev->scratch, mark);
      sumi_job_progress (job, (i + 1.0) / loop->n_steps, NULL);
    }
  sumi_arena_release (ev->scratch, start);
  return sumi_eval_finish (ev, error);
}
