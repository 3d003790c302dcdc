/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changing size. All of it is local and keyed by absolute position, so a piece of a picture comes out as the same
 * piece of the whole: pixel i of a side of n covers [i, i + 1) of [0, n] (half-pixel centres), edges repeat. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Pixels of context that sumi_enlarge_bicubic() reads around what it enlarges. */
#define SUMI_BICUBIC_MARGIN 2

/* The kernel itself: cubic convolution (Keys 1981), a = −0.5, support [−2, 2]. */
double sumi_cubic (double t);

/* The part of a small picture needed to make @out of its enlargement by @factor; may stick out of the picture. */
SumiRect sumi_enlarge_needs (const SumiRect *out, int factor, int margin);

/* Part of an enlargement by the cubic convolution kernel (Keys 1981) with a = −0.5.
 * @in: holds at least sumi_enlarge_needs (@out, @factor, %SUMI_BICUBIC_MARGIN); any channels
 * @where: where @in lies in the small picture (size is @in's)
 * @factor: ≥ 1; 1 copies
 * @out: rectangle of the enlarged picture
 * Returns: (transfer full): size of @out. May overshoot. */
SumiImage *sumi_enlarge_bicubic (SumiPool *pool,
                                 const SumiImage *in,
                                 const SumiRect *where,
                                 int factor,
                                 const SumiRect *out,
                                 GError **error);

/* Means of @factor × @factor blocks; sides of @in are multiples of it. Returns: (transfer full) */
SumiImage *sumi_shrink_box (SumiPool *pool, const SumiImage *in, int factor, GError **error);

/* Enlarges or shrinks to any size by linear interpolation without filtering; for smooth maps.
 * Returns: (transfer full) */
SumiImage *sumi_resize_linear (const SumiImage *in, int width, int height, GError **error);

/* Called for each row of a picture that is read through, before it is added up, on any thread: may change the pixels in
 * place, @n of them, @channels each. */
typedef void (*SumiPixelFunc) (gpointer data, float *pixels, gsize n, int channels);

/* Reads all of @source in bands and averages it by area to @width × @height (≤ its size), exactly also where the
 * ratio is not whole. @map: (nullable). Returns: (transfer full): @source's channels. */
SumiImage *sumi_source_shrink (SumiPool *pool,
                               SumiSource *source,
                               int width,
                               int height,
                               SumiPixelFunc map,
                               gpointer data,
                               SumiJob *job,
                               GError **error);

/* Largest size of @width × @height's shape whose longer side is at most @longest, and at least 1 × 1;
 * never larger than the picture. */
void sumi_size_within (int width, int height, int longest, int *out_width, int *out_height);

G_END_DECLS
