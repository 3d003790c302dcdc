/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samplers against closed forms (design.md §2): for data ~ N(0, s²) the denoiser is D(x; σ) = x·s²/(s² + σ²). Their
 * orders are in order.c. No network, no stored file. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/loop.h"
#include "core/ops/ops.h"
#include "core/sumi.h"
#include "core/tensor/tensor.h"

#define SIGMA_MAX 80.0
#define SIGMA_MIN 0.002

static void
fill_sigmas (const char *key, int n, double *sigmas)
{
  g_auto (SumiPlan) plan = { NULL };
  g_autofree double *all = NULL;
  const SumiPlanNames names = { .sampler = "euler", .schedule = key };

  g_assert_true (sumi_plan_init (&plan, &names, &names, NULL));
  all = sumi_plan_dup_sigmas (&plan, n, SIGMA_MIN, SIGMA_MAX, NULL, NULL);
  memcpy (sigmas, all, sizeof (double) * (gsize) (n + 1));
}

typedef struct
{
  SumiDenoiser denoiser;
  double s;
  GCancellable *cancel; /* after the third call */
  int calls;
} Gaussian;

static SumiTensor *
gaussian_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  Gaussian *g = (Gaussian *) self;

  if (++g->calls == 3 && g->cancel)
    g_cancellable_cancel (g->cancel);
  return sumi_lincomb (ev, g->s * g->s / (g->s * g->s + sigma * sigma), x, 0, NULL, 0, NULL, NULL);
}

static SumiTensor *
picture (SumiArena *arena, int side, double value)
{
  SumiTensor *x = sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, (const int[]){ 1, side, side, 3 });

  for (gsize i = 0; i < sumi_tensor_count (x); i++)
    sumi_tensor_f32 (x)[i] = (float) value;
  return x;
}

/* With churn, many results have the data's variance; and they differ by seed, never by threads. */
static void
test_churn (gconstpointer data)
{
  const SumiSamplerClass *sampler = data;
  const int side = 48, steps = 200;
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  double sigmas[201], variance[2] = { 0 };
  SumiTensor *x[4];

  fill_sigmas ("karras", steps, sigmas);
  for (int run = 0; run < 4; run++)
    {
      g_autoptr (SumiPool) pool = sumi_pool_new (run == 1 ? 3 : 1);
      g_autoptr (SumiEval) ev = sumi_eval_new (NULL, pool);
      Gaussian g = { { .denoise = gaussian_denoise }, 0.5 };
      SumiLoop loop = { .denoiser = &g.denoiser,
                        .sampler = sampler,
                        .sigmas = sigmas,
                        .n_steps = steps,
                        .churn = run == 3 ? 0 : 0.7,
                        .seed = run == 2 ? 8 : 7,
                        .x = -5,
                        .y = 3 };

      x[run] = picture (arena, side, 0);
      sumi_loop_start (&loop, ev, x[run]);
      g_assert_true (sumi_loop_run (&loop, ev, x[run], 0, NULL, NULL));
    }
  g_assert_cmpmem (x[0]->data, 3 * side * side * 4, x[1]->data, 3 * side * side * 4);
  g_assert_cmpint (memcmp (x[0]->data, x[2]->data, 3 * side * side * 4), !=, 0);
  for (int i = 0; i < 3 * side * side; i++)
    {
      variance[0] += sumi_tensor_f32 (x[0])[i] * sumi_tensor_f32 (x[0])[i] / (3.0 * side * side);
      variance[1] += sumi_tensor_f32 (x[3])[i] * sumi_tensor_f32 (x[3])[i] / (3.0 * side * side);
    }
  {
    const double exact = 0.25, want = exact;
    const double tolerance = sampler->order == 1 ? 0.12 : 0.07; /* 6,912 samples have a standard error of 1.7 % */

    g_test_message ("%s: variance %.4f with churn (expected %.4f), %.4f without (0.25)", sampler->key, variance[0],
                    want, variance[1]);
    g_assert_cmpfloat (fabs (variance[0] / want - 1), <, tolerance);
    g_assert_cmpfloat (fabs (variance[1] / exact - 1), <, tolerance);
  }
}

static void
test_cancel (gconstpointer data)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (GCancellable) cancel = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  double sigmas[31];
  Gaussian g = { { .denoise = gaussian_denoise }, 0.5, cancel };
  SumiJob job = { .cancellable = cancel };
  SumiLoop loop = { .denoiser = &g.denoiser, .sampler = data, .sigmas = sigmas, .n_steps = 30 };

  fill_sigmas ("karras", 30, sigmas);
  ev->cancellable = cancel;
  g_assert_false (sumi_loop_run (&loop, ev, picture (arena, 2, 1), 0, &job, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (g.calls, ==, 3);
  g_clear_error (&error);
}

/* Noise belongs to the absolute pixel and channel: a tile sees what the whole sees, in pairs of channels. */
static void
test_noise_position (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  SumiTensor *whole = picture (arena, 9, 0), *part = picture (arena, 4, 0);

  sumi_noise_fill (ev, whole, 5, 2, -3, 10);
  sumi_noise_fill (ev, part, 5, 2, -3 + 5, 10 + 2);
  for (int y = 0; y < 4; y++)
    g_assert_cmpmem (sumi_tensor_f32 (part) + y * 12, 48, sumi_tensor_f32 (whole) + 3 * ((y + 2) * 9 + 5), 48);
  for (int i = 0; i < 9 * 9 * 3; i++)
    {
      float pair[2];

      sumi_random_normal (5, 2, -3 + i / 3 % 9, 10 + i / 27, (guint32) (i % 3 / 2), pair);
      g_assert_cmpfloat (sumi_tensor_f32 (whole)[i], ==, pair[i % 3 % 2]);
    }
}

static void
test_names (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (sumi_sampler_find ("magic", &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);
  g_assert_nonnull (strstr (error->message, "euler"));
}

static void
add (const char *what, const char *key, gconstpointer data, GTestDataFunc func)
{
  g_autofree char *path = g_strdup_printf ("/diffusion/%s/%s", what, key);

  g_test_add_data_func (path, data, func);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (const SumiSamplerClass *const *s = sumi_samplers (); *s; s++)
    {
      if (! (*s)->stochastic) /* their law is stochastic.c's */
        add ("churn", (*s)->key, *s, test_churn);
      add ("cancel", (*s)->key, *s, test_cancel);
    }
  g_test_add_func ("/diffusion/noise-position", test_noise_position);
  g_test_add_func ("/diffusion/names", test_names);
  return g_test_run ();
}
