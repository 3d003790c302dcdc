/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Respacing with learned variance against a float64 reading of Nichol and Dhariwal's formulas in their own coordinates:
 * betas, β̃, and whole ancestral steps. */
#include <math.h>

#include "core/diffusion/respace.h"
#include "core/sumi.h"

#define T 1000

static void
assert_close (const char *what, int i, double got, double wanted)
{
  if (! (fabs (got - wanted) <= 1e-8 * fabs (wanted) + 1e-12))
    g_error ("%s of step %d: %.15g, should be %.15g", what, i, got, wanted);
}

static void
check (const SumiProcessClass *process, const double *betas, int n)
{
  g_autoptr (SumiRespaced) respaced = sumi_respaced_new (process, n, NULL);
  double all[T], product = 1, last_bar = 1;
  int times[T] = { 0 };

  for (int t = 0; t < T; t++)
    all[t] = product *= 1 - betas[t];
  for (int i = 0; i < n; i++)
    times[i] = (int) nearbyint (i * (double) (T - 1) / (n - 1));
  g_assert_cmpint (times[0], ==, 0);
  g_assert_cmpint (times[n - 1], ==, T - 1);
  for (int i = 0; i < n; i++)
    {
      const SumiRespacedStep *s = &respaced->steps[n - 1 - i];
      const double bar = all[times[i]], beta = 1 - bar / last_bar, alpha = 1 - beta;
      const double posterior = beta * (1 - last_bar) / (1 - bar);
      const double state = 0.83, x0 = -0.41, noise = 1.7, v = 0.3; /* X_t, its x0, z */
      const double mean = sqrt (last_bar) * beta / (1 - bar) * x0 + sqrt (alpha) * (1 - last_bar) / (1 - bar) * state;
      const double deviation = i > 0 ? sqrt (exp (v * log (beta) + (1 - v) * log (posterior))) : 0;
      const double step = s->keep * state / sqrt (bar) + (1 - s->keep) * x0 + sumi_respaced_deviation (s, v) * noise;

      g_assert_cmpint (s->time, ==, times[i]);
      assert_close ("σ", i, s->sigma, sqrt ((1 - bar) / bar));
      assert_close ("σ'", i, s->sigma_next, sqrt ((1 - last_bar) / last_bar));
      assert_close ("β", i, s->beta, beta);
      assert_close ("the result", i, step * sqrt (last_bar), mean + deviation * noise);
      if (i > 0)
        {
          assert_close ("the smaller variance", i, exp (s->log_small), posterior / last_bar);
          assert_close ("the larger variance", i, exp (s->log_large), beta / last_bar);
          g_assert_cmpfloat (sumi_respaced_deviation (s, -3), ==, sumi_respaced_deviation (s, 0));
        }
      last_bar = bar;
    }
}

static void
test_steps (void)
{
  double linear[T], cosine[T];

  for (int t = 0; t < T; t++)
    {
      const double a = cos (((t + 1) / 1000.0 + 0.008) / 1.008 * G_PI / 2),
                   b = cos ((t / 1000.0 + 0.008) / 1.008 * G_PI / 2);

      linear[t] = 1e-4 + t * (0.02 - 1e-4) / 999;
      cosine[t] = fmin (1 - a * a / (b * b), 0.999);
    }
  for (int i = 0; i < 4; i++)
    {
      static const int n[] = { 2, 10, 27, 1000 };

      check (sumi_process_find ("ddpm-linear", NULL), linear, n[i]);
      check (sumi_process_find ("ddpm-cosine", NULL), cosine, n[i]);
    }
}

static void
test_bounds (void)
{
  const SumiProcessClass *table = sumi_process_find ("ddpm-linear", NULL);
  g_autoptr (SumiRespaced) one = sumi_respaced_new (table, 1, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (one->steps[0].time, ==, T - 1);
  g_assert_cmpfloat (one->steps[0].sigma_next, ==, 0);
  g_assert_null (sumi_respaced_new (table, T + 1, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);
  g_clear_error (&error);
  g_assert_null (sumi_respaced_new (sumi_process_find ("vp", NULL), 10, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/respace/steps", test_steps);
  g_test_add_func ("/respace/bounds", test_bounds);
  return g_test_run ();
}
