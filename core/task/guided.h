/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chroma worked out small, brought to full size along the photo's own edges: joint bilateral upsampling (Kopf, Cohen,
 * Lischinski and Uyttendaele, SIGGRAPH 2007). */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* @map: [h, w, 3]: Y, R − Y, B − Y of the whole picture, small
 * @width, @height: of the picture at full size (≥ @map's)
 * @rect: the part wanted
 * @luminance: [rect]: Y at full size, @stride floats apart
 * @chroma: [rect, 2]: R − Y, B − Y */
void sumi_guided_chroma (SumiPool *pool,
                         const SumiImage *map,
                         int width,
                         int height,
                         const SumiRect *rect,
                         const float *luminance,
                         int stride,
                         float *chroma);

G_END_DECLS
