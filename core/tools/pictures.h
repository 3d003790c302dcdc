/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opens the picture module. It is looked for as sumi-pictures.so in $SUMI_LIBDIR, beside the program (the build tree),
 * and in the folder "sumi" of the library folder that belongs to the program's. */
#pragma once

#include "core/tools/pictures/module.h"

G_BEGIN_DECLS

/* Opens and starts the module; cheap to repeat. @threads: of libvips, 0 for all.
 * Fails with %SUMI_ERROR_UNSUPPORTED: not there, of another version, or this Sumi was built without it. */
gboolean sumi_pictures_open (int threads, GError **error);

/* After sumi_pictures_open() succeeded. */
const SumiPictures *sumi_pictures (void);

G_END_DECLS
