/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EXIF of TIFF files, which libvips neither reads nor writes: through GExiv2 where Sumi was built with it. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

/* Copies what the EXIF of the file @from says of the photo (camera, time, place, author; nothing about the layout of
 * its pixels) into the file @to, which has @width by @height pixels. Without GExiv2, or when the file is not to its
 * taste, nothing happens. */
void sumi_exif_copy (const char *from, const char *to, int width, int height);

G_END_DECLS
