/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Solving: by f (A·Aᵀ) where an operator has it, else conjugate gradients: on A·Aᵀ + c·I for w, and for x on the least
 * squares problem min |A·x − y|² + c·|x|² (CGLS, Hestenes and Stiefel 1952), which from x = 0 finds the solution of
 * least norm also where rows repeat or contradict each other. */
#include "core/diffusion/operator.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/diffusion/arithmetic.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

void
sumi_operator_free (SumiOperator *self)
{
  if (self)
    self->free (self);
}

static gboolean
fits (SumiOperator *self, SumiEval *ev, const SumiTensor *t, const int *shape, const char *what)
{
  g_autofree char *text = NULL;

  if (! sumi_eval_ok (ev))
    return FALSE;
  if (t->n_dims == 4 && ! memcmp (t->shape, shape, 4 * sizeof *shape) &&
      (t->dtype == SUMI_DTYPE_F32 || t->dtype == SUMI_DTYPE_F64))
    return TRUE;
  text = sumi_tensor_describe (t);
  sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "operator %s: %s is %s, expected [%d, %d, %d, %d] f32 or f64", self->name, what,
                  text, shape[0], shape[1], shape[2], shape[3]);
  return FALSE;
}

SumiTensor *
sumi_operator_apply (SumiOperator *self, SumiEval *ev, const SumiTensor *x)
{
  SumiTensor *y;

  if (! fits (self, ev, x, self->x_shape, "the picture"))
    return sumi_eval_nothing (ev);
  y = sumi_eval_tensor_of (ev, (int) x->dtype, 4, self->y_shape);
  if (sumi_eval_ok (ev))
    self->apply (self, ev, x, y);
  return y;
}

SumiTensor *
sumi_operator_adjoint (SumiOperator *self, SumiEval *ev, const SumiTensor *y)
{
  SumiTensor *x;

  if (! fits (self, ev, y, self->y_shape, "the observation"))
    return sumi_eval_nothing (ev);
  x = sumi_eval_tensor_of (ev, (int) y->dtype, 4, self->x_shape);
  if (sumi_eval_ok (ev))
    self->adjoint (self, ev, y, x);
  return x;
}

/* ---- by eigenvalues ------------------------------------------------------ */

typedef struct
{
  double c, least;
} Ridge;

static double
ridge_spectrum (gpointer data, double lambda)
{
  const Ridge *r = data;

  return r->c > 0 ? 1 / (lambda + r->c) : lambda > r->least ? 1 / lambda : 0;
}

SumiTensor *
sumi_operator_spectral (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiSpectrum f, gpointer data)
{
  SumiTensor *w;

  if (! self->spectral)
    return NULL;
  if (! fits (self, ev, y, self->y_shape, "the observation"))
    return sumi_eval_nothing (ev);
  w = sumi_eval_tensor_like (ev, y);
  if (sumi_eval_ok (ev) && ! self->spectral (self, ev, y, f, data, w))
    return NULL;
  return sumi_operator_adjoint (self, ev, w);
}

/* ---- by conjugate gradients ---------------------------------------------- */

static SumiTensor *
zeros (SumiEval *ev, const int *shape)
{
  SumiTensor *t = sumi_eval_tensor_of (ev, SUMI_DTYPE_F64, 4, shape);

  if (sumi_eval_ok (ev))
    memset (t->data, 0, sumi_tensor_count (t) * sizeof (double));
  return t;
}

static void
convert (SumiEval *ev, const SumiTensor *from, SumiTensor *to)
{
  if (sumi_eval_ok (ev))
    for (gsize i = 0, n = sumi_tensor_count (from); i < n; i++)
      sumi_tensor_put (to, i, sumi_tensor_get (from, i));
}

