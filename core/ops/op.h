/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an op is: a shape rule, a plain reference kernel, its gradient, and the cases that test every other kernel of
 * it. ops.h has the functions to call. */
#pragma once

#include "core/tensor/backend.h"
#include "core/tensor/tape.h"
#include "core/tensor/tensor.h"

G_BEGIN_DECLS

#define SUMI_OP_MAX_IN 4

/* A test case: input shapes (n_dims 0 = absent) and the params struct. */
typedef struct
{
  int in[SUMI_OP_MAX_IN][SUMI_MAX_DIMS + 1]; /* each 0-ended */
  gconstpointer params;
} SumiOpCase;

struct SumiOpClass
{
  const char *key;
  int n_in;
  int optional; /* bit i: input i may be NULL */
  /* Fills shape/n_dims of @out. Returns: FALSE after sumi_eval_fail(). */
  gboolean (*shape) (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out);
  SumiKernel reference;
  const SumiOpCase *cases;
  int n_cases;
  double tolerance; /* NMSE that f32 kernels may differ from the reference */
  int inplace;      /* bit i: out may be input i, exactly */
  gboolean wide;    /* takes f64 too, all inputs alike; the reference kernel computes it */
  int weights;      /* bit i: input i may be of any type: a model's weights, as they lie in its file */
  gsize params_size;
  /* What a tape does (tape.h, SumiTapeStep): the gradient with respect to the inputs that are not fixed. */
  SumiGradient gradient; /* %NULL only where every input that is not fixed is passed */
  int keeps, fixed, passes, over;
};

const SumiOpClass *const *sumi_ops (void); /* NULL-ended */
const SumiOpClass *sumi_op_find (const char *key);

/* Checks, allocates @out in scratch if NULL, dispatches. Returns: (transfer none): @out or the new tensor. */
SumiTensor *
sumi_op_call (SumiEval *ev, const SumiOpClass *op, const SumiTensor *const *in, gconstpointer params, SumiTensor *out);

G_END_DECLS
