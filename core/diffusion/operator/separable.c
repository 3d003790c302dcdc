/* SPDX-License-Identifier: GPL-3.0-or-later */
/* y = My·x·Mxᵀ in every channel. A row of the result is made whole: rows of x weighted into a line of doubles, then
 * that line along x. The adjoint is the same with the matrices' transposes. With My·Myᵀ = Uᵀ·Λ·U (rows of U are
 * eigenvectors) and the same along x, f (A·Aᵀ) turns into both bases, weights by f (λy·λx), and turns back. */
#include "core/diffusion/operator/separable.h"

#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/parallel.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

typedef struct
{
  SumiMatrix *matrix, *transposed, *vectors, *back;
  double *values; /* of matrix·transposed; with vectors and back NULL until they are needed */
} Axis;

typedef struct
{
  SumiOperator operator;
  Axis y, x;
} Separable;

typedef struct
{
  const SumiMatrix *y, *x;
  const SumiTensor *from;
  SumiTensor *to;
} Job;

static void
separable_row (gpointer data, int index, int thread)
{
  const Job *j = data;
  const int n = index / j->y->rows, row = index % j->y->rows, channels = j->from->shape[3];
  const gsize length = (gsize) j->x->columns * (gsize) channels;
  g_autofree double *line = g_new0 (double, length);
  gsize to = (gsize) index * (gsize) j->x->rows * (gsize) channels;

  for (int k = j->y->start[row]; k < j->y->start[row + 1]; k++)
    {
      const gsize from = (gsize) (n * j->y->columns + j->y->column[k]) * length;
      const double w = j->y->weight[k];

      for (gsize i = 0; i < length; i++)
        line[i] += w * sumi_tensor_get (j->from, from + i);
    }
  for (int i = 0; i < j->x->rows; i++)
    for (int c = 0; c < channels; c++)
      {
        double sum = 0;

        for (int k = j->x->start[i]; k < j->x->start[i + 1]; k++)
          sum += j->x->weight[k] * line[j->x->column[k] * channels + c];
        sumi_tensor_put (j->to, to++, sum);
      }
}

static void
run (SumiEval *ev, const SumiMatrix *y, const SumiMatrix *x, const SumiTensor *from, SumiTensor *to)
{
  Job job = { y, x, from, to };

  sumi_parallel_for (ev->pool, from->shape[0] * y->rows, separable_row, &job);
}

static void
separable_apply (SumiOperator *self, SumiEval *ev, const SumiTensor *x, SumiTensor *y)
{
  Separable *s = (Separable *) self;

  run (ev, s->y.matrix, s->x.matrix, x, y);
}

static void
separable_adjoint (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiTensor *x)
{
  Separable *s = (Separable *) self;

  run (ev, s->y.transposed, s->x.transposed, y, x);
}

static void
ready (Axis *axis)
{
  if (axis->vectors)
    return;
  axis->vectors = sumi_matrix_eigen (axis->matrix, &axis->values);
  axis->back = sumi_matrix_transpose (axis->vectors);
}

static gboolean
separable_spectral (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiSpectrum f, gpointer data, SumiTensor *w)
{
  Separable *s = (Separable *) self;
  const gsize n = sumi_tensor_count (y);
  const int height = self->y_shape[1], width = self->y_shape[2], channels = self->y_shape[3];
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  SumiTensor *turned;

  if (self->gram > 0)
    {
      const double factor = f (data, self->gram);

      for (gsize i = 0; i < n; i++)
        sumi_tensor_put (w, i, factor * sumi_tensor_get (y, i));
      return TRUE;
    }
  if (height > SUMI_OPERATOR_SIDE || width > SUMI_OPERATOR_SIDE)
    return FALSE;
  ready (&s->y);
  ready (&s->x);
  turned = sumi_eval_tensor_of (ev, SUMI_DTYPE_F64, 4, self->y_shape);
  if (! sumi_eval_ok (ev))
    return TRUE;
  run (ev, s->y.vectors, s->x.vectors, y, turned);
  for (int row = 0; row < self->y_shape[0] * height; row++)
    for (int x = 0; x < width; x++)
      {
        const double factor = f (data, s->y.values[row % height] * s->x.values[x]);
        double *pixel = (double *) turned->data + ((gsize) row * (gsize) width + (gsize) x) * (gsize) channels;

        for (int c = 0; c < channels; c++)
          pixel[c] *= factor;
      }
  run (ev, s->y.back, s->x.back, turned, w);
  sumi_arena_release (ev->scratch, mark);
  return TRUE;
}

static void
axis_clear (Axis *axis)
{
  sumi_matrix_free (axis->matrix);
  sumi_matrix_free (axis->transposed);
  sumi_matrix_free (axis->vectors);
  sumi_matrix_free (axis->back);
  g_free (axis->values);
}

static void
separable_free (SumiOperator *self)
{
  axis_clear (&((Separable *) self)->y);
  axis_clear (&((Separable *) self)->x);
  g_free (self);
}

/* The largest sum of a row's magnitudes bounds the singular values together with that of the columns. */
static double
largest (const SumiMatrix *m)
{
  double most = 0;

  for (int i = 0; i < m->rows; i++)
    {
      double sum = 0;

      for (int k = m->start[i]; k < m->start[i + 1]; k++)
        sum += fabs (m->weight[k]);
      most = MAX (most, sum);
    }
  return most;
}

/* Returns: λ where the rows do not overlap and all have the squared norm λ; else 0. */
static double
tight (const Axis *axis)
{
  double square = 0;

  for (int i = 0; i < axis->transposed->rows; i++)
    if (axis->transposed->start[i + 1] - axis->transposed->start[i] > 1)
      return 0;
  for (int i = 0; i < axis->matrix->rows; i++)
    {
      double sum = 0;

      for (int k = axis->matrix->start[i]; k < axis->matrix->start[i + 1]; k++)
        sum += axis->matrix->weight[k] * axis->matrix->weight[k];
      if (i > 0 && fabs (sum - square) > 1e-14 * square)
        return 0;
      square = sum;
    }
  return square;
}

static Axis
axis_new (SumiMatrix *matrix)
{
  return (Axis){ .matrix = matrix, .transposed = sumi_matrix_transpose (matrix) };
}

SumiOperator *
sumi_operator_new_separable (const char *name, const int *shape, SumiMatrix *y, SumiMatrix *x)
{
  Separable *self = g_new (Separable, 1);

  *self = (Separable){
    {
        .name = name,
        .x_shape = { shape[0], shape[1], shape[2], shape[3] },
        .y_shape = { shape[0], y->rows, x->rows, shape[3] },
        .apply = separable_apply,
        .adjoint = separable_adjoint,
        .spectral = separable_spectral,
        .free = separable_free,
    },
    axis_new (y),
    axis_new (x),
  };
  self->operator.norm2 = largest (y) * largest (self->y.transposed) * largest (x) * largest (self->x.transposed);
  self->operator.gram = tight (&self->y) * tight (&self->x);
  return &self->operator;
}
