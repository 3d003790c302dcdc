/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256 (FIPS 180-4) of large data: GLib's, or the CPU's own instructions, which are eight times as fast. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Returns: (transfer full): 64 lower-case hexadecimal digits. */
char *sumi_sha256_dup_hex (gconstpointer data, gsize size);

G_END_DECLS
