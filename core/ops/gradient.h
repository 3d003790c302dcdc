/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the gradients of several ops have in common (tape.h: grad ← Jᵀ·g + add). Private to the ops. */
#pragma once

#include "core/tensor/tape.h"
#include "core/tensor/tensor.h"

G_BEGIN_DECLS

/* grad[0] ← g·slope (x) + add[0], element by element, for ops of one input that they keep. */
void sumi_gradient_pointwise (SumiEval *ev, const SumiBackward *b, double (*slope) (double x));
/* Channels @from, @from + 1, … of @g as @out, with @add (nullable; may be @out) added; where @shrink, @out has half
 * @g's sides and each of its pixels is the sum of four. @g: [N, H, W, …], @out: [N, H, W, C] or [N, H/2, W/2, C]. */
void sumi_gradient_channels (SumiEval *ev,
                             const SumiTensor *g,
                             int from,
                             gboolean shrink,
                             const SumiTensor *add,
                             SumiTensor *out);
/* grad[0] ← @t + add[0] for a @t that was written into sumi_gradient_place(). */
SumiTensor *sumi_gradient_place (const SumiBackward *b);
void sumi_gradient_finish (SumiEval *ev, const SumiBackward *b, SumiTensor *t);

/* The derivative of silu, sigmoid (x)·(1 + x·(1 − sigmoid (x))); of gelu, Φ(x) + x·φ(x). */
double sumi_silu_slope (double x);
double sumi_gelu_slope (double x);

/* Element @from of @in to element @to of @out, of the same type: for sumi_tape_derive(). */
static inline void
sumi_gradient_element (const SumiTensor *in, gsize from, const SumiTensor *out, gsize to)
{
  switch (sumi_dtype_size (in->dtype))
    {
    case 1:
      ((guint8 *) out->data)[to] = ((const guint8 *) in->data)[from];
      break;
    case 2:
      ((guint16 *) out->data)[to] = ((const guint16 *) in->data)[from];
      break;
    case 4:
      ((guint32 *) out->data)[to] = ((const guint32 *) in->data)[from];
      break;
    default:
      ((guint64 *) out->data)[to] = ((const guint64 *) in->data)[from];
    }
}

G_END_DECLS
