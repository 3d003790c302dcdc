/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Colours for what hides under alpha 0, so that filters and models do not mix it in: no dark fringes. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Gives wholly transparent pixels the colour of their neighbours, %SUMI_BLEED pixels deep, so that filters do not mix
 * in what hides there. @pixels: 4 channels; those nearer than %SUMI_BLEED to a cut edge may come out otherwise. */
#define SUMI_BLEED 4
gboolean sumi_bleed_colour (SumiImage *pixels, GError **error);

G_END_DECLS
