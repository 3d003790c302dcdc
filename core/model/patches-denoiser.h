/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The denoiser of one level of the patches family, and the family's own step. Tensors are [1, H, W, 3] over the level's
 * box, on a 0 to 255 scale. Private to the family. */
#pragma once

#include "core/base/types.h"
#include "core/diffusion/denoiser.h"
#include "core/model/patches-level.h"

G_BEGIN_DECLS

typedef struct
{
  SumiDenoiser denoiser;
  PatchesLevel *level;
  const SumiEvidence *evidence;
  GCancellable *cancellable;
  guint64 seed;
  guint32 sweep;
  gboolean hard; /* only the best candidate votes */
  guint8 *hole;  /* [box]: 1 where the hole is */
  guint8 *shown; /* [box]: 1 where there is anything */
  /* NULL: known pixels are exact: the noisy picture's are not looked at, take no noise and are answered as they are.
   * Else what all pixels are differences from, like the level's tensors, and all are noisy alike; what the patches say
   * of the known ones near the hole is answered too, as a conditioning method wants it. Soft pixels are the method's
   * business then. patches_denoiser_set_base() */
  const SumiTensor *base;
} PatchesDenoiser;

/* @self->hole and @self->shown are allocated. */
gboolean patches_denoiser_init (PatchesDenoiser *self,
                                PatchesLevel *level,
                                const SumiEvidence *evidence,
                                guint64 seed,
                                GCancellable *cancellable,
                                GError **error);
void patches_denoiser_clear (PatchesDenoiser *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PatchesDenoiser, patches_denoiser_clear)

/* @x becomes the level's y; known pixels are exact. */
void patches_denoiser_read (PatchesDenoiser *self, SumiTensor *x);

/* Known pixels of @x become exact. */
void patches_denoiser_keep_known (PatchesDenoiser *self, SumiTensor *x);

/* Begins, or with NULL ends, to take all pixels as noisy; at the end known pixels of y are exact again. */
void patches_denoiser_set_base (PatchesDenoiser *self, const SumiTensor *base);

/* models/patches.md, "Coarse to fine": a share χ of the noise in y is renewed, whatever the step's size. Unlike the
 * solvers' steps it is defined at σ = 0, where it returns D. */
extern const SumiSamplerClass patches_renewal;

G_END_DECLS
