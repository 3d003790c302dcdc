/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Box consistency: the smallest smooth change that makes an enlargement shrink back, by means of factor × factor
 * blocks, to the small picture that it was made from (back-projection: Irani and Peleg 1991). */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Rows and columns of the small picture around a pixel on which its correction depends. */
#define SUMI_CONSISTENT_MARGIN 11

/* A band of full width. @small and @big have the same 3 or 4 channels (the 4th is in [0, 1]).
 * @small: rows @small_y … of the small picture, which has @small_height rows in all
 * @big: the same rows enlarged, not consistent yet; size @factor × that of @small
 * @y, @rows: which rows of the small picture to correct; unless the picture ends there, %SUMI_CONSISTENT_MARGIN more
 *   rows lie on either side in @small and @big
 * Colours stay in [0, 1], or where the small picture leaves that, within its own range in the 3 × 3 pixels around.
 * Returns: (transfer full): @rows · @factor rows, whose block means are @small's to float rounding. */
SumiImage *sumi_make_consistent (SumiPool *pool,
                                 const SumiImage *small,
                                 const SumiImage *big,
                                 int small_y,
                                 int small_height,
                                 int factor,
                                 int y,
                                 int rows,
                                 GError **error);

/* Moves the @n values of a block, which lie at values[at[…]], as little as can be so that their mean is @mean and
 * all lie in [@low, @high], which holds @mean. */
void sumi_settle_block (float *values, const int *at, int n, float mean, float low, float high);

G_END_DECLS
