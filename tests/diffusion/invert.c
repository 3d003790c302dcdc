/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DDIM inversion: a picture taken up to noise and sampled again by ddim is the picture; nearly with the published
 * approximation, the better the more steps, and but for rounding with the exact one. */
#include "core/diffusion/invert.h"

#include <math.h>

#include "core/base/arena.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"
#include "tests/diffusion/run.h"

#define N 7

/* Largest difference of a round trip in @n steps. */
static double
round_trip (SumiExact *data, int n, gboolean exact, gboolean f32, guint64 *calls)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree double *sigmas = g_new0 (double, n + 1);
  SumiTensor *t = sumi_tensor_new (arena, f32 ? SUMI_DTYPE_F32 : SUMI_DTYPE_F64, 4, (const int[]){ 1, 1, N, 1 });
  const SumiInvert how = { exact };
  Runner r = { "ddim", NULL, NULL, sigmas, n, &data->denoiser, f32 };
  double x[N], worst = 0;

  for (int i = 0; i < n; i++)
    sigmas[i] = run_karras (80, 0.002, i / (n - 1.0));
  for (int i = 0; i < N; i++)
    sumi_tensor_put (t, (gsize) i, -1.4 + 0.4 * i);
  sumi_invert (&data->denoiser, ev, t, sigmas, n, &how, NULL, &error);
  g_assert_no_error (error);
  *calls = ev->n_denoise;
  for (int i = 0; i < N; i++)
    x[i] = sumi_tensor_get (t, (gsize) i);
  run_all (&r, x, N);
  for (int i = 0; i < N; i++)
    worst = MAX (worst, fabs (x[i] - (-1.4 + 0.4 * i)));
  return worst;
}

static void
test_plain (gconstpointer name)
{
  g_autoptr (SumiExact) data = sumi_exact_parse (name, NULL);
  double last = HUGE_VAL;

  for (int n = 10; n <= 1280; n *= 2)
    {
      guint64 calls;
      const double off = round_trip (data, n, FALSE, FALSE, &calls);

      g_test_message ("%s, %d steps: off by %.2g", (const char *) name, n, off);
      g_assert_cmpint (calls, ==, n);
      g_assert_cmpfloat (off, <, n >= 40 ? 0.6 * last : HUGE_VAL); /* first order: halves */
      last = off;
    }
  g_assert_cmpfloat (last, <, 0.01);
}

static void
test_exact (gconstpointer name)
{
  g_autoptr (SumiExact) data = sumi_exact_parse (name, NULL);
  const int first = data->std[0] < 0.5 ? 40 : 5; /* coarse steps jump over what is between narrow modes */

  for (int n = first; n <= 320; n *= 2)
    {
      guint64 calls, calls_f32;
      const double off = round_trip (data, n, TRUE, FALSE, &calls),
                   off_f32 = round_trip (data, n, TRUE, TRUE, &calls_f32);

      g_test_message ("%s, %d steps: off by %.2g after %.1f calls a step, f32 %.2g after %.1f", (const char *) name, n,
                      off, (double) calls / n, off_f32, (double) calls_f32 / n);
      g_assert_cmpfloat (off, <, 1e-11);
      g_assert_cmpfloat (off_f32, <, 1e-3);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/invert/plain/gaussian", "gaussian:0.3,0.5", test_plain);
  g_test_add_data_func ("/invert/plain/mixture", "mixture:0.6,-1,0.6;0.4,0.9,0.5", test_plain);
  g_test_add_data_func ("/invert/exact/gaussian", "gaussian:0.3,0.5", test_exact);
  g_test_add_data_func ("/invert/exact/mixture", "mixture:0.6,-1,0.6;0.4,0.9,0.5", test_exact);
  g_test_add_data_func ("/invert/exact/sharp", "mixture:0.6,-1,0.2;0.4,0.9,0.3", test_exact);
  return g_test_run ();
}
