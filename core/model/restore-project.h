/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of a picture, taken out of a residual over its guess: family restore's noises and answers never have
 * it. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* shares of red, green and blue in the luminance */
#define SUMI_RESTORE_LUMA                                                                                              \
  {                                                                                                                    \
    0.299f, 0.587f, 0.114f                                                                                             \
  }

/* In place: no residual where all is known; no luminance where only the luminance is. @e: [1, H, W, 3], missing, grey,
 * coarse, above 0 where it is so; used until the gradient if @ev has a tape. @x: [1, H, W, 3]. */
void sumi_restore_project (SumiEval *ev, const SumiTensor *e, SumiTensor *x);

G_END_DECLS
