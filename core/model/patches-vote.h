/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From what the queries found to the denoised picture. Private to the patches family. models/patches.md. */
#pragma once

#include "core/base/types.h"
#include "core/model/patches-level.h"

G_BEGIN_DECLS

/* Fills @level->votes from @level->found. @sigma: noise level [0, 255]; @hard: only the best candidate counts */
void patches_vote_weigh (PatchesLevel *level, double sigma, gboolean hard, SumiPool *pool);

/* Weighted mean of the found sources at each pixel of the box that @where names.
 * @out: [box, 4], R G B T; other pixels are left alone
 * @where: [box]: nonzero where to vote; a pixel that no query covers is left alone too */
void patches_vote (const PatchesLevel *level, const guint8 *where, float *out, SumiPool *pool);

G_END_DECLS
