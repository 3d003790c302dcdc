/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The seam of the finest level of the patches family. Private to the family. */
#pragma once

#include "core/base/types.h"
#include "core/model/patches-denoiser.h"

G_BEGIN_DECLS

/* Writes the level's last vote into the hole of @out [0, 1], with what it differs by from the known pixels just outside
 * carried inwards by a membrane. */
gboolean patches_finish (PatchesDenoiser *d, SumiImage *out, GError **error);

G_END_DECLS
