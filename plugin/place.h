/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Brings finished results onto the image: layers, masks, groups, canvas, in one undo step. */
#pragma once

#include "plugin/host.h"
#include "plugin/pixels.h"

G_BEGIN_DECLS

/* A result as the task announced it, with its pixels. */
typedef struct
{
  SumiResult about; /* .recipe is owned */
  SumiBufferSink *sink;
} SumiPlaced;

void sumi_placed_free (SumiPlaced *self);

/* @results: SumiPlaced, at least one, of one task run on @target; their buffers are released as they are copied.
 * @selection: (nullable): becomes the mask of results without a coverage, in canvas coordinates.
 * @layers: int, receives the ids.
 * Returns: the id of the new layer, or of the group of candidates; -1 with an error: what was made is gone then. */
int sumi_place_results (const SumiTarget *target,
                        const char *name,
                        GPtrArray *results,
                        GeglBuffer *selection,
                        GArray *layers,
                        GError **error);

G_END_DECLS
