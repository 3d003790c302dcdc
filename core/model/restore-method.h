/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a conditioning method may know of a picture of family restore, in units of the residual: u = (x − b)/s. Private
 * to the family. */
#pragma once

#include "core/base/types.h"
#include "core/diffusion/method.h"
#include "core/diffusion/operator.h"
#include "core/diffusion/plan.h"
#include "core/model/restore-frame.h"

G_BEGIN_DECLS

typedef struct
{
  SumiMethod method;
  SumiOperator *a; /* (nullable) */
} SumiRestoreMethod;

/* One run of the plan's method on what @frame, which is filled, knows: pixels; the luminance where the picture is grey;
 * the photo where it is enlarged, or the noisy picture. Tensors live in @ev's scratch.
 * @reference: (nullable): [0, 1]: what to start from where pixels are missing; NULL: the guess. */
gboolean sumi_restore_method_init (SumiRestoreMethod *self,
                                   const SumiPlan *plan,
                                   const SumiRestoreFrame *frame,
                                   const SumiImage *reference,
                                   SumiEval *ev,
                                   GError **error);
void sumi_restore_method_clear (SumiRestoreMethod *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SumiRestoreMethod, sumi_restore_method_clear)

G_END_DECLS
