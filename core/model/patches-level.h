/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One scale of the patches family: the picture, its hole, its sources (whole patches of known pixels) and its queries
 * (patches that touch the hole). Private to the family. models/patches.md. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

#define PATCHES_RADIUS_MAX 3
#define PATCHES_K          4 /* candidates that a query keeps */
/* Row of a query's patch in floats: 8 pixels of 4 channels, of which the last ones count nothing. */
#define PATCHES_ROW        32
#define PATCHES_SIDE       (2 * PATCHES_RADIUS_MAX + 1)
/* √320: the texture channel is stored times this, so that plain squared differences have its weight τ.
 * models/patches.md says 20; over the 29 cases of fill-cases more is better: SWD 7.4 (20), 7.2 (80), 6.8 (180), 6.4
 * (320) */
#define PATCHES_TEXTURE    17.88854f

typedef enum
{
  PATCHES_KNOWN,
  PATCHES_HOLE,
  PATCHES_VOID, /* transparent: neither filled nor copied from, nor compared with */
} PatchesKind;

/* What a query found: positions of sources, best first; −1 = none. */
typedef struct
{
  int at[PATCHES_K];
  float error[PATCHES_K]; /* e(q, s); infinite where there is none */
} PatchesFound;

/* Coordinates are the level's; "box" is the part that queries' patches cover, in which y and its weights live. */
typedef struct
{
  int width, height;
  int radius;        /* of a patch, 1 to PATCHES_RADIUS_MAX */
  int depth;         /* 0 is full size */
  float *picture;    /* [height, width, 4]: R G B in [0, 255] and the texture strength, 0 where not known; padded */
  float *missing;    /* [height, width] */
  guint8 *kind;      /* [height, width] of PatchesKind */
  guint8 *is_source; /* [height, width] */
  int *sources;      /* positions y·width + x */
  int n_sources;
  float deepest; /* largest distance of a hole pixel to a known one */

  float texture_weight; /* 1, or 0 where y has no texture strength yet */
  SumiRect box;
  float *noisy;    /* [box, 4]: y, padded */
  float *weight;   /* [box]: k, padded; 0 at void pixels */
  float *distance; /* [box]: to the nearest known pixel, chamfer 1 and 1.41 */
  int *query_at;   /* [box]: index of the query centred there, or −1 */
  int *query_x;    /* [n_queries], in raster order */
  int *first;      /* [box.height + 1]: the first query of each row of the box */
  int n_queries;
  PatchesFound *found, *before; /* [n_queries]: now, and before this sweep */
  float (*votes)[PATCHES_K];    /* [n_queries]: c_q·w_k */
} PatchesLevel;

/* Level 0 of @evidence (pictures [0, 1]), without queries yet. */
PatchesLevel *patches_level_new (const SumiEvidence *evidence, GError **error);
/* The next coarser level. */
PatchesLevel *patches_level_shrink (const PatchesLevel *fine, GError **error);
void patches_level_free (PatchesLevel *level);
/* Finds sources for patches of @radius. Returns: FALSE when out of memory. */
gboolean patches_level_set_radius (PatchesLevel *level, int radius, GError **error);
/* Finds the queries and allocates what search and vote need; y becomes the known pixels. */
gboolean patches_level_open (PatchesLevel *level, GError **error);
/* Frees what patches_level_open() allocated and the sources. */
void patches_level_close (PatchesLevel *level);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PatchesLevel, patches_level_free)

static inline gsize
patches_box_at (const PatchesLevel *level, int x, int y)
{
  return (gsize) (y - level->box.y) * (gsize) level->box.width + (gsize) (x - level->box.x);
}

static inline gsize
patches_at (const PatchesLevel *level, int x, int y)
{
  return (gsize) y * (gsize) level->width + (gsize) x;
}

G_END_DECLS
