/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Likelihood by the probability-flow ODE against the closed form: within 1e-3 bits of the density of the blurred data,
 * x0 + σ_min·noise, in one dimension, where one probe is exact, and in three, by the exact trace; and of the data
 * themselves, where σ_min is small. */
#include "core/diffusion/likelihood.h"

#include <glib/gstdio.h>
#include <math.h>

#include "core/base/arena.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"
#include "tests/diffusion/run.h"

#define SIGMA_MIN 0.001

static double
bits_of (SumiExact *data, const double *x, int n, SumiLikelihood how, gboolean f32)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (GError) error = NULL;
  SumiTensor *t = sumi_tensor_new (arena, f32 ? SUMI_DTYPE_F32 : SUMI_DTYPE_F64, 4, (const int[]){ 1, 1, 1, n });
  double bits = NAN;

  how.sigma_min = SIGMA_MIN;
  how.sigma_max = 80;
  for (int i = 0; i < n; i++)
    sumi_tensor_put (t, (gsize) i, x[i]);
  sumi_likelihood_bits (&data->denoiser, ev, t, &how, NULL, &bits, &error);
  g_assert_no_error (error);
  return bits;
}

static void
test_one (gconstpointer name)
{
  g_autoptr (SumiExact) data = sumi_exact_parse (name, NULL);
  const SumiLikelihood ways[] = { { .n_probes = 1 }, { .n_probes = 0 }, { .n_probes = 3, .seed = 5 } };
  double worst = 0, worst_sharp = 0, worst_f32 = 0;

  for (int k = 0; k < (int) G_N_ELEMENTS (ways); k++)
    for (double x = -3; x < 3; x += 0.37)
      {
        const double bits = bits_of (data, &x, 1, ways[k], FALSE);

        worst = MAX (worst, fabs (bits + sumi_exact_log_density (data, &x, SIGMA_MIN) / G_LN2));
        worst_sharp = MAX (worst_sharp, fabs (bits + sumi_exact_log_density (data, &x, 0) / G_LN2));
        if (k == 0)
          worst_f32 = MAX (worst_f32, fabs (bits - bits_of (data, &x, 1, ways[k], TRUE)));
      }
  g_test_message ("%s: off by %.2g bits, %.2g of the data without noise; f32 by %.2g", (const char *) name, worst,
                  worst_sharp, worst_f32);
  g_assert_cmpfloat (worst, <, 1e-3);
  g_assert_cmpfloat (worst_sharp, <, 1e-3);
  g_assert_cmpfloat (worst_f32, <, 1e-3);
}

/* A mixture of two in three dimensions, as points with a width. */
static void
test_three (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "sumi-likelihood-XXXXXX", NULL);
  g_autofree char *text = NULL;
  g_autoptr (SumiExact) data = NULL;
  const double x[] = { 0.4, -0.8, 0.3 };
  const int file = g_mkstemp (path);
  double exact, one = 0, many = 0, bits;

  g_assert_cmpint (file, >=, 0);
  g_close (file, NULL);
  g_assert_true (g_file_set_contents (path, "0.5 -1 0.2\n-0.6 0.7 0.1\n", -1, NULL));
  text = g_strconcat ("points:", path, NULL);
  data = sumi_exact_parse (text, NULL);
  g_assert_nonnull (data);
  data->std[0] = 0.6;
  data->std[1] = 0.4;
  exact = -sumi_exact_log_density (data, x, SIGMA_MIN) / (3 * G_LN2);
  bits = bits_of (data, x, 3, (SumiLikelihood){ 0 }, FALSE);
  for (int i = 0; i < 40; i++)
    {
      const SumiLikelihood how = { .n_probes = 1, .seed = (guint64) i };

      many += bits_of (data, x, 3, how, FALSE) / 40;
    }
  one = bits_of (data, x, 3, (SumiLikelihood){ .n_probes = 1 }, FALSE);
  g_test_message ("three dimensions: exact %.5f, with the exact trace %.5f, one probe %.5f, mean of 40 %.5f", exact,
                  bits, one, many);
  g_assert_cmpfloat (fabs (bits - exact), <, 1e-3);
  g_assert_cmpfloat (fabs (many - exact), <, 0.05);
  g_unlink (path);
}

/* Published figures' prior is off by the data's mean and width, which σ_max must drown. */
static void
test_plain_prior (void)
{
  g_autoptr (SumiExact) data = sumi_exact_parse ("gaussian:0,0.5", NULL);
  const double x = 0.4;
  const double bits = bits_of (data, &x, 1, (SumiLikelihood){ .n_probes = 1, .plain_prior = TRUE }, FALSE);

  g_assert_cmpfloat (fabs (bits + sumi_exact_log_density (data, &x, SIGMA_MIN) / G_LN2), <, 1e-3);
}

static SumiTensor *
no_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  return x;
}

static void
test_errors (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiExact) data = sumi_exact_parse ("gaussian:0,0.5", NULL);
  g_autoptr (GError) error = NULL;
  SumiDenoiser none = { .denoise = no_denoise };
  SumiTensor *t = sumi_tensor_new (arena, SUMI_DTYPE_F64, 4, (const int[]){ 1, 100, 100, 1 });
  const SumiLikelihood how = { 0.01, 80 };
  double bits = 7;

  g_assert_false (sumi_likelihood_bits (&none, ev, t, &how, NULL, &bits, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_false (sumi_likelihood_bits (&data->denoiser, ev, t, &how, NULL, &bits, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED);
  g_assert_cmpfloat (bits, ==, 7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/likelihood/gaussian", "gaussian:0.3,0.5", test_one);
  g_test_add_data_func ("/likelihood/wide", "gaussian:-2,3", test_one);
  g_test_add_data_func ("/likelihood/mixture", "mixture:0.6,-1,0.3;0.4,0.9,0.5", test_one);
  g_test_add_func ("/likelihood/three", test_three);
  g_test_add_func ("/likelihood/plain-prior", test_plain_prior);
  g_test_add_func ("/likelihood/errors", test_errors);
  return g_test_run ();
}
