/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measuring how well a model denoises: a picture whose truth is known, and its evidence, at some levels of noise. */
#pragma once

#include "core/base/types.h"
#include "core/model/model.h"

G_BEGIN_DECLS

struct SumiMeasure
{
  const SumiImage *truth; /* [H, W, 3], the size of the evidence */
  int n;
  const double *sigmas; /* [n], > 0 */
  double *errors;       /* [n], out: E (x0 − D)² per value of x that the evidence leaves open */
};

/* Fills @measure->errors for @evidence, of (@seed). Fails with %SUMI_ERROR_UNSUPPORTED where the family has no errors
 * of its own, and as sumi_model_predict() does. */
gboolean sumi_model_measure (SumiModel *model,
                             SumiEval *ev,
                             const SumiEvidence *evidence,
                             SumiMeasure *measure,
                             guint64 seed,
                             SumiJob *job,
                             GError **error);

/* For families: the same with their @denoiser, whose truth is @x0 [N, H, W, C], projected. */
gboolean sumi_measure_run (SumiMeasure *measure,
                           SumiDenoiser *denoiser,
                           SumiEval *ev,
                           const SumiTensor *x0,
                           guint64 seed,
                           SumiJob *job,
                           GError **error);

G_END_DECLS
