/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/rk45.h"

#include <float.h>
#include <math.h>

#include "core/base/arena.h"
#include "core/base/parallel.h"
#include "core/diffusion/arithmetic.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define STAGES   7
#define PIECE    4096
#define SMALLEST 1e-7 /* of σ: a step that small is taken whatever its error, or noise in a denoiser would stop us */

/* Dormand and Prince 1980: nodes, stages (the last is the solution of order 5) and the error's weights, those of order
 * 5 less those of order 4. */
static const double nodes[STAGES] = { 0, 1 / 5.0, 3 / 10.0, 4 / 5.0, 8 / 9.0, 1, 1 };
static const double stages[STAGES][STAGES - 1] = {
  { 0 },
  { 1 / 5.0 },
  { 3 / 40.0, 9 / 40.0 },
  { 44 / 45.0, -56 / 15.0, 32 / 9.0 },
  { 19372 / 6561.0, -25360 / 2187.0, 64448 / 6561.0, -212 / 729.0 },
  { 9017 / 3168.0, -355 / 33.0, 46732 / 5247.0, 49 / 176.0, -5103 / 18656.0 },
  { 35 / 384.0, 0, 500 / 1113.0, 125 / 192.0, -2187 / 6784.0, 11 / 84.0 },
};
static const double error_weights[STAGES] = {
  71 / 57600.0, 0, -71 / 16695.0, 71 / 1920.0, -17253 / 339200.0, 22 / 525.0, -1 / 40.0,
};

/* ---- the norm ------------------------------------------------------------ */

/* Σ ((Σ_j w_j·terms_j)/(atol + rtol·max (|a|, |b|)))². */
typedef struct
{
  int n;
  const double *weights;
  SumiTensor *const *terms;
  const SumiTensor *a, *b;
  double rtol, atol;
  double *sums; /* one a piece: the same for every thread count */
} NormJob;

static void
norm_piece (gpointer data, int index, int thread)
{
  const NormJob *j = data;
  double sum = 0;

  for (gsize i = (gsize) index * PIECE, end = MIN (sumi_tensor_count (j->a), i + PIECE); i < end; i++)
    {
      const double scale = j->atol + j->rtol * MAX (fabs (sumi_tensor_get (j->a, i)), fabs (sumi_tensor_get (j->b, i)));
      double value = 0;

      for (int k = 0; k < j->n; k++)
        value += j->weights[k] * sumi_tensor_get (j->terms[k], i);
      sum += value * value / (scale * scale);
    }
  j->sums[index] = sum;
}

/* Root of the mean over x, and the number if it counts: @number, of scale atol + rtol·@size. */
static double
norm (const SumiRk45 *self, SumiEval *ev, NormJob job, double number, double size)
{
  const gsize n = sumi_tensor_count (job.a);
  const int pieces = (int) ((n + PIECE - 1) / PIECE);
  g_autofree double *sums = g_new0 (double, pieces + 1);
  double sum = 0;

  if (ev->error || n == 0)
    return 0;
  job.rtol = self->rtol;
  job.atol = self->atol;
  job.sums = sums;
  sumi_parallel_for (ev->pool, pieces, norm_piece, &job);
  for (int i = 0; i < pieces; i++)
    sum += sums[i];
  if (! self->with_number)
    return sqrt (sum / (double) n);
  number /= self->atol + self->rtol * size;
  return sqrt ((sum + number * number) / ((double) n + 1));
}

/* ---- steps --------------------------------------------------------------- */

static double
get_slope (SumiRk45 *self, SumiEval *ev, SumiTensor *x, double sigma, SumiTensor *out)
{
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  const double number = self->slope (self->data, ev, x, sigma, out);

  sumi_arena_release (ev->scratch, mark);
  return number;
}

/* Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, II.4. k[0] is the slope at @x; k[1] is lost.
 */
