/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every process holds to the identities of process.h; the tables, VP and sub-VP to their papers' formulas, read again
 * here in the papers' own order. */
#include <math.h>

#include "core/diffusion/process.h"
#include "core/sumi.h"

#define T 1000

static void
assert_close (const char *what, double t, double got, double wanted, double relative)
{
  if (! (fabs (got - wanted) <= relative * fabs (wanted) + 1e-300))
    g_error ("%s at t = %g: %.17g, should be %.17g", what, t, got, wanted);
}

/* Derivatives by central differences; times are never a table's own, where the lines have corners. */
static void
test_identities (gconstpointer data)
{
  const SumiProcessClass *p = data;
  const double range = p->t_max - p->t_min;

  for (int i = 0; i < 500; i++)
    {
      double t = p->t_min + range * (i + 0.37) / 500;
      double h = range * 1e-7, before, after;

      if (p->n_steps)
        {
          t = floor (t) + 0.37;
          h = 0.01;
        }
      before = log (p->alpha (t - h));
      after = log (p->alpha (t + h));
      assert_close ("drift", t, p->drift (t), (after - before) / (2 * h), 2e-4);
      before = pow (p->sigma (t - h), 2);
      after = pow (p->sigma (t + h), 2);
      assert_close ("diffusion", t, p->diffusion (t), pow (p->alpha (t), 2) * (after - before) / (2 * h), 2e-4);
      assert_close ("time", t, p->time (p->sigma (t)), t, 1e-9);
      g_assert_cmpfloat (p->sigma (t + h), >, p->sigma (t));
    }
  for (double sigma = 0.0123; sigma < 150; sigma *= 1.1)
    assert_close ("sigma", p->time (sigma), p->sigma (p->time (sigma)), sigma, 1e-9);
  assert_close ("first time", p->t_min, p->time (p->sigma (p->t_min)), p->t_min, 1e-6);
  assert_close ("last time", p->t_max, p->time (p->sigma (p->t_max)), p->t_max, 1e-9);
}

/* VP: x_t ~ N (α·x0, 1 − α²); sub-VP: standard deviation 1 − α². Song et al. 2021, eq. 29. */
static void
test_marginals (void)
{
  const SumiProcessClass *vp = sumi_process_find ("vp", NULL), *subvp = sumi_process_find ("subvp", NULL);
  const SumiProcessClass *ve = sumi_process_find ("ve", NULL);

  for (double t = 0.01; t <= 1; t += 0.01)
    {
      const double alpha = exp (-t * t * (20 - 0.1) / 4 - t * 0.1 / 2);

      assert_close ("VP α", t, vp->alpha (t), alpha, 1e-12);
      assert_close ("VP deviation", t, vp->alpha (t) * vp->sigma (t), sqrt (1 - alpha * alpha), 1e-9);
      assert_close ("sub-VP α", t, subvp->alpha (t), alpha, 1e-12);
      assert_close ("sub-VP deviation", t, subvp->alpha (t) * subvp->sigma (t), 1 - alpha * alpha, 1e-9);
      assert_close ("VE σ", t, ve->sigma (t), exp (log (0.01) + t * (log (50) - log (0.01))), 1e-12);
    }
}

/* The sub-VP variance also solves its own equation dV/dt = 2·f·V + g², V(0) = 0: Runge and Kutta. */
static void
test_subvp_variance (void)
{
  const SumiProcessClass *p = sumi_process_find ("subvp", NULL);
  const double h = 1e-3;
  double v = 0;

  for (int i = 0; i < 1000; i++)
    {
      const double t = i * h, f0 = p->drift (t), f1 = p->drift (t + h / 2), f2 = p->drift (t + h);
      const double g0 = p->diffusion (t), g1 = p->diffusion (t + h / 2), g2 = p->diffusion (t + h);
      const double k1 = 2 * f0 * v + g0, k2 = 2 * f1 * (v + h / 2 * k1) + g1;
      const double k3 = 2 * f1 * (v + h / 2 * k2) + g1, k4 = 2 * f2 * (v + h * k3) + g2;

      v += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
      assert_close ("variance", t + h, pow (p->alpha (t + h) * p->sigma (t + h), 2), v, 1e-6);
    }
}

/* ---- tables -------------------------------------------------------------- */

static void
check_table (const char *key, const double *alpha_bar, double relative)
{
  const SumiProcessClass *p = sumi_process_find (key, NULL);

  g_assert_cmpint (p->n_steps, ==, T);
  for (int t = 0; t < T; t++)
    {
      assert_close (key, t, pow (p->alpha (t), 2), alpha_bar[t], relative);
      assert_close (key, t, p->sigma (t), sqrt ((1 - alpha_bar[t]) / alpha_bar[t]), relative);
      assert_close (key, t, p->time (p->sigma (t)), t, 1e-9);
    }
  /* between two entries: the middle of ln σ */
  for (int t = 0; t + 1 < T; t++)
    assert_close (key, t + 0.5, p->sigma (t + 0.5), sqrt (p->sigma (t) * p->sigma (t + 1)), 1e-9);
}

/* Π (1 − β_t), β from the papers' recipes with t = 1 … T. */
static void
test_tables (void)
{
  double linear[T], scaled[T], cosine[T], zero[T], product[3] = { 1, 1, 1 };

  for (int t = 1; t <= T; t++)
    {
      const double share = (t - 1.0) / (T - 1);
      const double a = cos ((t / 1000.0 + 0.008) / 1.008 * G_PI / 2),
                   b = cos (((t - 1) / 1000.0 + 0.008) / 1.008 * G_PI / 2);

      linear[t - 1] = product[0] *= 1 - (1e-4 * (1 - share) + 0.02 * share);
      scaled[t - 1] = product[1] *= 1 - pow (sqrt (0.00085) * (1 - share) + sqrt (0.012) * share, 2);
      cosine[t - 1] = product[2] *= 1 - fmin (1 - (a * a) / (b * b), 0.999);
    }
  for (int t = 0; t < T; t++)
    zero[t] = pow (
        (sqrt (scaled[t]) - sqrt (scaled[T - 1])) * sqrt (scaled[0]) / (sqrt (scaled[0]) - sqrt (scaled[T - 1])), 2);
  zero[T - 1] = pow (2, -24);
  check_table ("ddpm-linear", linear, 1e-9);
  check_table ("ddpm-scaled-linear", scaled, 1e-9);
  check_table ("ddpm-cosine", cosine, 1e-9);
  check_table ("ddpm-zero-snr", zero, 1e-9);
  /* as published: σ of Stable Diffusion runs from 0.0292 to 14.6146, that of zero terminal SNR to 4096 */
  assert_close ("scaled-linear", 0, sumi_process_find ("ddpm-scaled-linear", NULL)->sigma (0), 0.0292, 2e-3);
  assert_close ("scaled-linear", T - 1, sumi_process_find ("ddpm-scaled-linear", NULL)->sigma (T - 1), 14.6146, 1e-5);
  assert_close ("zero-snr", T - 1, sumi_process_find ("ddpm-zero-snr", NULL)->sigma (T - 1), 4096, 1e-6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (int i = 0; sumi_processes ()[i]; i++)
    {
      g_autofree char *path = g_strdup_printf ("/process/%s/identities", sumi_processes ()[i]->key);

      g_test_add_data_func (path, sumi_processes ()[i], test_identities);
    }
  g_test_add_func ("/process/marginals", test_marginals);
  g_test_add_func ("/process/subvp/variance", test_subvp_variance);
  g_test_add_func ("/process/tables", test_tables);
  return g_test_run ();
}
