/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Colour strokes spread over a picture along its edges: neighbours of like luminance get like colour (Levin,
 * Lischinski and Weiss, "Colorization using optimization", SIGGRAPH 2004). */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* @luminance: [H, W, 1]
 * @strokes: [H, W, 4]: R − Y, B − Y (times coverage), unused, coverage [0, 1] of the strokes
 * Minimises Σ w_rs (U_r − U_s)² over the 8-neighbourhood with U = strokes on strokes, for each chroma; and how well a
 * pixel is connected to strokes: 1 on them, falling with distance, faster across edges.
 * Returns: (transfer full): [H, W, 3]: R − Y, B − Y, confidence [0, 1]. All 0 when there are no strokes. */
SumiImage *
sumi_propagate (SumiPool *pool, const SumiImage *luminance, const SumiImage *strokes, SumiJob *job, GError **error);

G_END_DECLS
