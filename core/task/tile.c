/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/task/tile.h"

#include <math.h>

#include "core/base/error.h"
#include "core/base/image.h"

/* Beyond this the margins cost little and caches are long overrun. */
#define LARGEST 1024

static int
round_up (int n, int step)
{
  return (n + step - 1) / step * step;
}

/* Cuts @side into equal parts of at most @most. Returns: the part, a multiple of @align. */
static int
cut (int side, int most, int align, int *count)
{
  const int n = (side + most - 1) / most;
  const int part = round_up ((side + n - 1) / n, align);

  *count = (side + part - 1) / part;
  return part;
}

gboolean
sumi_tiling_plan (SumiTiling *tiling,
                  int width,
                  int height,
                  int align,
                  int margin,
                  double bytes,
                  double memory,
                  int max_rows,
                  GError **error)
{
  const double pixels = memory / bytes;
  int side, rows;

  margin = round_up (margin, align);
  side = (int) CLAMP (sqrt (pixels) - 2 * margin, 0, LARGEST) / align * align;
  if (side < align)
    {
      const double needed = bytes * (align + 2.0 * margin) * (align + 2.0 * margin);

      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY,
                   "the model needs at least %.0f MB for a tile, %.0f MB are allowed: raise “memory”",
                   ceil (needed * 1e-6), memory * 1e-6);
      return FALSE;
    }
  rows = CLAMP (max_rows / align * align, align, side);
  tiling->width = width;
  tiling->height = height;
  tiling->margin = margin;
  tiling->tile_width = cut (width, side, align, &tiling->columns);
  tiling->tile_height = cut (height, rows, align, &tiling->rows);
  return TRUE;
}

void
sumi_tiling_get (const SumiTiling *tiling, int column, int row, SumiRect *core, SumiRect *seen)
{
  const SumiRect all = { 0, 0, tiling->width, tiling->height };
  const int m = tiling->margin;
  SumiRect tile = { column * tiling->tile_width, row * tiling->tile_height, tiling->tile_width, tiling->tile_height };

  sumi_rect_intersect (&tile, &all, core);
  tile = (SumiRect){ tile.x - m, tile.y - m, tile.width + 2 * m, tile.height + 2 * m };
  sumi_rect_intersect (&tile, &all, seen);
}
