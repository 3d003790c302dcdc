/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A canvas with a hole: what fill and expand share. It is the photo with its mask, or the photo somewhere on a larger
 * canvas whose new part is the hole. Read in rectangles, at full size or shrunk, as evidence for a model. */
#pragma once

#include "core/base/types.h"
#include "core/model/model.h"

G_BEGIN_DECLS

typedef struct
{
  SumiSource *photo;
  SumiSource *mask;     /* (nullable) of the photo's size; NULL: what lies outside the photo is to be filled */
  int width, height;    /* of the canvas */
  int photo_x, photo_y; /* where the photo lies on it */
} SumiCanvas;

/* Reads @rect, which lies on the canvas.
 * @rgba: out (transfer full): 4 channels, 0 outside the photo
 * @coverage: out (transfer full): 1 channel, 1 = to be filled */
gboolean sumi_canvas_read (const SumiCanvas *canvas,
                           const SumiRect *rect,
                           SumiImage **rgba,
                           SumiImage **coverage,
                           GError **error);

/* What a model may know of a part of the canvas; the pictures are owned. */
typedef struct
{
  SumiEvidence evidence;
  gboolean wants_reference; /* set by the caller: what the hole held is to be kept, as evidence.reference */
  gsize n_known, n_missing; /* pixels */
} SumiHole;

void sumi_hole_clear (SumiHole *hole);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SumiHole, sumi_hole_clear)

/* Fills @hole with the evidence of @rect, @factor times smaller (rounded up; ≥ 1). Transparent pixels of the photo are
 * unknown: what is to be filled of them is missing, the rest is no source and has the known pixels' mean colour. @pool:
 * (nullable) A shrunk pixel is known if three quarters of it are. */
gboolean sumi_hole_read (SumiHole *hole,
                         const SumiCanvas *canvas,
                         const SumiRect *rect,
                         int factor,
                         SumiPool *pool,
                         SumiJob *job,
                         GError **error);

/* Gives what is neither known nor missing the mean colour of what is known, and counts. */
void sumi_hole_settle (SumiHole *hole, SumiPool *pool);

G_END_DECLS
