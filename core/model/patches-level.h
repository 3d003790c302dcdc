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

/* What the search compares is rounded: colours of y are within these, texture strength counts in steps of COARSE. */
#define PATCHES_LEAST  (-128.0f)
#define PATCHES_MOST   383.0f
#define PATCHES_COARSE 4.0f

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
  SumiPool *pool; /* (nullable) */
  int width, height;
  int radius;         /* of a patch, 1 to PATCHES_RADIUS_MAX */
  int depth;          /* 0 is full size */
  float *picture;     /* [height, width, 4]: R G B in [0, 255] and the texture strength, 0 where not known; padded */
  float *missing;     /* [height, width] */
  guint8 *kind;       /* [height, width] of PatchesKind */
  guint32 *is_source; /* a bit for each position y·width + x */
  int *sources;       /* positions; (nullable): not listed where most positions are one */
  int n_sources;
  gsize n_known, n_holes; /* pixels */
  SumiRect unknown;       /* holds what is not known, and one pixel around */
  float deepest;          /* largest distance of a hole pixel to a known one */

  SumiRect box;
  float *noisy;           /* [box, 4]: y, padded */
  float *weight;          /* [box]: k, padded; 0 at void pixels */
  guint8 *compact;        /* [height, width, 4]: the picture in bytes, T / PATCHES_COARSE; padded */
  gint16 *sought;         /* [box, 4]: y as it is compared; padded */
  gint16 *scale;          /* [box, 4]: 2·√k, for T times PATCHES_COARSE; padded */
  float *total;           /* [n_queries]: 3·Σ (2·√k)² of the patch */
  float *fade;            /* [n_queries]: what is left of a query's confidence so far from what is known */
  gboolean uses_texture;  /* patches_level_use_texture() */
  float *distance;        /* [box]: to the nearest known pixel, chamfer 1 and 1.41 */
  int *query_at;          /* [box]: index of the query centred there, or −1 */
  int *query_x, *query_y; /* [n_queries], in raster order */
  int *first;             /* [box.height + 1]: the first query of each row of the box */
  int n_queries;
  gboolean inherits;            /* what queries have found is a coarser level's: nothing far away is worth a look */
  PatchesFound *found, *before; /* [n_queries]: now, and before this sweep */
  float (*votes)[PATCHES_K];    /* [n_queries]: c_q·w_k */
} PatchesLevel;

/* Level 0 of @evidence (pictures [0, 1]), without queries yet. @pool: (nullable): for this level and all made of it */
PatchesLevel *patches_level_new (const SumiEvidence *evidence, SumiPool *pool, GError **error);
/* The next coarser level. */
PatchesLevel *patches_level_shrink (const PatchesLevel *fine, GError **error);
void patches_level_free (PatchesLevel *level);
/* Finds sources for patches of @radius. Returns: FALSE when out of memory. */
gboolean patches_level_set_radius (PatchesLevel *level, int radius, GError **error);
/* Finds the queries and allocates what search and vote need; y becomes the known pixels. */
gboolean patches_level_open (PatchesLevel *level, GError **error);
/* Whether the texture strength of y counts, as it does at first; it must not where y has none yet. */
void patches_level_use_texture (PatchesLevel *level, gboolean use);
/* Frees what patches_level_open() allocated and the sources. */
void patches_level_close (PatchesLevel *level);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PatchesLevel, patches_level_free)

/* For the files of the family that make levels. Zeros, with room for the vectors that reach beyond the end. */
gpointer patches_take (gsize n, gsize size);
/* Returns: FALSE, with the error set. */
gboolean patches_no_memory (const PatchesLevel *level, GError **error);
/* The distance of each pixel of @box to the nearest known one in it. */
void patches_chamfer (const PatchesLevel *level, const SumiRect *box, float *distance);

/* The rows that search reads are 8 pixels wide, wherever they start; or of 32 patches side by side. */
#define PATCHES_PAD 40

static inline gsize
patches_box_at (const PatchesLevel *level, int x, int y)
{
  return (gsize) (y - level->box.y) * (gsize) level->box.width + (gsize) (x - level->box.x);
}

static inline gboolean
patches_is_source (const PatchesLevel *level, int at)
{
  return level->is_source[at >> 5] >> (at & 31) & 1;
}

/* A source that @bits choose: the first at or after a position. */
static inline int
patches_any_source (const PatchesLevel *level, guint64 bits)
{
  const int n = level->width * level->height;
  int at = (int) (bits % (guint64) n);

  while (! patches_is_source (level, at))
    at = at + 1 < n ? at + 1 : 0;
  return at;
}

static inline gsize
patches_at (const PatchesLevel *level, int x, int y)
{
  return (gsize) y * (gsize) level->width + (gsize) x;
}

G_END_DECLS
