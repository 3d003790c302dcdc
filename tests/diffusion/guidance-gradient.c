/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guidance by gradients: of losses of the clean picture, of classifiers, and through linear guidances, against
 * differences and closed forms. */
#include <math.h>

#include "core/base/arena.h"
#include "core/ops/ops.h"
#include "core/sumi.h"
#include "tests/diffusion/guided.h"

/* ---- gradients ----------------------------------------------------------- */

static double
loss_at (SumiPotential *loss, SumiDenoiser *d, SumiEval *ev, SumiTensor *x, double sigma)
{
  double value;

  sumi_potential_gradient (loss, ev, d ? sumi_denoise (d, ev, x, sigma) : x, sigma, &value);
  return value;
}

/* ∂ loss (D (x))/∂x_i by central differences; D = x without @d. */
static double
difference (SumiPotential *loss, SumiDenoiser *d, SumiEval *ev, SumiTensor *x, double sigma, gsize i)
{
  const double h = 1e-5, at = sumi_tensor_get (x, i);
  double rise;

  sumi_tensor_put (x, i, at + h);
  rise = loss_at (loss, d, ev, x, sigma);
  sumi_tensor_put (x, i, at - h);
  rise -= loss_at (loss, d, ev, x, sigma);
  sumi_tensor_put (x, i, at);
  return rise / (2 * h);
}

static void
test_gradient (void)
{
  const double sigma = 0.7, mean[] = { 0.2, -0.5 };
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = guided_plane ();
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 2, 3, 2, 2, 1.3);
  SumiTensor *target = guided_noise (arena, ev, SUMI_DTYPE_F64, 2, 3, 2, 2, -0.8);
  SumiTensor *map = guided_noise (arena, ev, SUMI_DTYPE_F64, 2, 3, 2, 1, 0);
  SumiTargetLoss wish;
  SumiToneLoss tone;
  SumiPotential *const losses[] = { &wish.potential, &tone.potential };

  for (gsize i = 0; i < 12; i++)
    sumi_tensor_put (map, i, (double) i / 11);
  sumi_target_loss_init (&wish, target, map, 0.6);
  sumi_tone_loss_init (&tone, mean, 2, 0.1);
  for (int k = 0; k < 2; k++)
    {
      const SumiGuidanceParts parts = { .base = &all->denoiser, .loss = losses[k] };
      g_autoptr (SumiGuidance) guidance = guided_new ("gradient", "gradient-scale=1.7", &parts);
      SumiTensor *plain = sumi_denoise (&all->denoiser, ev, x, sigma);
      SumiTensor *x0 = sumi_denoise (&guidance->denoiser, ev, x, sigma);
      double most = 0;

      g_assert_cmpint (ev->n_denoise, ==, 2);
      for (gsize i = 0; i < 24; i++)
        {
          const double push = -sigma * sigma * 1.7 * difference (losses[k], &all->denoiser, ev, x, sigma, i);

          most = MAX (most, fabs (push));
          g_assert_cmpfloat_with_epsilon (sumi_tensor_get (x0, i) - sumi_tensor_get (plain, i), push, 1e-7);
        }
      g_assert_cmpfloat (most, >, 0.05);
      ev->n_denoise = 0;
    }
}

/* Gaussian data and a quadratic loss: D' = D − σ²·s·k·(D − y)/r², k = S²/(S² + σ²). */
static void
test_gradient_gaussian (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) data = guided_gaussian (0.3, 0.8);
  SumiTensor *y = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 3, 1, 1.9);
  SumiTargetLoss wish;
  const SumiGuidanceParts parts = { .base = &data->denoiser, .loss = &wish.potential };
  g_autoptr (SumiGuidance) guidance = guided_new ("gradient", "gradient-scale=0.5", &parts);

  sumi_target_loss_init (&wish, y, NULL, 0.4);
  for (double sigma = 0; sigma < 100; sigma = 3 * sigma + 0.1)
    {
      SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 3, 1, 1 + sigma);
      SumiTensor *x0 = sumi_denoise (&guidance->denoiser, ev, x, sigma);
      const double k = 0.64 / (0.64 + sigma * sigma);

      for (gsize i = 0; i < 6; i++)
        {
          const double d = 0.3 + k * (sumi_tensor_get (x, i) - 0.3);

          g_assert_cmpfloat_with_epsilon (sumi_tensor_get (x0, i),
                                          d - sigma * sigma * 0.5 * k * (d - sumi_tensor_get (y, i)) / 0.16, 1e-12);
        }
    }
}

/* What is given a value seen: the density is p·N (y; x, r²) but for a factor. */
static void
test_seen (void)
{
  const double y[] = { 0.4, -0.3 }, r = 0.7;
  g_autoptr (SumiExact) all = guided_plane (), seen = sumi_exact_seen (all, y, r);
  double first = 0;

  for (int i = 0; i < 20; i++)
    {
      const double x[] = { -2 + 0.2 * i, 1.5 - 0.13 * i };
      const double square = pow (x[0] - y[0], 2) + pow (x[1] - y[1], 2);
      const double factor =
          sumi_exact_log_density (seen, x, 0) - sumi_exact_log_density (all, x, 0) + square / (2 * r * r);

      first = i ? first : factor;
      g_assert_cmpfloat_with_epsilon (factor, first, 1e-12);
    }
}

