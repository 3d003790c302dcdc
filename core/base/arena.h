/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bump allocator with mark and release. Memory is 64-byte aligned and not cleared. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef struct
{
  gpointer chunk;
  gsize used;
} SumiArenaMark;

/* Memory of its own, 64-byte aligned, not cleared, of huge pages where it is large and the system has them. Returns:
 * (nullable): free it with free(). */
gpointer sumi_memory_alloc (gsize size);

/* From now on freed memory stays with the process, where the C library can be told so: pictures that come and go tile
 * by tile are then not cleared by the system each time. */
void sumi_memory_keep (void);

SumiArena *sumi_arena_new (void);
void sumi_arena_free (SumiArena *arena);
/* Returns: (nullable): NULL when there is no memory. Lives until the arena is freed or released below it. */
gpointer sumi_arena_alloc (SumiArena *arena, gsize size);
SumiArenaMark sumi_arena_mark (SumiArena *arena);
/* Forgets what was allocated after @mark; chunks are kept for the next use. */
void sumi_arena_release (SumiArena *arena, SumiArenaMark mark);
/* Bytes in use at the busiest moment so far. */
gsize sumi_arena_get_peak (const SumiArena *arena);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiArena, sumi_arena_free)

G_END_DECLS
