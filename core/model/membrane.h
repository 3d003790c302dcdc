/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Membrane: the smoothest continuation of what is known into what is not (Laplace's equation). */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef enum
{
  SUMI_MEMBRANE_KNOWN,   /* kept: the condition at the border */
  SUMI_MEMBRANE_UNKNOWN, /* solved */
  SUMI_MEMBRANE_VOID,    /* takes no part, like what lies outside the picture */
} SumiMembraneKind;

/* Solves Δu = 0 where @kind is UNKNOWN, for four interleaved channels at once.
 * @u: [height, width, 4], changed in place at unknown cells only
 * @kind: [height, width] of SumiMembraneKind
 * @tolerance: relative residual at which to stop, such as 1e-4
 *
 * No flow crosses the picture's edge or a void cell; a part that touches nothing known takes the mean of all known
 * cells that touch any other part (0 if there are none). @pool: (nullable). Fails with %SUMI_ERROR_MEMORY. */
gboolean sumi_membrane_fill (float *u,
                             const guint8 *kind,
                             int width,
                             int height,
                             double tolerance,
                             SumiPool *pool,
                             GError **error);

G_END_DECLS
