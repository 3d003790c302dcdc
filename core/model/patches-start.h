/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an opened level of the patches family begins with. Private to the family. */
#pragma once

#include "core/base/types.h"
#include "core/model/patches-denoiser.h"

G_BEGIN_DECLS

/* Coarsest level: y = the membrane through the known pixels. */
gboolean patches_start_from_membrane (PatchesLevel *level, GError **error);

/* y = the vote for the guide of the level's evidence, after y = the membrane. */
void patches_start_from_guide (PatchesDenoiser *d);

/* y = the hard vote of the coarser level's answers. */
void patches_start_from_coarser (PatchesDenoiser *d, const PatchesLevel *coarse);

/* Means of @image (colours [0, 1], of the evidence's size) over the hole's pixels of the level into @out [box,
 * @channels ≥ 3], on the level's scale. */
void patches_read_image (const PatchesLevel *level, const SumiImage *image, float *out, int channels);

G_END_DECLS
