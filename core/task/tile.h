/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cutting a picture into tiles that overlap by a margin, under a memory budget. Tiles start at multiples of a
 * model's alignment, so that each sees the same grid as the whole picture would. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef struct
{
  int width, height;           /* of the picture */
  int tile_width, tile_height; /* multiples of the alignment; the last ones may be smaller */
  int columns, rows;
  int margin; /* a multiple of the alignment */
} SumiTiling;

/* Fills @tiling with the largest tiles, all of about one size, that hold to the limits.
 * @align, @margin: the family's
 * @bytes: memory that predicting takes per pixel of a tile with its margin
 * @memory: that may be used in all
 * @max_rows: most rows that a row of tiles may have (what else is held per row of tiles)
 * Fails with %SUMI_ERROR_MEMORY when not even the smallest tile fits. */
gboolean sumi_tiling_plan (SumiTiling *tiling,
                           int width,
                           int height,
                           int align,
                           int margin,
                           double bytes,
                           double memory,
                           int max_rows,
                           GError **error);

/* What tile (@column, @row) answers for, and what it has to see for that; both lie in the picture. */
void sumi_tiling_get (const SumiTiling *tiling, int column, int row, SumiRect *core, SumiRect *seen);

G_END_DECLS
