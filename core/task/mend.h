/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mending stage: scratches and holes of a photo filled by a model, and the photo read with them in place. What
 * is not masked is passed through bit for bit. */
#pragma once

#include "core/base/types.h"
#include "core/model/model.h"
#include "core/task/task.h"

G_BEGIN_DECLS

/* Fails with %SUMI_ERROR_UNSUPPORTED when @model cannot fill. */
gboolean sumi_mend_check (SumiModel *model, GError **error);

/* Fills @run's photo where its mask says; both outlive the source.
 * @grey: R = G = B in the photo: keep it so
 * @job: progress and cancel of this stage
 * Works through the mask in cells of about 1000 pixels, each with its surroundings, in reading order: later cells see
 * what earlier ones were filled with.
 * Fails with %SUMI_ERROR_INPUT when the mask is empty. Returns: (transfer full) */
SumiSource *sumi_mend_source_new (SumiRun *run, gboolean grey, SumiModel *model, SumiJob *job, GError **error);

/* Fills @bytes with the most memory that making the source takes, and @kept with what it keeps. */
gboolean sumi_mend_get_peak (SumiRun *run, SumiModel *model, double *bytes, double *kept, GError **error);

G_END_DECLS
