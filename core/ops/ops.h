/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ops. Each returns @out, or a new scratch tensor when @out is NULL. Shapes are outermost first. Pictures are
 * [N, H, W, C], channels last; convolution weights stay [Co, Ci, K, K], as model files hold them. Weights of
 * convolutions and linear layers may be of any type; everything else is f32. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* @x: [N, H, W, Ci]; @w: [Co, Ci, K, K]; @b: (nullable) [Co]; zero padding @pad, step @stride.
 * → [N, (H + 2·pad − K)/stride + 1, (W + 2·pad − K)/stride + 1, Co]. Cross-correlation, as torch.nn.functional.conv2d.
 */
SumiTensor *sumi_conv2d (SumiEval *ev,
                         const SumiTensor *x,
                         const SumiTensor *w,
                         const SumiTensor *b,
                         int stride,
                         int pad,
                         SumiTensor *out);
/* The same of step 1 on @x doubled in size, each pixel taken four times, when @enlarge; plus @add, nullable, shaped
 * like the result, which may take its place. */
SumiTensor *sumi_conv2d_add (SumiEval *ev,
                             const SumiTensor *x,
                             const SumiTensor *w,
                             const SumiTensor *b,
                             const SumiTensor *add,
                             gboolean enlarge,
                             int pad,
                             SumiTensor *out);
/* @x: [N, Di] or [N, T, Di]; @w: [Do, Di]; @b: (nullable) [Do] → [N, Do] or [N, T, Do]. */
SumiTensor *sumi_linear (SumiEval *ev, const SumiTensor *x, const SumiTensor *w, const SumiTensor *b, SumiTensor *out);
/* Over each group of C/@groups neighbouring channels and all pixels: (x − mean)/√(variance + @epsilon)·γ_c + β_c, the
 * variance that of the population; then silu if asked. @x: [N, H, W, C]; @gamma, @beta: [C]. In place allowed. Wu and
 * He 2018, as torch.nn.functional.group_norm. */
SumiTensor *sumi_group_norm (SumiEval *ev,
                             const SumiTensor *x,
                             const SumiTensor *gamma,
                             const SumiTensor *beta,
                             int groups,
                             double epsilon,
                             gboolean silu,
                             SumiTensor *out);
/* The same over the last dimension of each row. @x: [..., C]; @gamma, @beta: [C]. In place allowed. Ba, Kiros and
 * Hinton 2016, as torch.nn.functional.layer_norm. */
SumiTensor *sumi_layer_norm (SumiEval *ev,
                             const SumiTensor *x,
                             const SumiTensor *gamma,
                             const SumiTensor *beta,
                             double epsilon,
                             SumiTensor *out);
/* softmax (@scale·q·kᵀ)·v in each of @heads slices of the last dimension; @scale 0 stands for 1/√(D/@heads).
 * @q: [N, Tq, D]; @k, @v: [N, Tk, D], Tk ≥ 1 → [N, Tq, D]. Scores must be below 1e38. The score matrix is never stored.
 * Vaswani et al. 2017, eq. 1, as torch.nn.functional.scaled_dot_product_attention. */
SumiTensor *sumi_attention (SumiEval *ev,
                            const SumiTensor *q,
                            const SumiTensor *k,
                            const SumiTensor *v,
                            int heads,
                            double scale,
                            SumiTensor *out);
/* x·Φ(x), Φ the normal distribution (erf, not tanh); any shape; in place allowed. Hendrycks and Gimpel 2016. */
SumiTensor *sumi_gelu (SumiEval *ev, const SumiTensor *x, SumiTensor *out);
/* [..., 2D] → [..., D]: first half · gelu(second half), halves of the last dimension. Shazeer 2020, eq. 6. */
SumiTensor *sumi_geglu (SumiEval *ev, const SumiTensor *x, SumiTensor *out);
/* x · sigmoid(x), any shape; in place allowed. */
SumiTensor *sumi_silu (SumiEval *ev, const SumiTensor *x, SumiTensor *out);
/* Over channels at each pixel: y = x / √(mean_c x² + 1e-6) · g, then silu(y·(1 + a) + c) if @ac is given, silu(y) if
 * not.
 * @x: [N, H, W, C]; @g: [C]; @ac: (nullable) [N, 2C], a then c. In place allowed. models/restore.md, "F". */
SumiTensor *
sumi_rms_silu (SumiEval *ev, const SumiTensor *x, const SumiTensor *g, const SumiTensor *ac, SumiTensor *out);
/* Same shapes; in place allowed. */
SumiTensor *sumi_add (SumiEval *ev, const SumiTensor *a, const SumiTensor *b, SumiTensor *out);
/* α·a + β·b + γ·c; @b, @c nullable (their factors are then unused); in place allowed. Any shape. */
SumiTensor *sumi_lincomb (SumiEval *ev,
                          double alpha,
                          const SumiTensor *a,
                          double beta,
                          const SumiTensor *b,
                          double gamma,
                          const SumiTensor *c,
                          SumiTensor *out);
/* [N, H, W, Ca], [N, H, W, Cb] → [N, H, W, Ca + Cb]. */
SumiTensor *sumi_concat (SumiEval *ev, const SumiTensor *a, const SumiTensor *b, SumiTensor *out);
/* The same of @a doubled in size, each pixel taken four times. @a: [N, H, W, Ca]; @b: [N, 2H, 2W, Cb]
 * → [N, 2H, 2W, Ca + Cb]. */
SumiTensor *sumi_concat_enlarged (SumiEval *ev, const SumiTensor *a, const SumiTensor *b, SumiTensor *out);
/* [N, H, W, C] → [N, 2H, 2W, C], each pixel four times. */
SumiTensor *sumi_upsample_nearest (SumiEval *ev, const SumiTensor *x, SumiTensor *out);
/* [N, 2H, 2W, C] → [N, H, W, 4C], channel c·4 + dy·2 + dx; and back. */
SumiTensor *sumi_pixel_unshuffle (SumiEval *ev, const SumiTensor *x, SumiTensor *out);
SumiTensor *sumi_pixel_shuffle (SumiEval *ev, const SumiTensor *x, SumiTensor *out);

G_END_DECLS
