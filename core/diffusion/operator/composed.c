/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A·B, by turns. Where B·Bᵀ = g·I, (A·B)(A·B)ᵀ = g·A·Aᵀ, so that what is cheap for A is cheap for A·B. */
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/diffusion/operator.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

typedef struct
{
  SumiOperator operator;
  SumiOperator *outer, *inner;
} Composed;

static void
composed_apply (SumiOperator *self, SumiEval *ev, const SumiTensor *x, SumiTensor *y)
{
  Composed *s = (Composed *) self;
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  SumiTensor *between = sumi_operator_apply (s->inner, ev, x);

  if (sumi_eval_ok (ev))
    s->outer->apply (s->outer, ev, between, y);
  sumi_arena_release (ev->scratch, mark);
}

static void
composed_adjoint (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiTensor *x)
{
  Composed *s = (Composed *) self;
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  SumiTensor *between = sumi_operator_adjoint (s->outer, ev, y);

  if (sumi_eval_ok (ev))
    s->inner->adjoint (s->inner, ev, between, x);
  sumi_arena_release (ev->scratch, mark);
}

typedef struct
{
  SumiSpectrum f;
  gpointer data;
  double gram;
} Scaled;

static double
scaled (gpointer data, double lambda)
{
  const Scaled *s = data;

  return s->f (s->data, s->gram * lambda);
}

static gboolean
composed_spectral (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiSpectrum f, gpointer data, SumiTensor *w)
{
  Composed *s = (Composed *) self;
  Scaled job = { f, data, s->inner->gram };

  return s->inner->gram > 0 && s->outer->spectral && s->outer->spectral (s->outer, ev, y, scaled, &job, w);
}

static void
composed_free (SumiOperator *self)
{
  sumi_operator_free (((Composed *) self)->outer);
  sumi_operator_free (((Composed *) self)->inner);
  g_free (self);
}

SumiOperator *
sumi_operator_new_composed (SumiOperator *outer, SumiOperator *inner, GError **error)
{
  g_autoptr (SumiOperator) a = outer;
  g_autoptr (SumiOperator) b = inner;
  Composed *self;

  if (! a || ! b)
    return NULL;
  if (memcmp (a->x_shape, b->y_shape, sizeof a->x_shape))
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE,
                   "operator %s takes [%d, %d, %d, %d], and %s before it gives [%d, %d, %d, %d]", a->name,
                   a->x_shape[0], a->x_shape[1], a->x_shape[2], a->x_shape[3], b->name, b->y_shape[0], b->y_shape[1],
                   b->y_shape[2], b->y_shape[3]);
      return NULL;
    }
  self = g_new (Composed, 1);
  *self = (Composed){
    {
        .name = "composition",
        .norm2 = a->norm2 * b->norm2,
        .gram = a->gram * b->gram,
        .apply = composed_apply,
        .adjoint = composed_adjoint,
        .spectral = composed_spectral,
        .free = composed_free,
    },
    g_steal_pointer (&a),
    g_steal_pointer (&b),
  };
  memcpy (self->operator.x_shape, self->inner->x_shape, sizeof self->operator.x_shape);
  memcpy (self->operator.y_shape, self->outer->y_shape, sizeof self->operator.y_shape);
  return &self->operator;
}
