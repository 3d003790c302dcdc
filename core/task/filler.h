/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fills the hole of a canvas with a model: context, working size, large holes coarse to fine in guided tiles. */
#pragma once

#include "core/base/types.h"
#include "core/model/model.h"
#include "core/task/canvas.h"
#include "core/task/task.h"

G_BEGIN_DECLS

typedef struct
{
  SumiRun *run;
  SumiModel *model;
  SumiCanvas canvas;
  SumiRect bounds;  /* of the hole, on the canvas */
  SumiRect context; /* what is looked at: set by sumi_filler_prepare() */
  int factor;       /* the working size is this many times smaller; a power of two */
} SumiFiller;

/* Chooses context and working size by the hole and the memory allowed. Fails with %SUMI_ERROR_INPUT when nothing of
 * the canvas is known. */
gboolean sumi_filler_prepare (SumiFiller *filler, GError **error);

/* Returns: the most memory that sumi_filler_predict() and handing out take, after sumi_filler_prepare(). */
double sumi_filler_get_peak (const SumiFiller *filler);

/* Returns: (transfer full): what belongs into @filler->bounds, 3 channels; known pixels are the photo's. */
SumiImage *sumi_filler_predict (const SumiFiller *filler, int candidate, SumiJob *job, GError **error);

/* Predicts each candidate and hands it to the host.
 * @area: the part of the canvas that the result covers; holds @filler->bounds
 * @extra: (nullable): lines for the recipe */
gboolean
sumi_filler_run (SumiFiller *filler, const SumiRect *area, int n_candidates, const char *extra, GError **error);

G_END_DECLS
