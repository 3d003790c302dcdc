/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linear operators y = A·x that say what of a picture was observed: masks, blurs, shrinking, grey, and compositions.
 * x: [N, H, W, C]; y: what the operator says. f32 and f64. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

struct SumiOperator
{
  const char *name;
  int x_shape[4], y_shape[4];
  void (*apply) (SumiOperator *self, SumiEval *ev, const SumiTensor *x, SumiTensor *y);   /* y = A·x */
  void (*adjoint) (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiTensor *x); /* x = Aᵀ·y */
  /* (nullable): w = (A·Aᵀ + c·I)⁻¹·y directly, c ≥ 0, as the pseudo-inverse where c = 0 and A·Aᵀ is singular. NULL:
   * sumi_operator_solve() takes conjugate gradients. */
  void (*solve) (SumiOperator *self, SumiEval *ev, const SumiTensor *y, double c, SumiTensor *w);
  void (*free) (SumiOperator *self);
};

void sumi_operator_free (SumiOperator *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiOperator, sumi_operator_free)

/* w = (A·Aᵀ + c·I)⁻¹·y, by self->solve or conjugate gradients. */
void sumi_operator_solve (SumiOperator *self, SumiEval *ev, const SumiTensor *y, double c, SumiTensor *w);

/* Returns: (transfer none): A·x, Aᵀ·y and A⁺·y = Aᵀ·(A·Aᵀ)⁺·y in scratch. */
SumiTensor *sumi_operator_apply (SumiOperator *self, SumiEval *ev, const SumiTensor *x);
SumiTensor *sumi_operator_adjoint (SumiOperator *self, SumiEval *ev, const SumiTensor *y);
SumiTensor *sumi_operator_pinv (SumiOperator *self, SumiEval *ev, const SumiTensor *y);

G_END_DECLS