/* The loss that counts what noise hides makes guidance of Gaussian data exact. */
static void
test_spread (void)
{
  const double y = 1;
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) data = guided_gaussian (0.3, 0.8), seen = sumi_exact_seen (data, &y, 0.4);
  SumiTensor *target = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 3, 1, 0);
  SumiTargetLoss wish;
  const SumiGuidanceParts parts = { .base = &data->denoiser, .loss = &wish.potential };
  g_autoptr (SumiGuidance) guidance = guided_new ("gradient", NULL, &parts);

  for (gsize i = 0; i < 6; i++)
    sumi_tensor_put (target, i, y);
  sumi_target_loss_init (&wish, target, NULL, 0.4);
  wish.spread = 0.8;
  for (double sigma = 0; sigma < 100; sigma = 3 * sigma + 0.1)
    {
      SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 3, 1, 1 + sigma);

      g_assert_cmpfloat (guided_difference (sumi_denoise (&guidance->denoiser, ev, x, sigma),
                                            sumi_denoise (&seen->denoiser, ev, x, sigma)),
                         <, 1e-12 * (1 + sigma));
    }
}

static void
test_classifier (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = guided_plane ();
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "1+3", NULL);
  g_autoptr (SumiGuidance) classifier = guided_new ("classifier", NULL, &conditions->parts);
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 3, 2, 1);
  const double *at = x->data;
  double r[3], value, want = 0;

  /* ln p is that of the responsibilities, its gradient that of its differences */
  sumi_potential_gradient (conditions->parts.classifier, ev, x, 0.6, &value);
  for (int i = 0; i < 6; i++)
    {
      sumi_exact_responsibilities (all, at + 2 * i, 0.6, r);
      want += log (r[0] + r[2]);
    }
  g_assert_cmpfloat_with_epsilon (value, want, 1e-12);
  for (gsize i = 0; i < 12; i++)
    {
      SumiTensor *gradient = sumi_potential_gradient (conditions->parts.classifier, ev, x, 0.6, NULL);

      g_assert_cmpfloat_with_epsilon (sumi_tensor_get (gradient, i),
                                      difference (conditions->parts.classifier, NULL, ev, x, 0.6, i), 1e-7);
    }
  /* Bayes */
  for (double sigma = 0.01; sigma < 100; sigma *= 3)
    {
      x = guided_noise (arena, ev, SUMI_DTYPE_F64, 2, 5, 5, 2, 1 + sigma);
      g_assert_cmpfloat (guided_difference (sumi_denoise (&classifier->denoiser, ev, x, sigma),
                                            sumi_denoise (conditions->conditions[0], ev, x, sigma)),
                         <, 1e-12 * (1 + sigma));
    }
}

/* The gradient of a linear guidance, which methods that need one take: a loss behind two guidances on top of each
 * other. */
static void
test_vjp (void)
{
  const double sigma = 0.7;
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = guided_plane ();
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "1", NULL);
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 2, 2, 1.3);
  SumiTensor *target = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 2, 2, -1);
  SumiTargetLoss wish;
  SumiGuidanceParts parts = conditions->parts;
  g_autoptr (SumiGuidance) cfg = guided_new ("cfg", "cfg-scale=2", &parts), compose = NULL, gradient = NULL;
  g_autoptr (SumiExactConditions) more = sumi_exact_conditions_parse (all, "2:0.4 3:-0.3", NULL);

  sumi_target_loss_init (&wish, target, NULL, 0.6);
  parts = more->parts;
  parts.base = &cfg->denoiser;
  compose = guided_new ("compose", NULL, &parts);
  parts = (SumiGuidanceParts){ .base = &compose->denoiser, .loss = &wish.potential };
  gradient = guided_new ("gradient", NULL, &parts);
  {
    SumiTensor *plain = sumi_denoise (&compose->denoiser, ev, x, sigma), *x0;

    g_assert_cmpint (ev->n_denoise, ==, 4);
    x0 = sumi_denoise (&gradient->denoiser, ev, x, sigma);
    g_assert_cmpint (ev->n_denoise, ==, 8);
    for (gsize i = 0; i < 8; i++)
      g_assert_cmpfloat_with_epsilon (
          sumi_tensor_get (x0, i) - sumi_tensor_get (plain, i),
          -sigma * sigma * difference (&wish.potential, &compose->denoiser, ev, x, sigma, i), 1e-7);
  }
  g_assert_null (gradient->denoiser.vjp);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/guidance/gradient/differences", test_gradient);
  g_test_add_func ("/guidance/gradient/gaussian", test_gradient_gaussian);
  g_test_add_func ("/guidance/gradient/seen", test_seen);
  g_test_add_func ("/guidance/gradient/spread", test_spread);
  g_test_add_func ("/guidance/classifier", test_classifier);
  g_test_add_func ("/guidance/vjp", test_vjp);
  return g_test_run ();
}
