/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ctrl+C: the first signal cancels, the second ends the program at once; files in the making are removed. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

/* From now on SIGINT, SIGTERM and SIGHUP (unless ignored, as under nohup) cancel @cancellable. Once in a process. */
void sumi_interrupt_start (GCancellable *cancellable);

/* Returns: 128 + the signal that came, 0 when none did. */
int sumi_interrupt_get_status (void);

G_END_DECLS