/* @x: f64, 0 at first. */
static void
least_squares (SumiOperator *self, SumiEval *ev, const SumiTensor *y, double c, SumiTensor *x)
{
  SumiTensor *r = zeros (ev, self->y_shape), *s, *p = zeros (ev, self->x_shape);
  double gamma, target;

  convert (ev, y, r);
  s = sumi_operator_adjoint (self, ev, r);
  if (! sumi_eval_ok (ev))
    return;
  sumi_copy (ev, s, p);
  gamma = sumi_dot (ev, s, s);
  target = gamma * SUMI_OPERATOR_TOLERANCE * SUMI_OPERATOR_TOLERANCE;
  for (int i = 0; i < SUMI_OPERATOR_ITERATIONS && gamma > target && sumi_eval_ok (ev); i++)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      SumiTensor *q = sumi_operator_apply (self, ev, p);
      const double curve = sumi_dot (ev, q, q) + c * sumi_dot (ev, p, p);
      const double alpha = curve > 0 ? gamma / curve : 0;
      const double before = gamma;

      sumi_lincomb (ev, 1, x, alpha, p, 0, NULL, x);
      sumi_lincomb (ev, 1, r, -alpha, q, 0, NULL, r);
      s = sumi_operator_adjoint (self, ev, r);
      sumi_lincomb (ev, 1, s, -c, x, 0, NULL, s);
      gamma = alpha > 0 ? sumi_dot (ev, s, s) : 0;
      sumi_lincomb (ev, gamma / before, p, 1, s, 0, NULL, p);
      sumi_arena_release (ev->scratch, mark);
    }
}

SumiTensor *
sumi_operator_ridge (SumiOperator *self, SumiEval *ev, const SumiTensor *y, double c)
{
  Ridge ridge = { c, self->norm2 * SUMI_OPERATOR_RANK };
  SumiTensor *x = sumi_operator_spectral (self, ev, y, ridge_spectrum, &ridge), *wide;
  SumiArenaMark mark;

  if (x)
    return x;
  x = sumi_eval_tensor_of (ev, (int) y->dtype, 4, self->x_shape);
  mark = sumi_arena_mark (ev->scratch);
  wide = zeros (ev, self->x_shape);
  least_squares (self, ev, y, c, wide);
  convert (ev, wide, x);
  sumi_arena_release (ev->scratch, mark);
  return x;
}

SumiTensor *
sumi_operator_pinv (SumiOperator *self, SumiEval *ev, const SumiTensor *y)
{
  return sumi_operator_ridge (self, ev, y, 0);
}

/* Conjugate gradients on (A·Aᵀ + c·I)·w = y. */
static void
solve (SumiOperator *self, SumiEval *ev, const SumiTensor *y, double c, SumiTensor *w)
{
  SumiTensor *r = zeros (ev, self->y_shape), *p = zeros (ev, self->y_shape);
  double gamma, target;

  convert (ev, y, r);
  if (! sumi_eval_ok (ev))
    return;
  sumi_copy (ev, r, p);
  gamma = sumi_dot (ev, r, r);
  target = gamma * SUMI_OPERATOR_TOLERANCE * SUMI_OPERATOR_TOLERANCE;
  for (int i = 0; i < SUMI_OPERATOR_ITERATIONS && gamma > target && sumi_eval_ok (ev); i++)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      SumiTensor *back = sumi_operator_adjoint (self, ev, p);
      SumiTensor *q = sumi_operator_apply (self, ev, back);
      const double curve = sumi_dot (ev, back, back) + c * sumi_dot (ev, p, p);
      const double alpha = curve > 0 ? gamma / curve : 0;
      const double before = gamma;

      sumi_lincomb (ev, 1, w, alpha, p, 0, NULL, w);
      sumi_lincomb (ev, 1, r, -alpha, q, -alpha * c, p, r);
      gamma = alpha > 0 ? sumi_dot (ev, r, r) : 0;
      sumi_lincomb (ev, gamma / before, p, 1, r, 0, NULL, p);
      sumi_arena_release (ev->scratch, mark);
    }
}

void
sumi_operator_solve (SumiOperator *self, SumiEval *ev, const SumiTensor *y, double c, SumiTensor *w)
{
  Ridge ridge = { c, self->norm2 * SUMI_OPERATOR_RANK };
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  SumiTensor *wide;

  if (! fits (self, ev, y, self->y_shape, "the observation") ||
      (self->spectral && self->spectral (self, ev, y, ridge_spectrum, &ridge, w)))
    return;
  wide = zeros (ev, self->y_shape);
  solve (self, ev, y, c, wide);
  convert (ev, wide, w);
  sumi_arena_release (ev->scratch, mark);
}
