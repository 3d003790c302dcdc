/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bench's lists of shapes: their totals are those of the networks. */
#include <string.h>

#include "core/base/arena.h"
#include "core/bench/shape.h"
#include "core/model/restore-net.h"
#include "core/ops/op.h"
#include "core/sumi.h"

/* Numbers in the weights of convolutions and linear layers, each counted as often as it is used. */
static double
weights (const GArray *list)
{
  double n = 0;

  for (guint i = 0; i < list->len; i++)
    {
      const SumiBenchShape *s = &g_array_index (list, SumiBenchShape, i);

      if (s->op == &sumi_bench_conv)
        n += (double) s->count * s->ci * s->co * s->kernel * s->kernel;
      else if (s->op == &sumi_bench_linear)
        n += (double) s->count * s->ci * s->co;
    }
  return n;
}

static void
check (const SumiBenchNetwork *network, double gflop, double millions)
{
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (SumiBenchShape));

  network->list (list);
  g_assert_cmpfloat_with_epsilon (1e-9 * sumi_bench_list_flops (list), gflop, 1e-3 * gflop);
  g_assert_cmpfloat_with_epsilon (1e-6 * weights (list), millions, 1e-3 * millions);
}

/* GFLOP of convolutions and linear layers, and millions of weights: 860 and 49 million parameters with biases and
 * norms. */
static void
test_totals (void)
{
  check (&sumi_bench_net_unet, 677, 859);
  check (&sumi_bench_net_vae, 2480, 49.5);
}

/* The shipped file has just the weights that the list has. */
static void
test_restore (void)
{
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (SumiBenchShape));
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiModel) model = sumi_model_load ("sumi-restore", &error);
  double n = 0;

  g_assert_no_error (error);
  for (const char *const *name = sumi_weights_get_names (model->weights); *name; name++)
    {
      const SumiTensor *t = sumi_weights_find (model->weights, *name);

      n += t->n_dims > 1 ? (double) sumi_tensor_count (t) : 0;
    }
  sumi_bench_list_restore (list, 64, 48);
  g_assert_cmpfloat (weights (list), ==, n);
}

static void
count_conv (gpointer data, const SumiOpClass *op, gint64 us)
{
  *(int *) data += ! strcmp (op->key, "conv2d");
}

/* And it calls as many convolutions. */
static void
test_calls (void)
{
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (SumiBenchShape));
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiModel) model = sumi_model_load ("sumi-restore", &error);
  g_autoptr (SumiRestoreNet) net = sumi_restore_net_load (model->weights, &error);
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  SumiTensor *x = sumi_bench_make_picture (arena, 32, 48, 3);
  const SumiRestoreInput input = { .b = x, .e = x, .hp = x, .factor = 1 };
  int called = 0, listed = 0;

  g_assert_no_error (error);
  ev->ran = count_conv;
  ev->ran_data = &called;
  sumi_restore_net_denoise (net, ev, &input, x, 1);
  g_assert_true (sumi_eval_finish (ev, &error));
  sumi_bench_list_restore (list, 32, 48);
  for (guint i = 0; i < list->len; i++)
    {
      const SumiBenchShape *s = &g_array_index (list, SumiBenchShape, i);

      listed += s->op == &sumi_bench_conv ? s->count : 0;
    }
  g_assert_cmpint (called, ==, listed);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bench/totals", test_totals);
  g_test_add_func ("/bench/restore", test_restore);
  g_test_add_func ("/bench/calls", test_calls);
  return g_test_run ();
}
