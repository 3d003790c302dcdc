/* SPDX-License-Identifier: GPL-3.0-or-later */
/* 3×3 convolution of step 1 by Winograd's F(4×4, 3×3): a 4×4 tile of the output takes 36 multiplications per pair of
 * channels instead of 144 (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016,
 * section 4.3). The transformed weights take four times the memory of the weights. */
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

/* Padding is 1. @weight: [Co, Ci, 3, 3] of any type. */
void sumi_winograd_run (SumiEval *ev, const SumiTensor *weight, const SumiConvJob *job);

G_END_DECLS
