/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The adaptive solver of "Gotta go fast" (Jolicoeur-Martineau et al. 2021, arXiv 2105.14080, algorithm 1) on the
 * reverse SDE of the chosen process, in its own time and coordinates X = α·x: X1 = X − h·(f·X − g²·s) + g·ΔW,  X2 = X −
 * h'(X1, t − h) + g(t − h)·ΔW,  X" = (X1 + X2)/2, Euler and Maruyama's proposal and stochastic improved Euler. The
 * error is the root mean square of (X1 − X")/δ, δ = max (atol, rtol·max (|X1|, |X1 of the step before|)) per value. Up
 * to 1 X" is accepted (extrapolation), and in any case h ← θ·h·error^(−r) with the paper's θ = r = 0.9. All samples of
 * a batch share their steps.
 *
 * Noise on rejection: a rejected step tells something of the path, so forgetting it would bias the law. The path is
 * therefore fixed beforehand: W is a Brownian tree between two σ of the schedule, whose nodes are keyed by their
 * number, so that every step asks the same path for its increment, accepted or not. The tree has 2^14 leaves, even in
 * ln σ, and steps end on them; a step of one leaf is always accepted.
 *
 * Conventions: steps land on each σ of the schedule; h is carried on from one to the next (memory[0]; the first is a
 * hundredth of the process' time, as in the paper), X1 too (state[0]); the last step, to σ = 0, returns D.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/arena.h"
#include "core/base/option.h"
#include "core/base/parallel.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/variance.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define DEPTH  14
#define LEAVES (1 << DEPTH)
#define SAFETY 0.9
#define POWER  0.9
#define PIECE  4096

typedef struct
{
  double rtol, atol;
} Adaptive;

static const SumiOption options[] = {
  {
      .key = "rtol",
      .label = N_ ("_Relative tolerance"),
      .blurb = N_ ("Error that a step may make, as a share of each value; less is slower and closer"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Adaptive, rtol),
      .min = 0,
      .max = 1,
      .value = 0.02,
  },
  {
      .key = "atol",
      .label = N_ ("_Absolute tolerance"),
      .blurb = N_ ("Error that a step may make in any case; the default is one level of 8 bits"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Adaptive, atol),
      .min = 1e-6,
      .max = 1,
      .value = 0.0078,
  },
  { NULL },
};

/* ---- the path ------------------------------------------------------------ */

/* σ of leaf @k: σ_0 at 0, σ_next at LEAVES. */
static double
leaf_sigma (const SumiStep *s, int k)
{
  if (k == 0 || k == LEAVES)
    return k ? s->sigma_next : s->sigma;
  return s->sigma * pow (s->sigma_next / s->sigma, k / (double) LEAVES);
}

static double
leaf_time (const SumiStep *s, int k)
{
  return s->process->time (leaf_sigma (s, k));
}

/* W at leaf @k ≥ 1, 0 at leaf 0, into @w: bridges down the tree; a node's number is that of its leaf. */
static void
path_at (const SumiStep *s, SumiEval *ev, int k, SumiTensor *w)
{
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  int low = 0, high = LEAVES;
  double t_low = leaf_time (s, low), t_high = leaf_time (s, high);
  SumiTensor *from = NULL, *to; /* from: NULL is 0 */

  to = sumi_step_noise_more (s, ev, w, 0, LEAVES);
  sumi_lincomb (ev, sqrt (MAX (t_low - t_high, 0)), to, 0, NULL, 0, NULL, to);
  while (k != high)
    {
      const int middle = (low + high) / 2;
      const double t = leaf_time (s, middle), share = t_low > t_high ? (t_low - t) / (t_low - t_high) : 0;
      SumiTensor *z = sumi_step_noise_more (s, ev, w, 0, middle);

      sumi_lincomb (ev, sqrt (MAX ((t_low - t) * (1 - share), 0)), z, share, to, 1 - share, from, z);
      if (k <= middle)
        {
          high = middle;
          t_high = t;
          to = z;
        }
      else
        {
          low = middle;
          t_low = t;
          from = z;
        }
    }
  sumi_copy (ev, to, w);
  sumi_arena_release (ev->scratch, mark);
}

/* ---- one attempt --------------------------------------------------------- */

typedef struct
{
  const SumiTensor *a, *b, *last;
  double rtol, atol;
  double *sums; /* one a piece, added up in order: the same for every thread count */
} ErrorJob;

static void
error_piece (gpointer data, int index, int thread)
{
  const ErrorJob *j = data;
  const gsize n = sumi_tensor_count (j->a);
  double sum = 0;

  for (gsize i = (gsize) index * PIECE, end = MIN (n, i + PIECE); i < end; i++)
    {
      const double a = sumi_tensor_get (j->a, i), b = sumi_tensor_get (j->b, i);
      const double size = MAX (fabs (a), fabs (sumi_tensor_get (j->last, i)));
      const double e = (a - b) / MAX (j->atol, j->rtol * size);

      sum += e * e;
    }
  j->sums[index] = sum;
}

/* The scaled error between @proposal and @better. */
static double
scaled_error (const SumiStep *s, SumiEval *ev, const SumiTensor *proposal, const SumiTensor *better)
{
  const Adaptive *o = s->options;
  const gsize n = sumi_tensor_count (proposal);
  const int pieces = (int) ((n + PIECE - 1) / PIECE);
  g_autofree double *sums = g_new0 (double, pieces + 1);
  ErrorJob job = { proposal, better, s->state[0], o->rtol, o->atol, sums };
  double sum = 0;

  if (ev->error)
    return 0;
  sumi_parallel_for (ev->pool, pieces, error_piece, &job);
  for (int i = 0; i < pieces; i++)
    sum += sums[i];
  return sqrt (sum / MAX (n, 1));
}

/* An Euler–Maruyama step of X = @from over h and ΔW, with drift and noise as at @at, whose state is X = @x and whose
 * D is @x0 (of @x/α). Returns: scratch. */
static SumiTensor *
advance (SumiEval *ev,
         const SumiTensor *from,
         const SumiInstant *at,
         const SumiTensor *x,
         const SumiTensor *x0,
         double h,
         const SumiTensor *dw)
{
  /* −h·(f·X − g²·s), s = (α·D − X)/v */
  const double pull = h * at->g2 / (at->std * at->std);
  SumiTensor *moved = sumi_lincomb (ev, -h * at->drift - pull, x, pull * at->alpha, x0, sqrt (at->g2), dw, NULL);

  return sumi_lincomb (ev, 1, moved, 1, from, 0, NULL, moved);
}

/* Where the run is between two σ of the schedule. */
typedef struct
{
  int leaf;
  SumiTensor *x, *w; /* X and W there */
  SumiTensor *x0;    /* D there; kept from attempt to attempt */
  gboolean known;    /* x0 and w are of this leaf */
} Place;

static SumiTensor *
denoise_in (SumiStep *s, SumiEval *ev, const SumiTensor *x, double alpha, double sigma)
{
  return sumi_denoise (s->denoiser, ev, sumi_lincomb (ev, 1 / alpha, x, 0, NULL, 0, NULL, NULL), sigma);
}

/* Tries to go to leaf @to. Returns: the error; @p has moved if it is accepted. */
static double
attempt (SumiStep *s, SumiEval *ev, Place *p, int to)
{
  const SumiInstant now = sumi_process_instant (s->process, leaf_sigma (s, p->leaf));
  const SumiInstant then = sumi_process_instant (s->process, leaf_sigma (s, to));
  const double h = now.t - then.t;
  SumiTensor *w = sumi_eval_tensor_like (ev, p->x), *dw, *proposal, *improved;
  double error;

  if (! p->known)
    sumi_copy (ev, denoise_in (s, ev, p->x, now.alpha, leaf_sigma (s, p->leaf)), p->x0);
  p->known = TRUE;
  path_at (s, ev, to, w);
  dw = sumi_lincomb (ev, 1, w, -1, p->w, 0, NULL, NULL);
  proposal = advance (ev, p->x, &now, p->x, p->x0, h, dw);
  improved = advance (ev, p->x, &then, proposal, denoise_in (s, ev, proposal, then.alpha, leaf_sigma (s, to)), h, dw);
  sumi_lincomb (ev, 0.5, improved, 0.5, proposal, 0, NULL, improved);
  error = scaled_error (s, ev, proposal, improved);
  if (error > 1 && to > p->leaf + 1)
    return error;
  sumi_copy (ev, improved, p->x);
  sumi_copy (ev, proposal, s->state[0]);
  sumi_copy (ev, w, p->w);
  p->leaf = to;
  p->known = FALSE;
  return error;
}

/* A leaf within @h of leaf @from, at least one on and at least seven eighths of the way: a multiple of a power of two,
 * because those lie high in the tree. */
static int
leaf_within (const SumiStep *s, int from, double h)
{
  const double t = leaf_time (s, from) - h;
  double k;
  int to, unit = 1;

  if (t <= leaf_time (s, LEAVES))
    return LEAVES;
  k = floor (LEAVES * log (s->process->sigma (t) / s->sigma) / log (s->sigma_next / s->sigma));
  to = (int) CLAMP (k, from + 1, LEAVES);
  while (unit * 16 <= to - from)
    unit *= 2;
  return to - to % unit;
}

static void
sde_adaptive_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  double *h = &s->memory[0];
  double alpha;
  Place p = { 0 };

  if (sumi_step_ends (s, ev, x) || s->sigma <= s->sigma_next)
    return;
  alpha = s->process->alpha (leaf_time (s, 0));
  p.x = sumi_lincomb (ev, alpha, x, 0, NULL, 0, NULL, NULL);
  p.w = sumi_lincomb (ev, 0, x, 0, NULL, 0, NULL, NULL);
  p.x0 = sumi_eval_tensor_like (ev, x);
  if (*h <= 0)
    *h = 0.01 * (s->process->t_max - s->process->t_min);
  if (s->n_past == 0)
    sumi_copy (ev, p.x, s->state[0]);
  while (p.leaf < LEAVES && sumi_eval_ok (ev))
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      const int from = p.leaf, to = leaf_within (s, from, *h);
      const double tried = leaf_time (s, from) - leaf_time (s, to), error = attempt (s, ev, &p, to);
      const double next = SAFETY * tried * pow (MAX (error, 1e-6), -POWER);

      /* a step cut short by the schedule says little of how long the next may be: it never shortens it */
      *h = p.leaf == LEAVES && tried < *h ? MAX (*h, next) : next;
      sumi_arena_release (ev->scratch, mark);
    }
  s->x0 = p.x0;
  sumi_lincomb (ev, 0, x, 1 / s->process->alpha (leaf_time (s, LEAVES)), p.x, 0, NULL, x);
}

const SumiSamplerClass sumi_sampler_sde_adaptive = {
  .key = "sde-adaptive",
  .label = N_ ("SDE, adaptive"),
  .blurb = N_ ("Takes as many calls as its tolerance needs, whatever the number of steps; for the SDE's own quality"),
  .paper = "Jolicoeur-Martineau et al. 2021, arXiv 2105.14080, algorithm 1",
  .stochastic = TRUE,
  .n_state = 1,
  .options = options,
  .options_size = sizeof (Adaptive),
  .step = sde_adaptive_step,
};
