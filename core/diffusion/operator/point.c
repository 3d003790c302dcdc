/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operators that look at one pixel at a time: mask and grey. A·Aᵀ is diagonal: w² of each pixel, or the sum of the
 * luma weights' squares. */
#include <string.h>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/diffusion/operator.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

static const double luma[3] = { 0.299, 0.587, 0.114 };

typedef struct
{
  SumiOperator operator;
  double *weight; /* mask: [N, H, W] */
} Point;

typedef struct
{
  const Point *self;
  const SumiTensor *from;
  SumiTensor *to;
  SumiSpectrum f;
  gpointer data;
} Job;

static void
point_free (SumiOperator *self)
{
  g_free (((Point *) self)->weight);
  g_free (self);
}

static void
rows (SumiOperator *self, SumiEval *ev, SumiPoolFunc func, Job job)
{
  job.self = (const Point *) self;
  sumi_parallel_for (ev->pool, self->x_shape[0] * self->x_shape[1], func, &job);
}

/* ---- mask ---------------------------------------------------------------- */

static void
mask_row (gpointer data, int index, int thread)
{
  const Job *j = data;
  const int width = j->self->operator.x_shape[2], channels = j->self->operator.x_shape[3];
  gsize i = (gsize) index * (gsize) width * (gsize) channels;

  for (int x = 0; x < width; x++)
    {
      const double w = j->self->weight[(gsize) index * (gsize) width + (gsize) x];
      const double factor = j->f ? j->f (j->data, w * w) : w;

      for (int c = 0; c < channels; c++, i++)
        sumi_tensor_put (j->to, i, factor != 0 ? factor * sumi_tensor_get (j->from, i) : 0);
    }
}

static void
mask_apply (SumiOperator *self, SumiEval *ev, const SumiTensor *from, SumiTensor *to)
{
  rows (self, ev, mask_row, (Job){ .from = from, .to = to });
}

static gboolean
mask_spectral (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiSpectrum f, gpointer data, SumiTensor *w)
{
  rows (self, ev, mask_row, (Job){ .from = y, .to = w, .f = f, .data = data });
  return TRUE;
}

SumiOperator *
sumi_operator_new_mask (const int *shape, const SumiTensor *free, gboolean soft, GError **error)
{
  const gsize area = (gsize) shape[1] * (gsize) shape[2], n = area * (gsize) shape[0];
  g_autofree char *text = sumi_tensor_describe (free);
  gboolean all = TRUE;
  Point *self;

  if (free->n_dims != 4 || (free->shape[0] != 1 && free->shape[0] != shape[0]) || free->shape[1] != shape[1] ||
      free->shape[2] != shape[2] || free->shape[3] != 1)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE, "operator mask: the map is %s, expected [%d or 1, %d, %d, 1]",
                   text, shape[0], shape[1], shape[2]);
      return NULL;
    }
  self = g_new (Point, 1);
  *self = (Point){
    { .name = "mask", .norm2 = 1, .apply = mask_apply, .adjoint = mask_apply, .spectral = mask_spectral },
    g_new (double, MAX (n, 1)),
  };
  self->operator.free = point_free;
  memcpy (self->operator.x_shape, shape, sizeof self->operator.x_shape);
  memcpy (self->operator.y_shape, shape, sizeof self->operator.y_shape);
  for (gsize i = 0; i < n; i++)
    {
      const double value = sumi_tensor_get (free, free->shape[0] == 1 ? i % area : i);

      self->weight[i] = soft ? CLAMP (1 - value, 0, 1) : value <= 0;
      all = all && self->weight[i] == 1;
    }
  self->operator.gram = all;
  return &self->operator;
}

/* ---- grey ---------------------------------------------------------------- */

static void
grey_row (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize width = (gsize) j->self->operator.x_shape[2];

  for (gsize p = (gsize) index * width, end = p + width; p < end; p++)
    sumi_tensor_put (j->to, p,
                     luma[0] * sumi_tensor_get (j->from, 3 * p) + luma[1] * sumi_tensor_get (j->from, 3 * p + 1) +
                         luma[2] * sumi_tensor_get (j->from, 3 * p + 2));
}

static void
grey_adjoint_row (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize width = (gsize) j->self->operator.x_shape[2];

  for (gsize p = (gsize) index * width, end = p + width; p < end; p++)
    for (gsize c = 0; c < 3; c++)
      sumi_tensor_put (j->to, 3 * p + c, luma[c] * sumi_tensor_get (j->from, p));
}

static void
grey_spectral_row (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize width = (gsize) j->self->operator.x_shape[2];
  const double factor = j->f (j->data, j->self->operator.gram);

  for (gsize p = (gsize) index * width, end = p + width; p < end; p++)
    sumi_tensor_put (j->to, p, factor * sumi_tensor_get (j->from, p));
}

static void
grey_apply (SumiOperator *self, SumiEval *ev, const SumiTensor *x, SumiTensor *y)
{
  rows (self, ev, grey_row, (Job){ .from = x, .to = y });
}

static void
grey_adjoint (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiTensor *x)
{
  rows (self, ev, grey_adjoint_row, (Job){ .from = y, .to = x });
}

static gboolean
grey_spectral (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiSpectrum f, gpointer data, SumiTensor *w)
{
  rows (self, ev, grey_spectral_row, (Job){ .from = y, .to = w, .f = f, .data = data });
  return TRUE;
}

SumiOperator *
sumi_operator_new_grey (const int *shape, GError **error)
{
  const double square = luma[0] * luma[0] + luma[1] * luma[1] + luma[2] * luma[2];
  Point *self;

  if (shape[3] != 3)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE, "operator grey: the picture has %d channels, expected 3",
                   shape[3]);
      return NULL;
    }
  self = g_new (Point, 1);
  *self = (Point){
    {
        .name = "grey",
        .x_shape = { shape[0], shape[1], shape[2], 3 },
        .y_shape = { shape[0], shape[1], shape[2], 1 },
        .norm2 = square,
        .gram = square,
        .apply = grey_apply,
        .adjoint = grey_adjoint,
        .spectral = grey_spectral,
        .free = point_free,
    },
  };
  return &self->operator;
}
