/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mending stage: scratches and holes of a photo filled by a model, and the photo read with them in place. What
 * is not masked is passed through bit for bit. */
#pragma once

#include "core/base/types.h"
#include "core/model/model.h"

G_BEGIN_DECLS

/* Fails with %SUMI_ERROR_UNSUPPORTED when @model cannot fill. */
gboolean sumi_mend_check (SumiModel *model, GError **error);

/* @photo: 4 channels, borrowed, outlives the source
 * @mask: 1 channel, same size: 1 = fill, partial = mix; read here only
 * @grey: R = G = B in the photo: keep it so
 * Works through the mask in cells of about 1000 pixels, each with its surroundings, in reading order: later cells see
 * what earlier ones were filled with.
 * Fails with %SUMI_ERROR_INPUT when the mask is empty. Returns: (transfer full) */
SumiSource *sumi_mend_source_new (SumiSource *photo, SumiSource *mask, gboolean grey, SumiModel *model,
                                  const SumiPredict *how, SumiPool *pool, SumiJob *job, GError **error);

G_END_DECLS
