/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this process takes of the machine's memory, in bytes; 0 where the system does not say. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

gsize sumi_memory_get_resident (void); /* now */
gsize sumi_memory_get_peak (void);     /* at the most so far */

G_END_DECLS
