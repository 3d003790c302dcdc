/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every op of the registry: the backend's kernel against the plain reference on the op's own cases, with ordinary and
 * extreme values, in place, for every thread count; wrong inputs and missing memory. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/half.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/sumi.h"
#include "core/tensor/prepared.h"
#include "core/tensor/tensor.h"

typedef enum
{
  FILL_ORDINARY, /* N(0, 1) */
  FILL_LARGE,    /* up to ±1e4: exponentials saturate */
  FILL_ZERO,
  FILL_HUGE, /* 1e30, for products */
  FILL_TINY, /* 1e-41, denormal, for products */
  N_FILLS,
} Fill;

typedef struct
{
  SumiArena *arena;
  SumiTensor *in[SUMI_OP_MAX_IN]; /* NULL: absent */
} Inputs;

static SumiTensor *
filled (SumiArena *arena, int n_dims, const int *shape, Fill fill, int seed)
{
  static const float scales[] = { 1, 3e3f, 0, 1e30f, 1e-41f };
  SumiTensor *t = sumi_tensor_new (arena, SUMI_DTYPE_F32, n_dims, shape);

  g_assert_nonnull (t);
  for (gsize i = 0; i < sumi_tensor_count (t); i++)
    {
      float pair[2];

      sumi_random_normal (7, (guint32) seed, (int) i, 0, 0, pair);
      sumi_tensor_f32 (t)[i] = scales[fill] * pair[0];
    }
  return t;
}

static Inputs
make_inputs (SumiArena *arena, const SumiOpClass *op, const SumiOpCase *c, Fill fill)
{
  Inputs inputs = { .arena = arena };

  for (int i = 0; i < op->n_in; i++)
    {
      int n = 0;

      while (n < SUMI_MAX_DIMS && c->in[i][n])
        n++;
      /* weights stay ordinary, as they are in models */
      if (n)
        inputs.in[i] = filled (arena, n, c->in[i], i ? FILL_ORDINARY : fill, i);
    }
  return inputs;
}

static double
nmse (const SumiTensor *got, const SumiTensor *want)
{
  double error = 0, power = 0;

  g_assert_true (sumi_tensor_same_shape (got, want));
  for (gsize i = 0; i < sumi_tensor_count (want); i++)
    {
      const double g = sumi_tensor_f32 (got)[i], w = sumi_tensor_f32 (want)[i];

      g_assert_true (isfinite (g) && isfinite (w));
      error += (g - w) * (g - w);
      power += w * w;
    }
  return power > 0 ? error / power : error;
}

static SumiTensor *
run (SumiEval *ev, const SumiOpClass *op, const Inputs *inputs, gconstpointer params, SumiTensor *out)
{
  g_autoptr (GError) error = NULL;
  SumiTensor *y = sumi_op_call (ev, op, (const SumiTensor *const *) inputs->in, params, out);

  sumi_eval_finish (ev, &error);
  g_assert_no_error (error);
  return y;
}

static void
check_case (const SumiOpClass *op, const SumiOpCase *c, Fill fill)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiPool) three = sumi_pool_new (3);
  g_autoptr (SumiEval) plain = sumi_eval_new (NULL, NULL), fast = sumi_eval_new (sumi_backend_default (), NULL);
  g_autoptr (SumiEval) threaded = sumi_eval_new (sumi_backend_default (), three);
  Inputs inputs = make_inputs (arena, op, c, fill);
  SumiTensor *want = run (plain, op, &inputs, c->params, NULL);
  SumiTensor *got = run (fast, op, &inputs, c->params, NULL);
  SumiTensor *again = run (threaded, op, &inputs, c->params, NULL);
  const gsize bytes = sumi_tensor_count (want) * sizeof (float);

  /* denormals have few digits to begin with */
  g_assert_cmpfloat (nmse (got, want), <=, fill == FILL_TINY ? 1e-3 : op->tolerance);
  g_assert_cmpmem (got->data, bytes, again->data, bytes);
  for (int i = 0; i < op->n_in; i++)
    if ((op->inplace >> i & 1) && inputs.in[i])
      {
        Inputs same = inputs;

        same.in[i] = sumi_tensor_to_f32 (arena, inputs.in[i]);
        g_assert_true (run (threaded, op, &same, c->params, same.in[i]) == same.in[i]);
        g_assert_cmpmem (same.in[i]->data, bytes, got->data, bytes);
        /* the reference too */
        same.in[i] = sumi_tensor_to_f32 (arena, inputs.in[i]);
        run (plain, op, &same, c->params, same.in[i]);
        g_assert_cmpmem (same.in[i]->data, bytes, want->data, bytes);
      }
}

static void
test_kernels (gconstpointer data)
{
  const SumiOpClass *op = data;

  g_assert_cmpint (op->n_cases, >, 0);
  for (int i = 0; i < op->n_cases; i++)
    for (Fill fill = 0; fill < (op->weights ? N_FILLS : FILL_HUGE); fill++)
      {
        g_test_message ("case %d, fill %d", i, fill);
        check_case (op, op->cases + i, fill);
      }
}

