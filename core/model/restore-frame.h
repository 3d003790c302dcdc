/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture as the network of family restore sees it: padded to multiples of the network's align, as a guess b and maps
 * of what of it is missing, with a residual u over the guess: x = b + s·u. models/restore.md. Private to the family. */
#pragma once

#include "core/base/types.h"
#include "core/model/restore-net.h"

G_BEGIN_DECLS

typedef struct
{
  const SumiEvidence *evidence;
  SumiImage *guess; /* in [0, 1] colours, not clamped */
  int left, top;    /* padding before the picture: the network's cells start at multiples of its align everywhere */
  double s;
  /* Under a conditioning method, which keeps known pixels to their exact values, they are told as a guide of their own
   * size (factor 1, no noise), so that their residuals are predicted too. A noise of theirs, 0.05 or more, would be
   * taken for the hole's as well, and stay there as speckle. */
  gboolean prior;
  SumiTensor *b, *e; /* [1, H, W, 3], padded */
} SumiRestoreFrame;

/* Index of @i reflected into [0, n): …2 1 0 1 2… n−2 n−1 n−2… */
int sumi_restore_reflect (int i, int n);

/* Returns: (transfer full): the picture, grey where only the luminance is known, with missing pixels filled in
 * smoothly. */
SumiImage *sumi_restore_make_guess (const SumiEvidence *evidence, SumiPool *pool, GError **error);

/* The residual's scale. It goes by the maps that are given, not by what is in them, so every tile of a picture has the
 * same. */
double sumi_restore_get_scale (const SumiRestoreNet *net, const SumiEvidence *evidence, gboolean prior);

/* Fills b and e. Returns: whether anything is unknown. */
gboolean sumi_restore_frame_fill (SumiRestoreFrame *self, SumiPool *pool);

/* Returns: (transfer full): b + s·u over the unclamped guess. Where only the luminance is known the chroma is made
 * exactly luminance-free in double; partly missing pixels are mixed. */
SumiImage *sumi_restore_compose (const SumiRestoreFrame *self, SumiPool *pool, const SumiTensor *u, GError **error);

G_END_DECLS
