/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attention in every instruction set that this CPU runs, not only the one it would take, and in bf16: the op's own
 * cases, huge, denormal and equal values, larger sizes, and the same bytes for every thread count. */
#include <math.h>

#include "core/base/arena.h"
#include "core/cpu/isa.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/ops/params.h"
#include "core/sumi.h"
#include "core/tensor/tensor.h"

typedef struct
{
  const char *name;
  float q, k, v;    /* spreads */
  float v_mean;     /* of v */
  double f32, bf16; /* limits of the NMSE; in bf16 near winners may change places, denormals are 0 */
} Values;

static const Values values[] = {
  { "ordinary", 1, 1, 1, 0, 1e-11, 2e-5 },
  { "sharp", 4, 4, 1, 0, 1e-11, 1e-3 },
  { "one wins", 1e15f, 1e15f, 1e30f, 0, 1e-12, 0.05 },
  { "huge", 1e30f, 1, 1, 0, 1e-12, 0.05 },
  { "denormal scores", 1e-40f, 1e-40f, 1, 1, 1e-12, 1e-5 },
  { "denormal values", 1, 1, 1e-40f, 1e-39f, 1e-9, 1 },
  { "all the same", 0, 0, 0, 3, 1e-12, 1e-5 },
};

static SumiTensor *
normal (SumiArena *arena, float mean, float sd, const int *shape, guint32 seed)
{
  SumiTensor *t = sumi_tensor_new (arena, SUMI_DTYPE_F32, 3, shape);

  for (gsize i = 0; i < sumi_tensor_count (t); i++)
    {
      float pair[2];

      sumi_random_normal (13, seed, (int) i, 0, 0, pair);
      sumi_tensor_f32 (t)[i] = mean + sd * pair[0];
    }
  return t;
}

static double
nmse (const SumiTensor *got, const SumiTensor *want)
{
  double error = 0, power = 0;

  for (gsize i = 0; i < sumi_tensor_count (want); i++)
    {
      const double g = sumi_tensor_f32 (got)[i], w = sumi_tensor_f32 (want)[i];

      g_assert_true (isfinite (g) && isfinite (w));
      error += (g - w) * (g - w);
      power += w * w;
    }
  g_assert_cmpfloat (power, >, 0);
  return error / power;
}

static void
check (gboolean bf16, const int *q_shape, const int *k_shape, int heads, const Values *fill)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiPool) three = sumi_pool_new (3);
  g_autoptr (SumiEval) plain = sumi_eval_new (NULL, NULL), fast = sumi_eval_new (sumi_backend_default (), NULL);
  g_autoptr (SumiEval) threaded = sumi_eval_new (sumi_backend_default (), three);
  const double limit = bf16 ? fill->bf16 : fill->f32;
  SumiTensor *q = normal (arena, 0, fill->q, q_shape, 1), *k = normal (arena, 0, fill->k, k_shape, 2);
  SumiTensor *v = normal (arena, fill->v_mean, fill->v, k_shape, 3);
  SumiTensor *want, *got, *again;
  const gsize bytes = sumi_tensor_count (q) * sizeof (float);
  g_autoptr (GError) error = NULL;

  fast->bf16 = threaded->bf16 = bf16;
  want = sumi_attention (plain, q, k, v, heads, 0, NULL);
  got = sumi_attention (fast, q, k, v, heads, 0, NULL);
  again = sumi_attention (threaded, q, k, v, heads, 0, NULL);
  sumi_eval_finish (plain, &error);
  g_assert_no_error (error);
  sumi_eval_finish (fast, &error);
  g_assert_no_error (error);
  sumi_eval_finish (threaded, &error);
  g_assert_no_error (error);
  g_test_message ("%s, %d×%d×%d, %d keys, %d heads: NMSE %.2e, allowed %.0e", fill->name, q_shape[0], q_shape[1],
                  q_shape[2], k_shape[1], heads, nmse (got, want), limit);
  g_assert_cmpfloat (nmse (got, want), <=, limit);
  g_assert_cmpmem (got->data, bytes, again->data, bytes);
}

static void
check_all (gboolean bf16)
{
  const SumiOpClass *op = sumi_op_find ("attention");

  for (int i = 0; i < op->n_cases; i++)
    check (bf16, op->cases[i].in[0], op->cases[i].in[1], ((const SumiAttentionParams *) op->cases[i].params)->heads,
           values);
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      check (bf16, (const int[]){ 2, 67, 120 }, (const int[]){ 2, 333, 120 }, 3, values + i);
      check (bf16, (const int[]){ 1, 129, 160 }, (const int[]){ 1, 77, 160 }, 2, values + i);
      check (bf16, (const int[]){ 1, 9, 35 }, (const int[]){ 1, 61, 35 }, 1, values + i);
    }
  check (bf16, (const int[]){ 1, 5, 512 }, (const int[]){ 1, 1024, 512 }, 1, values);
}

static void
test_f32 (gconstpointer isa)
{
  sumi_cpu_isa_use (isa);
  check_all (FALSE);
  sumi_cpu_isa_use (NULL);
}

static void
test_bf16 (gconstpointer isa)
{
  sumi_cpu_isa_use (isa);
  check_all (TRUE);
  sumi_cpu_isa_use (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (const SumiCpuIsa *const *isa = sumi_cpu_isas (); *isa; isa++)
    {
      g_autofree char *f32 = g_strdup_printf ("/attention/%s/f32", (*isa)->key);
      g_autofree char *bf16 = g_strdup_printf ("/attention/%s/bf16", (*isa)->key);

      if (! (*isa)->usable ())
        continue;
      g_test_add_data_func (f32, *isa, test_f32);
      if ((*isa)->attention_bf16)
        g_test_add_data_func (bf16, *isa, test_bf16);
    }
  return g_test_run ();
}