/* Out of place is the only way where the op does not say otherwise; a wrong output, a missing or half-precision input
 * are reported, not run. */
static void
test_refusals (gconstpointer data)
{
  const SumiOpClass *op = data;
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  Inputs inputs = make_inputs (arena, op, op->cases, FILL_ORDINARY), bad = inputs;
  SumiTensor *wrong = sumi_tensor_new (arena, SUMI_DTYPE_F32, 1, (const int[]){ 77777 });
  SumiTensor half = *inputs.in[0];
  const gpointer first = inputs.in[0]->data;
  g_autoptr (GError) error = NULL;

  sumi_op_call (ev, op, (const SumiTensor *const *) inputs.in, op->cases->params, wrong);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);

  bad.in[0] = NULL;
  sumi_op_call (ev, op, (const SumiTensor *const *) bad.in, op->cases->params, NULL);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);

  half.dtype = SUMI_DTYPE_F16;
  bad.in[0] = &half;
  sumi_op_call (ev, op, (const SumiTensor *const *) bad.in, op->cases->params, NULL);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);

  if (! (op->inplace & 1))
    {
      SumiTensor over = *run (ev, op, &inputs, op->cases->params, NULL);

      over.data = first;
      sumi_op_call (ev, op, (const SumiTensor *const *) inputs.in, op->cases->params, &over);
      g_assert_false (sumi_eval_finish (ev, &error));
      g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
    }
}

/* Weights as they lie in files, kept prepared or not: the same bytes as from their f32 copies. */
static void
test_weights (gconstpointer data)
{
  static const SumiDType types[] = { SUMI_DTYPE_F16, SUMI_DTYPE_BF16, SUMI_DTYPE_F8_E4M3, SUMI_DTYPE_F8_E5M2 };
  const SumiOpClass *op = data;

  for (int i = 0; i < op->n_cases; i++)
    for (int type = 0; type < G_N_ELEMENTS (types); type++)
      {
        g_autoptr (SumiArena) arena = sumi_arena_new ();
        g_autoptr (SumiPrepared) prepared = sumi_prepared_new ();
        g_autoptr (SumiEval) plain = sumi_eval_new (NULL, NULL), fast = sumi_eval_new (sumi_backend_default (), NULL);
        Inputs inputs = make_inputs (arena, op, op->cases + i, FILL_ORDINARY);
        const gsize n = sumi_tensor_count (inputs.in[1]);
        SumiTensor *narrow = sumi_tensor_new (arena, types[type], inputs.in[1]->n_dims, inputs.in[1]->shape);
        const SumiTensor *want, *got;

        if (types[type] == SUMI_DTYPE_F16)
          sumi_float_to_half (sumi_tensor_f32 (inputs.in[1]), narrow->data, n);
        else if (types[type] == SUMI_DTYPE_BF16)
          sumi_float_to_bfloat (sumi_tensor_f32 (inputs.in[1]), narrow->data, n);
        else
          for (gsize k = 0; k < n; k++) /* any numbers of middling size */
            ((guint8 *) narrow->data)[k] = (guint8) (0x30 + k * 37 % 16 + (k % 3 ? 0x80 : 0));
        inputs.in[1] = sumi_tensor_to_f32 (arena, narrow);
        want = run (fast, op, &inputs, op->cases[i].params, NULL);
        inputs.in[1] = narrow;
        g_assert_cmpfloat (nmse (run (plain, op, &inputs, op->cases[i].params, NULL), want), <=, op->tolerance);
        narrow->prepared = prepared;
        for (int time = 0; time < 2; time++)
          {
            got = run (fast, op, &inputs, op->cases[i].params, NULL);
            g_assert_cmpmem (got->data, 4 * sumi_tensor_count (got), want->data, 4 * sumi_tensor_count (want));
            if (time)
              memset (narrow->data, 0, n); /* not looked at again */
          }
        g_assert_cmpuint (sumi_prepared_get_bytes (prepared), >=, 4 * n);
      }
}

/* bf16 factors: 8 bits each, so a relative error of 2⁻⁹ or less in either, independent: NMSE about 4·2⁻¹⁸/12·… measured
 * 4.5e-6. */
static void
test_bf16 (gconstpointer data)
{
  const SumiOpClass *op = data;

  for (int i = 0; i < op->n_cases; i++)
    {
      g_autoptr (SumiArena) arena = sumi_arena_new ();
      g_autoptr (SumiPool) three = sumi_pool_new (3);
      g_autoptr (SumiEval) plain = sumi_eval_new (NULL, NULL), fast = sumi_eval_new (sumi_backend_default (), NULL);
      g_autoptr (SumiEval) threaded = sumi_eval_new (sumi_backend_default (), three);
      Inputs inputs = make_inputs (arena, op, op->cases + i, FILL_ORDINARY);
      const SumiTensor *got, *again;

      fast->bf16 = threaded->bf16 = TRUE;
      got = run (fast, op, &inputs, op->cases[i].params, NULL);
      again = run (threaded, op, &inputs, op->cases[i].params, NULL);
      g_assert_cmpmem (got->data, 4 * sumi_tensor_count (got), again->data, 4 * sumi_tensor_count (again));
      g_assert_cmpfloat (nmse (got, run (plain, op, &inputs, op->cases[i].params, NULL)), <=, 3e-5);
    }
}

