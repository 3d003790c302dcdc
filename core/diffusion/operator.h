/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linear operators y = A·x that say what of a picture was observed: masks, blurs, shrinking, grey, and compositions.
 * x: [N, H, W, C]; y: what the operator says. f32 and f64, sums in double; the same bytes for every thread count.
 *
 * Functions of A·Aᵀ, by which noise-free and noisy observations are solved, are exact where its eigenvectors are cheap:
 * masks, grey, box (A·Aᵀ = λ·I), blur and bicubic up to sides of y of SUMI_OPERATOR_SIDE (two one-dimensional
 * decompositions), compositions with an inner operator of A·Aᵀ = λ·I, and stacks of operators that see nothing in
 * common. Everything else is solved by conjugate gradients: at most SUMI_OPERATOR_ITERATIONS, to
 * SUMI_OPERATOR_TOLERANCE of the right side's norm, in double. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

#define SUMI_OPERATOR_SIDE       256
#define SUMI_OPERATOR_ITERATIONS 200
#define SUMI_OPERATOR_TOLERANCE  1e-7
/* Eigenvalues of A·Aᵀ below this share of the largest count as 0 in pseudo-inverses. */
#define SUMI_OPERATOR_RANK       1e-9

/* A function of the eigenvalue @lambda ≥ 0 of A·Aᵀ, the square of A's singular value. */
typedef double (*SumiSpectrum) (gpointer data, double lambda);

struct SumiOperator
{
  const char *name;
  int x_shape[4], y_shape[4];
  double norm2; /* no eigenvalue of A·Aᵀ is larger */
  double gram;  /* > 0: A·Aᵀ = gram·I; 0: it is not of this form */
  void (*apply) (SumiOperator *self, SumiEval *ev, const SumiTensor *x, SumiTensor *y);   /* y = A·x */
  void (*adjoint) (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiTensor *x); /* x = Aᵀ·y */
  /* (nullable): w = f (A·Aᵀ)·y, w may be y. Returns: FALSE, having done nothing, where that is not cheap. */
  gboolean (
      *spectral) (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiSpectrum f, gpointer data, SumiTensor *w);
  void (*free) (SumiOperator *self);
};

void sumi_operator_free (SumiOperator *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiOperator, sumi_operator_free)

/* ---- what there is: @shape is x's; all fail with %SUMI_ERROR_SHAPE; Returns: (transfer full) -----------------------
 */

/* y = w·x, of x's shape. @free: [N or 1, H, W, 1], 0 known … 1 free. @soft: w = 1 − free; else w = 1 where free = 0 and
 * 0 elsewhere, which is what conditioning methods want: they treat pixels known in part by themselves (method.h). Under
 * noise σ_y a soft row is an observation of the pixel of noise σ_y/w; without noise any w > 0 fixes the pixel. */
SumiOperator *sumi_operator_new_mask (const int *shape, const SumiTensor *free, gboolean soft, GError **error);

/* Luma: y = 0.299·r + 0.587·g + 0.114·b, [N, H, W, 1]; C is 3. */
SumiOperator *sumi_operator_new_grey (const int *shape, GError **error);

typedef enum
{
  SUMI_BORDER_REFLECT,   /* … b a | a b c … */
  SUMI_BORDER_REPLICATE, /* … a a | a b c … */
} SumiBorder;

/* Gaussian of standard deviation @sigma > 0 pixels, cut at 3σ and divided by its sum; y has x's shape. */
SumiOperator *sumi_operator_new_blur (const int *shape, double sigma, SumiBorder border, GError **error);

/* Means of @factor × @factor blocks: [N, H/f, W/f, C]; sides are multiples of @factor. */
SumiOperator *sumi_operator_new_box (const int *shape, int factor, GError **error);

/* Cubic convolution (Keys 1981, a = −0.5) stretched by @factor, against aliasing, reflecting borders, weights divided
 * by their sum (as MATLAB's imresize): [N, H/f, W/f, C]; sides are multiples of @factor. */
SumiOperator *sumi_operator_new_bicubic (const int *shape, int factor, GError **error);

/* What is left of x after shrinking by @factor and enlarging again, both cubic, [N, H, W, C]; any sides; ILVR's φ. */
SumiOperator *sumi_operator_new_lowpass (const int *shape, int factor, GError **error);

/* y = @outer·@inner·x; takes both, which may be NULL (it then fails without setting @error, so that calls nest). */
SumiOperator *sumi_operator_new_composed (SumiOperator *outer, SumiOperator *inner, GError **error);

/* All of @n ≥ 1 @parts' observations, of one x shape, side by side: y is [N, 1, M, 1], for each sample the parts' rows
 * in order. Takes @parts, which may be NULL (as above). */
SumiOperator *sumi_operator_new_stack (int n, SumiOperator *const *parts, GError **error);

/* Writes @part, the y of a stack's part @index, into the stack's @y. */
void sumi_operator_stack_put (SumiOperator *stack, SumiEval *ev, int index, const SumiTensor *part, SumiTensor *y);

/* ---- work ---------------------------------------------------------------- */

/* Returns: (transfer none): A·x, Aᵀ·y and the pseudo-inverse A⁺·y in scratch. */
SumiTensor *sumi_operator_apply (SumiOperator *self, SumiEval *ev, const SumiTensor *x);
SumiTensor *sumi_operator_adjoint (SumiOperator *self, SumiEval *ev, const SumiTensor *y);
SumiTensor *sumi_operator_pinv (SumiOperator *self, SumiEval *ev, const SumiTensor *y);

/* Aᵀ·(A·Aᵀ + c·I)⁻¹·y = (AᵀA + c·I)⁻¹·Aᵀ·y, c ≥ 0; with c = 0 the pseudo-inverse. */
SumiTensor *sumi_operator_ridge (SumiOperator *self, SumiEval *ev, const SumiTensor *y, double c);

/* w = (A·Aᵀ + c·I)⁻¹·y, c > 0, or c = 0 and the pseudo-inverse; without cheap eigenvectors y must then lie in A's
 * range. w may be y. */
void sumi_operator_solve (SumiOperator *self, SumiEval *ev, const SumiTensor *y, double c, SumiTensor *w);

/* Aᵀ·f (A·Aᵀ)·y where that is exact and cheap. Returns: (transfer none) (nullable): NULL where not. */
SumiTensor *
sumi_operator_spectral (SumiOperator *self, SumiEval *ev, const SumiTensor *y, SumiSpectrum f, gpointer data);

G_END_DECLS
