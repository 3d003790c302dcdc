/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measuring a model's errors on photos, for the schedule dp: a photo is the truth, and what a task would know of it the
 * evidence. */
#pragma once

#include "core/base/types.h"
#include "core/model/model.h"

G_BEGIN_DECLS

/* Levels of a table, by equal ratios over four times the range that the model's own loop goes through. */
#define SUMI_TUNE_LEVELS 24

void sumi_tune_levels (const SumiModel *model, double *sigmas);

/* Adds to @errors [SUMI_TUNE_LEVELS] those on @photo, 4 channels, of which at most 512 × 512 pixels are looked at (it
 * is shrunk). @evidence: missing, a hole in the middle of half the sides; grey, all of it; or coarse, shrunk by @factor
 * and enlarged again. Fails with %SUMI_ERROR_INPUT where the photo is too small, and as sumi_model_measure() does. */
gboolean sumi_tune_photo (SumiModel *model,
                          SumiEval *ev,
                          SumiSource *photo,
                          SumiEvidenceFlags evidence,
                          int factor,
                          guint64 seed,
                          double *errors,
                          SumiJob *job,
                          GError **error);

G_END_DECLS