/* A failure sticks: what follows does nothing and says nothing. */
static void
test_sticky (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  SumiTensor *x = filled (arena, 4, (const int[]){ 1, 5, 5, 3 }, FILL_ORDINARY, 0);
  SumiTensor *w = filled (arena, 4, (const int[]){ 4, 2, 3, 3 }, FILL_ORDINARY, 1), *y;
  g_autoptr (GError) error = NULL;

  y = sumi_conv2d (ev, x, w, NULL, 1, 1, NULL);
  y = sumi_silu (ev, sumi_add (ev, y, x, NULL), y);
  y = sumi_pixel_shuffle (ev, sumi_concat (ev, y, y, NULL), NULL);
  g_assert_cmpuint (sumi_tensor_count (y), ==, 0);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "conv2d"));
  g_assert_nonnull (strstr (error->message, "[4, 2, 3, 3]"));
  g_assert_true (sumi_eval_finish (ev, NULL));
}

/* Sizes that cannot be had: the element count overflows, so nothing is ever asked of the system. */
static void
test_memory (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  float dot = 0;
  SumiTensor huge = { SUMI_DTYPE_F32, 4, { 1, G_MAXINT / 2, G_MAXINT / 2, 1 }, &dot };
  SumiTensor weight = { SUMI_DTYPE_F32, 4, { 16, 1, 1, 1 }, (float[16]){ 0 } };
  g_autoptr (GError) error = NULL;

  sumi_upsample_nearest (ev, &huge, NULL);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY);
  g_clear_error (&error);
  sumi_conv2d (ev, &huge, &weight, NULL, 1, 0, NULL);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY);
}

/* Nothing in, nothing out; weights of nothing are an error. */
static void
test_empty (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  float number[9] = { 1 };
  const SumiTensor none = { SUMI_DTYPE_F32, 4, { 0, 5, 5, 1 }, number };
  const SumiTensor w = { SUMI_DTYPE_F32, 4, { 1, 1, 3, 3 }, number },
                   dot = { SUMI_DTYPE_F32, 4, { 1, 1, 1, 1 }, number };
  const SumiTensor no_inputs = { SUMI_DTYPE_F32, 4, { 1, 0, 3, 3 }, number },
                   no_rows = { SUMI_DTYPE_F32, 2, { 0, 3 }, number };
  const SumiTensor x = { SUMI_DTYPE_F32, 4, { 1, 5, 5, 0 }, number }, m = { SUMI_DTYPE_F32, 2, { 2, 3 }, number };
  const SumiTensor no_outputs = { SUMI_DTYPE_F32, 2, { 0, 3 }, number };
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (sumi_tensor_count (sumi_conv2d (ev, &none, &w, NULL, 1, 1, NULL)), ==, 0);
  g_assert_cmpuint (sumi_tensor_count (sumi_conv2d (ev, &none, &dot, NULL, 1, 0, NULL)), ==, 0);
  g_assert_cmpuint (sumi_tensor_count (sumi_linear (ev, &no_rows, &m, NULL, NULL)), ==, 0);
  g_assert_true (sumi_eval_finish (ev, NULL));
  sumi_conv2d (ev, &x, &no_inputs, NULL, 1, 1, NULL);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);
  sumi_linear (ev, &m, &no_outputs, NULL, NULL);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
}

static void
test_cancel (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  SumiTensor *x = filled (arena, 1, (const int[]){ 9 }, FILL_ORDINARY, 0);
  g_autoptr (GError) error = NULL;

  ev->cancellable = cancellable;
  g_cancellable_cancel (cancellable);
  sumi_silu (ev, x, NULL);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (int i = 0; sumi_ops ()[i]; i++)
    {
      const SumiOpClass *op = sumi_ops ()[i];
      g_autofree char *kernels = g_strdup_printf ("/op/%s/kernels", op->key);
      g_autofree char *refusals = g_strdup_printf ("/op/%s/refusals", op->key);
      g_autofree char *weights = g_strdup_printf ("/op/%s/weights", op->key);
      g_autofree char *bf16 = g_strdup_printf ("/op/%s/bf16", op->key);

      g_assert_true (sumi_op_find (op->key) == op);
      g_test_add_data_func (kernels, op, test_kernels);
      g_test_add_data_func (refusals, op, test_refusals);
      if (op->weights)
        {
          g_test_add_data_func (weights, op, test_weights);
          g_test_add_data_func (bf16, op, test_bf16);
        }
    }
  g_test_add_func ("/op/sticky", test_sticky);
  g_test_add_func ("/op/memory", test_memory);
  g_test_add_func ("/op/cancel", test_cancel);
  g_test_add_func ("/op/empty", test_empty);
  return g_test_run ();
}
