/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The restore network against inputs, inner activations and outputs that PyTorch computed (tests/golden). PyTorch's
 * pictures are [N, C, H, W]. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/model/restore-net.h"
#include "core/sumi.h"
#include "core/tensor/tensor.h"

#define TOLERANCE 1e-4 /* relative, in fp32 */

typedef struct
{
  SumiWeights *golden;
  SumiArena *arena;
  const char *name; /* of the case */
  int seen;
} Case;

/* Largest difference over the largest value. */
static double
difference (const SumiTensor *got, const SumiTensor *want)
{
  double top = 0, worst = 0;

  g_assert_true (sumi_tensor_same_shape (got, want));
  for (gsize i = 0; i < sumi_tensor_count (want); i++)
    {
      top = MAX (top, fabs (sumi_tensor_f32 (want)[i]));
      worst = MAX (worst, fabs ((double) sumi_tensor_f32 (got)[i] - sumi_tensor_f32 (want)[i]));
      g_assert_true (isfinite (sumi_tensor_f32 (got)[i]));
    }
  return worst / top;
}

/* [N, C, H, W] → [N, H, W, C] */
static SumiTensor *
channels_last (SumiArena *arena, const SumiTensor *t)
{
  const int channels = t->shape[1], plane = t->shape[2] * t->shape[3];
  SumiTensor *out =
      sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, (const int[]){ t->shape[0], t->shape[2], t->shape[3], channels });

  for (int n = 0; n < t->shape[0]; n++)
    for (int i = 0; i < plane; i++)
      for (int c = 0; c < channels; c++)
        sumi_tensor_f32 (out)[(n * plane + i) * channels + c] = sumi_tensor_f32 (t)[(n * channels + c) * plane + i];
  return out;
}

static const SumiTensor *
find (const Case *c, const char *what)
{
  g_autofree char *name = g_strdup_printf ("%s.%s", c->name, what);
  const SumiTensor *t = sumi_weights_find (c->golden, name);

  return t && t->n_dims == 4 ? channels_last (c->arena, t) : t;
}

static void
check_activation (gpointer data, const char *name, const SumiTensor *value)
{
  Case *c = data;
  g_autofree char *act = g_strdup_printf ("act.%s", name);
  const SumiTensor *want = find (c, act);
  double d;

  if (! want)
    return;
  c->seen++;
  d = difference (value, want);
  g_test_message ("%s.%s: %.2e", c->name, act, d);
  g_assert_cmpfloat (d, <, TOLERANCE);
}

static void
run_case (const char *name, const SumiBackend *backend, int threads, int activations)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *model =
      g_test_build_filename (G_TEST_DIST, "..", "data", "models", "sumi-restore.safetensors", NULL);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "golden", "restore-reference.safetensors", NULL);
  g_autoptr (SumiWeights) weights = sumi_weights_open (model, &error), golden = sumi_weights_open (path, NULL);
  g_autoptr (SumiRestoreNet) net = NULL;
  g_autoptr (SumiPool) pool = sumi_pool_new (threads);
  g_autoptr (SumiEval) ev = sumi_eval_new (backend, pool);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  Case c = { golden, arena, name, 0 };
  SumiRestoreInput input;
  SumiTensor *d;
  double worst;

  g_assert_no_error (error);
  net = sumi_restore_net_load (weights, &error);
  g_assert_no_error (error);
  sumi_restore_net_set_tap (net, check_activation, &c);
  input = (SumiRestoreInput){
    .b = find (&c, "b"),
    .e = find (&c, "e"),
    .factor = sumi_tensor_f32 (find (&c, "factor"))[0],
    .noise = sumi_tensor_f32 (find (&c, "noise"))[0],
  };
  d = sumi_restore_net_denoise (net, ev, &input, find (&c, "u"), sumi_tensor_f32 (find (&c, "sigma"))[0]);
  g_assert_true (sumi_eval_finish (ev, &error));
  worst = difference (d, find (&c, "D"));
  g_test_message ("%s.D: %.2e, scratch %.1f MB", name, worst, (double) sumi_arena_get_peak (ev->scratch) * 1e-6);
  g_assert_cmpfloat (worst, <, TOLERANCE);
  g_assert_cmpint (c.seen, ==, activations);
}

static void
test_reference_kernels (void)
{
  run_case ("clean", NULL, 1, 2);
}

static void
test_upscale (void)
{
  run_case ("upscale", sumi_backend_default (), 2, 19);
}

static void
test_others (void)
{
  run_case ("clean", sumi_backend_default (), 1, 2);
  run_case ("color", sumi_backend_default (), 2, 2);
  run_case ("fill", sumi_backend_default (), 3, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reference/plain-kernels", test_reference_kernels);
  g_test_add_func ("/reference/upscale", test_upscale);
  g_test_add_func ("/reference/others", test_others);
  return g_test_run ();
}
