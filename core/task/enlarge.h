/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The enlarging stage: a picture of any size through a model that takes a coarse guide, tile by tile, written from
 * top to bottom. Also cleans at factor 1. Tasks upscale and restore are made of it. */
#pragma once

#include "core/base/types.h"
#include "core/model/model.h"

G_BEGIN_DECLS

typedef struct
{
  SumiSource *photo; /* 4 channels */
  int factor;        /* 1, 2, 3, 4 or 8 */
  double detail;     /* [0, 1]: 0 the mean, 1 a sampled answer */
  double denoise;    /* [0, 1]: 0 takes the photo at its word, 1 cleans heavy noise */
  SumiModel *model;
  SumiPredict how;     /* its mean is ignored */
  gboolean grey;       /* R = G = B in the photo: keep it so */
  gboolean grey_noise; /* its noise is that of a grey photo, the same in all colours */
  SumiPool *pool;
  gboolean bf16; /* for networks, see SumiEval */
  gint64 memory; /* bytes for buffers */
} SumiEnlarge;

/* Fails with %SUMI_ERROR_UNSUPPORTED when @model cannot do it. */
gboolean sumi_enlarge_check (SumiModel *model, GError **error);

/* Fails with %SUMI_ERROR_INPUT when @photo would come out larger than pictures can be. */
gboolean sumi_enlarge_check_size (SumiSource *photo, int factor, GError **error);

/* Fills @bytes with the most memory that sumi_enlarge() takes for buffers; fails as it does. */
gboolean sumi_enlarge_get_peak (const SumiEnlarge *enlarge, double *bytes, GError **error);

/* Writes the enlarged picture, @factor times the photo's sides, into @sink.
 * Without @denoise the result shrinks back to the photo by means of factor × factor blocks, to float rounding. */
gboolean sumi_enlarge (const SumiEnlarge *enlarge, SumiSink *sink, SumiJob *job, GError **error);

G_END_DECLS
