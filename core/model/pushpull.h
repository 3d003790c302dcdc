/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Push-pull fill: a smooth guess from the known pixels (models/restore.md, "Push-pull fill"). */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Fills the pixels of @image where @missing [H, W, 1] > 0, in place; known pixels stay. With nothing known the fill is
 * 0.5. @x, @y: where the first pixel lies in the whole picture: blocks of up to 64 pixels start at multiples of their
 * size there, so that small holes fill the same in every tile. Fails with %SUMI_ERROR_MEMORY. */
gboolean sumi_pushpull_fill (SumiImage *image, const SumiImage *missing, int x, int y, GError **error);

G_END_DECLS
