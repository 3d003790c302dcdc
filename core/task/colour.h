/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Luminance and chroma of sRGB-encoded colours: Y = 0.299 R + 0.587 G + 0.114 B; chroma is (R − Y, B − Y), so that
 * adding any chroma to a grey keeps its luminance. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

static inline float
sumi_luminance (const float *rgb)
{
  return (float) (0.299 * (double) rgb[0] + 0.587 * (double) rgb[1] + 0.114 * (double) rgb[2]);
}

/* @chroma: R − Y, B − Y. */
static inline void
sumi_chroma (const float *rgb, float chroma[2])
{
  const float y = sumi_luminance (rgb);

  chroma[0] = rgb[0] - y;
  chroma[1] = rgb[2] - y;
}

/* Fills @rgb with luminance @y and as much of @chroma as [0, 1] holds; where @y is outside of it, with grey. */
void sumi_colour_join (float y, const float chroma[2], float *rgb);
/* The same of @n pixels, with @saturation times the chroma. @y: [n]; @chroma: [n, 2]; @rgba: [n, 4], alpha stays */
void sumi_colour_join_row (const float *y, const float *chroma, float saturation, float *rgba, int n);

/* Puts the luminance in all three colours of @n pixels of @channels ≥ 3; R = G = B keep their value exactly. */
void sumi_make_grey (float *pixels, gsize n, int channels);

G_END_DECLS
