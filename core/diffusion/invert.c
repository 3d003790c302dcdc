/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/invert.h"

#include <float.h>
#include <math.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/job.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define MOST 300 /* iterations */

/* @x + @step·ε (@at; @sigma) into @out, nullable, which may be @x. */
static SumiTensor *
rise (SumiDenoiser *denoiser, SumiEval *ev, SumiTensor *x, double step, SumiTensor *at, double sigma, SumiTensor *out)
{
  SumiTensor *x0 = sumi_denoise (denoiser, ev, at, sigma);

  if (at == x)
    return sumi_lincomb (ev, 1 + step / sigma, x, -step / sigma, x0, 0, NULL, out);
  return sumi_lincomb (ev, 1, x, step / sigma, at, -step / sigma, x0, out);
}

/* The iteration y ← y + r (y), r (y) = x + (σ' − σ)·ε (y; σ') − y, has the factor (1 − σ/σ')·(1 − ∂D/∂y): near 1 for
 * large steps at much noise, below −1 where D is steep, between the modes. The line through the last two residuals
 * (Anderson's acceleration of depth 1) helps with the first, half steps as long as r grows with the second. */
typedef struct
{
  SumiTensor *y, *r, *best_y, *best_r, *next;
} Iteration;

static void
advance (Iteration *t, SumiEval *ev, double norm, double *best, double *share)
{
  if (norm > *best) /* back to the best, and less far */
    {
      *share /= 2;
      sumi_lincomb (ev, 1, t->best_y, *share, t->best_r, 0, NULL, t->y);
      return;
    }
  sumi_lincomb (ev, 1, t->y, *share, t->r, 0, NULL, t->next);
  if (*best < HUGE_VAL && *share == 1)
    {
      SumiTensor *dr = sumi_lincomb (ev, 1, t->r, -1, t->best_r, 0, NULL, NULL);
      const double square = sumi_dot (ev, dr, dr), theta = square > 0 ? sumi_dot (ev, t->r, dr) / square : 0;

      /* y + r − θ·(Δy + Δr) */
      sumi_lincomb (ev, 1, t->next, -theta, t->y, theta, t->best_y, t->next);
      sumi_lincomb (ev, 1, t->next, -theta, dr, 0, NULL, t->next);
    }
  *best = norm;
  *share = MIN (1, 1.5 * *share);
  sumi_copy (ev, t->y, t->best_y);
  sumi_copy (ev, t->r, t->best_r);
  sumi_copy (ev, t->next, t->y);
}

static void
solve (SumiDenoiser *denoiser, SumiEval *ev, SumiTensor *x, double from, double to, double tolerance)
{
  Iteration t = { .y = rise (denoiser, ev, x, to - from, x, to, NULL) };
  double best = HUGE_VAL, share = 1;

  t.r = sumi_eval_tensor_like (ev, x);
  t.best_y = sumi_eval_tensor_like (ev, x);
  t.best_r = sumi_eval_tensor_like (ev, x);
  t.next = sumi_eval_tensor_like (ev, x);
  for (int i = 0; i < MOST && sumi_eval_ok (ev); i++)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      double norm;

      rise (denoiser, ev, x, to - from, t.y, to, t.r);
      sumi_lincomb (ev, 1, t.r, -1, t.y, 0, NULL, t.r);
      norm = sqrt (sumi_dot (ev, t.r, t.r));
      if (norm <= tolerance * sqrt (sumi_dot (ev, t.y, t.y)))
        {
          sumi_lincomb (ev, 1, t.y, 1, t.r, 0, NULL, x);
          return;
        }
      advance (&t, ev, norm, &best, &share);
      sumi_arena_release (ev->scratch, mark);
    }
  if (sumi_eval_ok (ev))
    sumi_eval_fail (ev, SUMI_ERROR_NUMBER,
                    "σ = %g: the exact inversion found no point that ddim takes back in %d rounds; take more steps, "
                    "or another start",
                    to, MOST);
}

gboolean
sumi_invert (SumiDenoiser *denoiser,
             SumiEval *ev,
             SumiTensor *x,
             const double *sigmas,
             int n_steps,
             const SumiInvert *how,
             SumiJob *job,
             GError **error)
{
  const double finest = x->dtype == SUMI_DTYPE_F64 ? 8 * DBL_EPSILON : 4 * FLT_EPSILON;

  for (int i = n_steps; i > 0 && sumi_eval_ok (ev); i--)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      const double from = sigmas[i], to = sigmas[i - 1];

      if (! sumi_job_check (job, error))
        return FALSE;
      if (to > from && how->exact)
        solve (denoiser, ev, x, from, to, MAX (how->tolerance, finest));
      else if (to > from)
        rise (denoiser, ev, x, to - from, x, from > 0 ? from : to, x);
      sumi_arena_release (ev->scratch, mark);
      sumi_job_progress (job, 1 - (i - 1.0) / n_steps, NULL);
    }
  return sumi_eval_finish (ev, error);
}
