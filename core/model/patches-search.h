/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds each query's best sources. Private to the patches family. models/patches.md, "Search". */
#pragma once

#include "core/base/types.h"
#include "core/model/patches-level.h"
#include "core/model/patches-scan.h"

G_BEGIN_DECLS

/* |Q|·|S| below which every source is tried */
#define PATCHES_EXACT 4e6

typedef enum
{
  PATCHES_SEARCH_AUTO,  /* exact for small levels, else a sweep */
  PATCHES_SEARCH_EXACT, /* every source */
  PATCHES_SEARCH_SWEEP, /* one PatchMatch sweep: own, neighbours', random, and around the best */
} PatchesSearchMode;

/* Updates @level->found for the y at hand.
 * @seed: of the random tries; @sweep: number of this sweep, whose direction alternates
 * @cancellable: (nullable): asked between bands of rows; the result is then incomplete */
void patches_search (PatchesLevel *level,
                     PatchesSearchMode mode,
                     guint64 seed,
                     guint32 sweep,
                     SumiPool *pool,
                     GCancellable *cancellable);

/* The same by one instruction set, in rounded values only; and all that there are (the last works anywhere);
 * NULL-ended. For tests. */
void patches_search_by (const PatchesScanClass *scan,
                        PatchesLevel *level,
                        PatchesSearchMode mode,
                        guint64 seed,
                        guint32 sweep,
                        SumiPool *pool,
                        GCancellable *cancellable);
const PatchesScanClass *const *patches_scans (void);

G_END_DECLS
