/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The colouring stage: chroma for a photo from its luminance, a model and strokes, worked out small; then the photo
 * as a source that is coloured as it is read. Tasks colorize and restore are made of it. */
#pragma once

#include "core/base/types.h"
#include "core/model/model.h"

G_BEGIN_DECLS

typedef struct
{
  SumiSource *photo; /* 4 channels; only its luminance is used */
  SumiSource *hints; /* (nullable) 4 channels, same size; alpha > 0 is a stroke */
  SumiModel *model;
  SumiPredict how; /* mean, or one sampled answer */
  SumiPool *pool;
  gboolean bf16; /* for networks, see SumiEval */
  gint64 memory; /* bytes for buffers */
} SumiTint;

/* Fails with %SUMI_ERROR_UNSUPPORTED when @model cannot colour. */
gboolean sumi_tint_check (SumiModel *model, GError **error);

/* Fails with %SUMI_ERROR_INPUT when @hints (nullable) has no transparency: all of it would be a stroke. */
gboolean sumi_tint_check_hints (SumiSource *hints, GError **error);

/* Fills @bytes with the most memory that making the map, and reading the coloured photo, takes. */
gboolean sumi_tint_get_peak (const SumiTint *tint, double *bytes, GError **error);

/* Reads the photo once. Fails with %SUMI_ERROR_MEMORY when the allowed memory is too little to see anything. Returns:
 * (transfer full): [h, w, 3]: Y, R − Y, B − Y, the longer side at most 512. */
SumiImage *sumi_tint_plan (const SumiTint *tint, SumiJob *job, GError **error);

/* @photo: borrowed, outlives the source; its alpha is kept
 * @map: of sumi_tint_plan(), kept
 * @saturation: factor of the chroma, ≥ 0
 * Every pixel has its luminance in @photo (to float rounding) and, where that is in [0, 1], colours in [0, 1].
 * Returns: (transfer full) */
SumiSource *sumi_tint_source_new (SumiSource *photo, SumiImage *map, double saturation, SumiPool *pool);

G_END_DECLS
