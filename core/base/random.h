/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counter-based random numbers: a pure function of (seed, stream, counters), the same whatever the threads,
 * tiles or backend. Philox 4×32-10 (Salmon et al., SC 2011). */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Four uniform 32-bit numbers. */
void sumi_random_bits (guint64 seed, guint32 stream, const guint32 counter[3], guint32 out[4]);

/* Two independent N(0, 1) numbers for pixel (@x, @y), channel pair @c, noise draw @stream (a step's number,
 * plus whatever tells one use from another). Coordinates are absolute in the picture and may be negative. */
void sumi_random_normal (guint64 seed, guint32 stream, int x, int y, guint32 c, float out[2]);

/* Cheap hash for searches: 64 well-mixed bits of three words. */
guint64 sumi_random_hash (guint64 a, guint64 b, guint64 c);

G_END_DECLS
