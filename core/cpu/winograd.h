/* SPDX-License-Identifier: GPL-3.0-or-later */
/* 3×3 convolution of step 1 by Winograd's minimal filtering: a 4×4 tile of the output takes 36 multiplications per pair
 * of channels instead of 144, a 2×2 tile 16 instead of 36 (Lavin and Gray, "Fast Algorithms for Convolutional Neural
 * Networks", CVPR 2016, sections 4.1 to 4.3). The transformed weights take 4 and 16/9 times the memory of the weights.
 */
#pragma once

#include "core/cpu/isa.h"

G_BEGIN_DECLS

typedef struct
{
  const float *x, *bias, *add;  /* [N, H, W, Ci], nullable [Co], nullable like y */
  float *y;                     /* [N, H', W', Co]; may be @add */
  int n, height, width, ci, co; /* of y's pixels: x's, doubled if @enlarge */
  gboolean enlarge;             /* x is [N, H'/2, W'/2, Ci], each pixel taken four times */
} SumiConvJob;

/* Padding is 1. @weight: [Co, Ci, 3, 3] of any type; @form: one of the instruction set's. */
void sumi_winograd_run (SumiEval *ev, const SumiTensor *weight, const SumiConvJob *job, const SumiWinograd *form);

G_END_DECLS
