/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tensors: dtype, shape, data. Row-major, outermost dimension first, always contiguous. Pictures and activations are
 * [N, H, W, C], channels last, so a pixel's channels lie side by side; weights have the shapes of model files, those of
 * convolutions [Co, Ci, K, K].
 * A tensor is never freed singly: it belongs to an arena, a weights file, or its creator. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

#define SUMI_MAX_DIMS 4

typedef enum
{
  SUMI_DTYPE_F32,
  SUMI_DTYPE_F16,
  SUMI_DTYPE_BF16,
  SUMI_DTYPE_F8_E4M3,
  SUMI_DTYPE_F8_E5M2,
  SUMI_DTYPE_F64, /* of states of the denoising loop only, see core/diffusion; no model file holds it */
} SumiDType;
#define SUMI_N_DTYPES (SUMI_DTYPE_F64 + 1)

struct SumiTensor
{
  SumiDType dtype;
  int n_dims;               /* 0 to SUMI_MAX_DIMS */
  int shape[SUMI_MAX_DIMS]; /* ≥ 0; unused are 1 */
  gpointer data;
  SumiPrepared *prepared; /* (nullable): borrowed; where a constant's derived forms are kept (prepared.h) */
};

gsize sumi_dtype_size (SumiDType dtype);
const char *sumi_dtype_name (SumiDType dtype);
/* Number of elements. */
gsize sumi_tensor_count (const SumiTensor *t);
gboolean sumi_tensor_same_shape (const SumiTensor *a, const SumiTensor *b);
/* Returns: (transfer full): "[1, 4, 64, 64] f16". */
char *sumi_tensor_describe (const SumiTensor *t);
/* In @arena; NULL when there is no memory (or the size overflows). */
SumiTensor *sumi_tensor_new (SumiArena *arena, SumiDType dtype, int n_dims, const int *shape);
/* Elements @from to @from + @n − 1 of @t (any dtype) as f32. */
void sumi_tensor_read (const SumiTensor *t, gsize from, gsize n, float *out);
/* An f32 copy of @t (any dtype) in @arena; NULL when there is no memory. */
SumiTensor *sumi_tensor_to_f32 (SumiArena *arena, const SumiTensor *t);

static inline float *
sumi_tensor_f32 (const SumiTensor *t)
{
  return (float *) t->data;
}

/* Element @i of an f32 or f64 tensor. */
static inline double
sumi_tensor_get (const SumiTensor *t, gsize i)
{
  return t->dtype == SUMI_DTYPE_F64 ? ((const double *) t->data)[i] : (double) ((const float *) t->data)[i];
}

static inline void
sumi_tensor_put (SumiTensor *t, gsize i, double value)
{
  if (t->dtype == SUMI_DTYPE_F64)
    ((double *) t->data)[i] = value;
  else
    ((float *) t->data)[i] = (float) value;
}

G_END_DECLS
