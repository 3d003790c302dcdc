/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Evaluation context: where and with what ops run. One per thread that evaluates.
 *
 * The first failure sticks: later ops do nothing and return a zero-size tensor, so network code needs no checks;
 * sumi_eval_finish() hands the error out. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

struct SumiEval
{
  const SumiBackend *backend; /* kernels by op */
  SumiPool *pool;             /* (nullable) borrowed */
  SumiArena *scratch;
  gboolean
      bf16; /* products may round their factors to bf16 where the processor multiplies those faster; sums are f32 */
  GCancellable *cancellable; /* (nullable) borrowed: asked before every op */
  GError *error;             /* sticky */
  guint64 n_denoise;         /* calls of denoisers */
  SumiTape *tape;            /* (nullable) borrowed: what runs is written down, for gradients (tape.h) */
  /* (nullable) told of every op that ran, with its microseconds: for measuring */
  void (*ran) (gpointer data, const SumiOpClass *op, gint64 us);
  gpointer ran_data;
  gboolean check_finite; /* every op's result is looked at; what is not finite is a sticky error that names the op */
};

/* @backend: NULL for the reference kernels. */
SumiEval *sumi_eval_new (const SumiBackend *backend, SumiPool *pool);
void sumi_eval_free (SumiEval *ev);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiEval, sumi_eval_free)

/* Sets the sticky error unless there is one. */
void sumi_eval_fail (SumiEval *ev, int code, const char *format, ...) G_GNUC_PRINTF (3, 4);
void sumi_eval_take_error (SumiEval *ev, GError *error);
/* Returns: TRUE when work may go on: no error, not cancelled. */
gboolean sumi_eval_ok (SumiEval *ev);
/* Returns: TRUE when nothing failed; else moves the error out and clears it. */
gboolean sumi_eval_finish (SumiEval *ev, GError **error);
/* New f32 scratch tensor; a zero-size one after an error. */
SumiTensor *sumi_eval_tensor (SumiEval *ev, int n_dims, const int *shape);
/* The same of another type, a SumiDType. */
SumiTensor *sumi_eval_tensor_of (SumiEval *ev, int dtype, int n_dims, const int *shape);
SumiTensor *sumi_eval_tensor_like (SumiEval *ev, const SumiTensor *t);
/* The tensor that stands for "failed": [0]. */
SumiTensor *sumi_eval_nothing (SumiEval *ev);

/* Checks @t against a pattern of names and numbers, "N C h w", "Co 9 3 3" or "2Co T"; a name binds to its size on first
 * use in @dims. Sets a sticky SHAPE error naming @what and both shapes. */
typedef struct
{
  char name[16];
  int size;
} SumiDim;
typedef struct
{
  SumiDim dims[16];
  int n;
} SumiDims;
gboolean sumi_expect (SumiEval *ev, SumiDims *dims, const SumiTensor *t, const char *pattern, const char *what);

G_END_DECLS