static double
first_step (SumiRk45 *self, SumiEval *ev, SumiTensor *x, double from, double to, double number_slope)
{
  const double length = fabs (to - from), sign = to < from ? -1 : 1, one = 1, difference[2] = { 1, -1 };
  const double d0 = norm (self, ev, (NormJob){ 1, &one, &x, x, x }, self->number, fabs (self->number));
  const double d1 = norm (self, ev, (NormJob){ 1, &one, self->k, x, x }, number_slope, fabs (self->number));
  const double h0 = MIN (d0 < 1e-5 || d1 < 1e-5 ? 1e-6 : 0.01 * d0 / d1, length);
  double d2, h1, bent;

  sumi_mix (ev, 2, (const double[]){ 1, sign * h0 }, (SumiTensor *const[]){ x, self->k[0] }, self->trial);
  bent = get_slope (self, ev, self->trial, from + sign * h0, self->k[1]);
  d2 = norm (self, ev, (NormJob){ 2, difference, self->k, x, x }, number_slope - bent, fabs (self->number)) / h0;
  h1 = MAX (d1, d2) <= 1e-15 ? MAX (1e-6, h0 * 1e-3) : pow (0.01 / MAX (d1, d2), 1 / 5.0);
  return MIN (MIN (100 * h0, h1), length);
}

/* Tries a step of @h (with its sign) from @sigma to @end: the state in trial, its slope in k[6] and slopes[6].
 * Returns: the error's norm; @number: out. */
static double
try_step (SumiRk45 *self,
          SumiEval *ev,
          SumiTensor *x,
          double sigma,
          double h,
          double end,
          double *slopes,
          double *number)
{
  double error = 0, weights[STAGES] = { 1 };
  SumiTensor *terms[STAGES] = { x };

  for (int i = 1; i < STAGES; i++)
    {
      int n = 1;

      *number = self->number;
      for (int j = 0; j < i; j++)
        {
          *number += h * stages[i][j] * slopes[j];
          if (stages[i][j] == 0)
            continue;
          weights[n] = h * stages[i][j];
          terms[n++] = self->k[j];
        }
      sumi_mix (ev, n, weights, terms, self->trial);
      slopes[i] = get_slope (self, ev, self->trial, nodes[i] == 1 ? end : sigma + nodes[i] * h, self->k[i]);
    }
  for (int i = 0; i < STAGES; i++)
    {
      weights[i] = h * error_weights[i];
      error += weights[i] * slopes[i];
    }
  return norm (self, ev, (NormJob){ STAGES, weights, self->k, x, self->trial }, error,
               MAX (fabs (self->number), fabs (*number)));
}

void
sumi_rk45_run (SumiRk45 *self, SumiEval *ev, SumiTensor *x, double from, double to)
{
  const double sign = to < from ? -1 : 1;
  double sigma = from, slopes[STAGES], number;
  gboolean rejected = FALSE;

  self->rtol = MAX (self->rtol, x->dtype == SUMI_DTYPE_F64 ? 100 * DBL_EPSILON : 10 * FLT_EPSILON);
  slopes[0] = get_slope (self, ev, x, sigma, self->k[0]);
  if (self->step <= 0)
    self->step = first_step (self, ev, x, from, to, slopes[0]);
  while (sigma != to && sumi_eval_ok (ev))
    {
      const double left = fabs (to - sigma);
      const gboolean lands = self->step >= left * (1 - 1e-12);
      const double h = lands ? left : self->step;
      const double error = try_step (self, ev, x, sigma, sign * h, lands ? to : sigma + sign * h, slopes, &number);
      const double factor = error > 0 ? 0.9 * pow (error, -1 / 5.0) : 10;

      if (error >= 1 && h > SMALLEST * sigma)
        {
          self->step = h * MAX (0.2, factor);
          rejected = TRUE;
          continue;
        }
      sumi_copy (ev, self->trial, x);
      sumi_copy (ev, self->k[STAGES - 1], self->k[0]);
      slopes[0] = slopes[STAGES - 1];
      self->number = number;
      sigma = lands ? to : sigma + sign * h;
      /* a step cut short to land says nothing against the one that was planned */
      self->step = MAX (lands ? self->step : 0, h * CLAMP (factor, 0.2, rejected ? 1 : 10));
      rejected = FALSE;
    }
}
