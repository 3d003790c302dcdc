/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inner part of the patches search, once for each instruction set. Private to the family.
 *
 * It compares in whole numbers: the picture's colours rounded to bytes, texture strength to a quarter of a byte's
 * range, weights as 2·√k. So every instruction set finds the same, and what a patch takes to fetch is a quarter of its
 * floats. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/types.h"
#include "core/model/patches-level.h"

G_BEGIN_DECLS

#define PATCHES_BAND 16 /* rows of the box that a sweep does in one go */
#define PATCHES_RUN  8  /* queries that an exact search does in one go */

typedef struct
{
  PatchesLevel *level;
  guint64 seed;
  guint32 sweep;
  GCancellable *cancellable;
} PatchesScan;

/* Both read @before of the level's queries and write @found, best first, with e(q, s) of the rounded values. */
typedef struct
{
  const char *name;
  gboolean (*usable) (void);
  SumiPoolFunc sweep; /* data: PatchesScan; index: of the band */
  SumiPoolFunc exact; /* index: of the run */
} PatchesScanClass;

/* The sum over the first rows that a source may have and still be below @limit, with what float sums may be off. */
static inline int
patches_scan_limit (float limit)
{
  return limit < 2.1e9f ? (int) (limit * 1.0001f) + 4 : G_MAXINT32;
}

extern const PatchesScanClass patches_scan_plain;
#if defined(__x86_64__)
extern const PatchesScanClass patches_scan_avx2, patches_scan_avx512;
#endif

/* A query at work: rows of its patch and weights, as they are compared, and what it has found. */
typedef struct
{
  gint16 y[PATCHES_SIDE * PATCHES_ROW];
  gint16 scale[PATCHES_SIDE * PATCHES_ROW]; /* 0 beyond the patch */
  /* of the first two rows, for each pixel: y of R and B, of G and T, and their scales, as pairs of 16 bits */
  gint32 pairs[2 * PATCHES_SIDE][4];
  gssize offset; /* bytes from a source's centre to the first row compared */
  gssize stride; /* bytes to the next row */
  int side;
  int at[PATCHES_K];
  float sum[PATCHES_K]; /* of (scale·(y − p))² */
} PatchesQuery;

G_END_DECLS
