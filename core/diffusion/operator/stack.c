/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several observations of one picture. A·Aᵀ falls into the parts' own blocks where no two of them see anything in
 * common (Ai·Ajᵀ = 0), as known pixels and the grey of all others do; whether they do is found out by sending noise
 * through, which no non-zero product maps to 0. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/operator.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

typedef struct
{
  SumiOperator operator;
  int n;
  SumiOperator **parts;
  gsize *start;   /* [n]: of a part's rows in a sample's */
  gboolean known; /* whether apart has been found out */
  gboolean apart;
} Stack;

/* Rows of part @index of every sample, out of @y into @part or back. */
static void
move (const Stack *s, int index, const SumiTensor *from, SumiTensor *to, gboolean out)
{
  const gsize samples = (gsize) s->operator.y_shape[0], all = (gsize) s->operator.y_shape[2];
  const int *shape = s->parts[index]->y_shape;
  const gsize rows = (gsize) shape[1] * (gsize) shape[2] * (gsize) shape[3];

  for (gsize n = 0; n < samples; n++)
    for (gsize i = 0; i < rows; i++)
      {
        const gsize whole = n * all + s->start[index] + i, part = n * rows + i;

        sumi_tensor_put (to, out ? part : whole, sumi_tensor_get (from, out ? whole : part));
      }
}

static SumiTensor *
part_of (const Stack *s, SumiEval *ev, int index, const SumiTensor *y)
{
  SumiTensor *part = sumi_eval_tensor_of (ev, (int) y->dtype, 4, s->parts[index]->y_shape);

  if (sumi_eval_ok (ev))
    move (s, index, y, part, TRUE);
  return part;
}

void
sumi_operator_stack_put (SumiOperator *stack, SumiEval *ev, int index, const SumiTensor *part, SumiTensor *y)
{
  if (sumi_eval_ok (ev))
    move ((Stack *) stack, index, part, y, FALSE);
}

static void
stack_apply (SumiOperator *self, SumiEval *ev, const SumiTensor *x, SumiTensor *y)
{
  Stack *s = (Stack *) self;

  for (int i = 0; i < s->n && sumi_eval_ok (ev); i++)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);

      sumi_operator_stack_put (self, ev, i, sumi_operator_apply (s->parts[i], ev, x), y);
      sumi_arena_release (ev->scratch, mark);
    }
}

static void
stack_adjoint (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiTensor *x)
{
  Stack *s = (Stack *) self;

  for (int i = 0; i < s->n && sumi_eval_ok (ev); i++)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      SumiTensor *part = sumi_operator_adjoint (s->parts[i], ev, part_of (s, ev, i, y));

      sumi_lincomb (ev, 1, i > 0 ? x : part, 1, i > 0 ? part : NULL, 0, NULL, x);
      sumi_arena_release (ev->scratch, mark);
    }
}

static gboolean
see_nothing_in_common (Stack *s, SumiEval *ev)
{
  double most = 0;

  for (int i = 0; i < s->n && sumi_eval_ok (ev); i++)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      SumiTensor *noise = sumi_eval_tensor_of (ev, SUMI_DTYPE_F64, 4, s->parts[i]->y_shape), *x;

      if (! sumi_eval_ok (ev))
        return FALSE;
      for (gsize k = 0; k < sumi_tensor_count (noise); k++)
        ((double *) noise->data)[k] = 0.5 + (double) (sumi_random_hash (k, (guint64) i, 1) >> 11) * 0x1p-53;
      x = sumi_operator_adjoint (s->parts[i], ev, noise);
      for (int l = 0; l < i; l++)
        {
          SumiTensor *seen = sumi_operator_apply (s->parts[l], ev, x);

          most = MAX (most, sumi_dot (ev, seen, seen));
        }
      sumi_arena_release (ev->scratch, mark);
    }
  return most == 0;
}

static gboolean
stack_spectral (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiSpectrum f, gpointer data, SumiTensor *w)
{
  Stack *s = (Stack *) self;

  if (! s->known)
    s->apart = see_nothing_in_common (s, ev);
  s->known = TRUE;
  for (int i = 0; i < s->n; i++)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      SumiTensor *part;

      if (! s->apart || ! s->parts[i]->spectral)
        return FALSE;
      part = part_of (s, ev, i, y);
      if (sumi_eval_ok (ev) && ! s->parts[i]->spectral (s->parts[i], ev, part, f, data, part))
        return FALSE;
      sumi_operator_stack_put (self, ev, i, part, w);
      sumi_arena_release (ev->scratch, mark);
    }
  return TRUE;
}

static void
stack_free (SumiOperator *self)
{
  Stack *s = (Stack *) self;

  for (int i = 0; i < s->n; i++)
    sumi_operator_free (s->parts[i]);
  g_free (s->parts);
  g_free (s->start);
  g_free (s);
}

/* Returns: rows of a sample; 0 where parts lack or do not fit. */
static gsize
count_rows (Stack *s, GError **error)
{
  gsize rows = 0;

  for (int i = 0; i < s->n; i++)
    {
      const SumiOperator *part = s->parts[i];

      if (! part)
        return 0;
      if (s->parts[0] && memcmp (part->x_shape, s->parts[0]->x_shape, sizeof part->x_shape))
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE, "operator stack: %s is not of the same picture size as %s",
                       part->name, s->parts[0]->name);
          return 0;
        }
      s->start[i] = rows;
      rows += (gsize) part->y_shape[1] * (gsize) part->y_shape[2] * (gsize) part->y_shape[3];
      s->operator.norm2 += part->norm2;
    }
  return MIN (rows, G_MAXINT);
}

SumiOperator *
sumi_operator_new_stack (int n, SumiOperator *const *parts, GError **error)
{
  Stack *self = g_new (Stack, 1);
  g_autoptr (SumiOperator) owner = &self->operator;
  gsize rows;

  *self = (Stack){
    {
        .name = "stack",
        .apply = stack_apply,
        .adjoint = stack_adjoint,
        .spectral = stack_spectral,
        .free = stack_free,
    },
    n,
    g_new (SumiOperator *, n),
    g_new0 (gsize, n),
  };
  for (int i = 0; i < n; i++)
    self->parts[i] = parts[i];
  rows = count_rows (self, error);
  if (rows == 0)
    return NULL;
  memcpy (self->operator.x_shape, self->parts[0]->x_shape, sizeof self->operator.x_shape);
  memcpy (self->operator.y_shape, (const int[]){ self->operator.x_shape[0], 1, (int) rows, 1 },
          sizeof self->operator.y_shape);
  return g_steal_pointer (&owner);
}
