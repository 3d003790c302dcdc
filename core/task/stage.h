/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small things that tasks made of stages share. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Copies @source, 4 channels, to @sink of the same size, band by band. @mask: (nullable): where @source differs from
 * the photo, mixed with it already where the mask is partial: the sink gets coverage 1 wherever the mask is > 0. */
gboolean sumi_source_copy (SumiSource *source, SumiSource *mask, SumiSink *sink, SumiJob *job, GError **error);

/* Whether R = G = B throughout: asks the source, or looks at the pixels up to the first coloured one. */
gboolean sumi_source_is_grey (SumiSource *photo, gboolean *grey, SumiJob *job, GError **error);

G_END_DECLS
