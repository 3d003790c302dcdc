/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a conditioning method may know of a level of the patches family. Private to the family. */
#pragma once

#include "core/base/types.h"
#include "core/diffusion/method.h"
#include "core/diffusion/operator.h"
#include "core/diffusion/plan.h"
#include "core/model/patches-denoiser.h"

G_BEGIN_DECLS

typedef struct
{
  SumiMethod method;
  SumiOperator *a;
} PatchesMethod;

/* One run of the plan's method, all of whose tensors live in @arena, as differences from @base, like the level's
 * tensors: noise of the levels' σ would not hide where the numbers begin. Known are the known pixels of the level,
 * exactly, soft ones in part; the reference is what the hole held, or, where nobody knows or a first guess is asked
 * for, @base. Fails with %SUMI_ERROR_UNSUPPORTED, see sumi_method_check(). */
gboolean patches_method_init (PatchesMethod *self,
                              const SumiPlan *plan,
                              const PatchesDenoiser *d,
                              const SumiTensor *base,
                              SumiArena *arena,
                              const char *who,
                              GError **error);
void patches_method_clear (PatchesMethod *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PatchesMethod, patches_method_clear)

G_END_DECLS
