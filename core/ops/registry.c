/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/ops/op.h"
#include "core/tensor/eval.h"
#include "core/tensor/tape.h"

#define SUMI_ROW(name) extern const SumiOpClass sumi_op_##name;
#include "core/ops/op-rows.h"
#undef SUMI_ROW

static const SumiOpClass *const ops[] = {
#define SUMI_ROW(name) &sumi_op_##name,
#include "core/ops/op-rows.h"
#undef SUMI_ROW
  NULL
};

const SumiOpClass *const *
sumi_ops (void)
{
  return ops;
}

const SumiOpClass *
sumi_op_find (const char *key)
{
  for (int i = 0; ops[i]; i++)
    if (! strcmp (ops[i]->key, key))
      return ops[i];
  return NULL;
}

/* Ops compute in f32; weights may be anything. */
static gboolean
check_inputs (SumiEval *ev, const SumiOpClass *op, const SumiTensor *const *in)
{
  const SumiDType wanted = op->wide && in[0] && in[0]->dtype == SUMI_DTYPE_F64 ? SUMI_DTYPE_F64 : SUMI_DTYPE_F32;

  for (int i = 0; i < op->n_in; i++)
    if (! in[i] && ! (op->optional >> i & 1))
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "%s: input %d is missing", op->key, i);
    else if (in[i] && ! (op->weights >> i & 1) && in[i]->dtype != wanted)
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "%s: input %d is %s, expected %s", op->key, i,
                      sumi_dtype_name (in[i]->dtype), sumi_dtype_name (wanted));
  return ! ev->error;
}

/* The output is new memory, or exactly an input that the op allows. */
static void
check_alias (SumiEval *ev, const SumiOpClass *op, const SumiTensor *const *in, const SumiTensor *out)
{
  const char *o = out->data;
  const gsize n = sumi_tensor_count (out) * sumi_dtype_size (out->dtype);

  for (int i = 0; i < op->n_in; i++)
    {
      const char *x = in[i] ? in[i]->data : NULL;

      if (! x || o >= x + sumi_tensor_count (in[i]) * sumi_dtype_size (in[i]->dtype) || x >= o + n)
        continue;
      if ((op->inplace >> i & 1) && o == x && sumi_tensor_same_shape (in[i], out))
        continue;
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "%s: the output overlaps input %d", op->key, i);
    }
}

static void
check_finite (SumiEval *ev, const SumiOpClass *op, const SumiTensor *out)
{
  for (gsize i = 0, n = sumi_tensor_count (out); i < n && ! ev->error; i++)
    if (! isfinite (sumi_tensor_get (out, i)))
      {
        g_autofree char *shape = sumi_tensor_describe (out);

        sumi_eval_fail (ev, SUMI_ERROR_NUMBER, "op %s gave %s at element %" G_GSIZE_FORMAT " of %s", op->key,
                        isnan (sumi_tensor_get (out, i)) ? "NaN" : "infinity", i, shape);
      }
}

static void
record (SumiEval *ev, const SumiOpClass *op, const SumiTensor *const *in, gconstpointer params, const SumiTensor *out)
{
  const SumiTapeStep step = {
    .name = op->key,
    .gradient = op->gradient,
    .n_in = op->n_in,
    .keeps = op->keeps,
    .fixed = op->fixed,
    .passes = op->passes,
    .over = op->over,
    .params = params,
    .params_size = op->params_size,
  };

  sumi_tape_record (ev, &step, in, out);
}

SumiTensor *
sumi_op_call (SumiEval *ev, const SumiOpClass *op, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  SumiTensor shape = { .dtype = SUMI_DTYPE_F32, .n_dims = 0, .shape = { 1, 1, 1, 1 } };
  SumiKernel kernel = NULL;
  gint64 begin;

  if (! sumi_eval_ok (ev) || ! check_inputs (ev, op, in) || ! op->shape (ev, in, params, &shape))
    return sumi_eval_nothing (ev);
  if (! out)
    out = sumi_eval_tensor_of (ev, shape.dtype, shape.n_dims, shape.shape);
  else if (! sumi_tensor_same_shape (out, &shape) || out->dtype != shape.dtype)
    {
      g_autofree char *got = sumi_tensor_describe (out), *want = sumi_tensor_describe (&shape);

      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "%s: the output is %s, expected %s", op->key, got, want);
    }
  else
    check_alias (ev, op, in, out);
  if (ev->error)
    return sumi_eval_nothing (ev);
  if (ev->tape)
    record (ev, op, in, params, out);
  if (ev->error)
    return sumi_eval_nothing (ev);
  if (ev->backend && shape.dtype != SUMI_DTYPE_F64)
    kernel = ev->backend->find (op);
  begin = ev->ran ? g_get_monotonic_time () : 0;
  (kernel ? kernel : op->reference) (ev, in, out, params);
  if (ev->ran)
    ev->ran (ev->ran_data, op, g_get_monotonic_time () - begin);
  if (ev->check_finite)
    check_finite (ev, op, out);
  return ev->error ? sumi_eval_nothing (ev) : out;
}
