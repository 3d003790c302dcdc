/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sde-adaptive walks along one Brownian path whatever its steps: with finer tolerances its results, of the same seed,
 * converge value by value, and so do rejections leave no trace; they need more calls; and its steps land on the
 * schedule. */
#include <math.h>

#include "tests/diffusion/run.h"

#define COUNT 256

static const double sigmas[] = { 10, 1, 0.05, 0 };

/* Returns: the calls. */
static guint64
walk (const char *process, const char *settings, double *x, int stop)
{
  g_autoptr (SumiExact) data = sumi_exact_parse ("mixture:0.4,-0.7,0.3;0.6,0.8,0.2", NULL);
  Runner r = { "sde-adaptive", process, settings, sigmas, 3, &data->denoiser, .stop = stop };

  for (int i = 0; i < COUNT; i++)
    x[i] = 10 * sin (i);
  run_all (&r, x, COUNT);
  return r.n_denoise;
}

static void
test_path (gconstpointer user_data)
{
  static const char *const settings[] = {
    "rtol=0, atol=0.05",
    "rtol=0, atol=0.01",
    "rtol=0, atol=0.002",
    "rtol=0, atol=0.0001",
  };
  const char *process = user_data;
  double x[4][COUNT], error[3];
  guint64 calls[4];

  for (int i = 0; i < 4; i++)
    calls[i] = walk (process, settings[i], x[i], 2);
  for (int i = 0; i < 3; i++)
    {
      error[i] = 0;
      for (int k = 0; k < COUNT; k++)
        error[i] += fabs (x[i][k] - x[3][k]) / COUNT;
      g_test_message ("%s, %s: %u calls, differs from the finest (%u calls) by %.4f", process, settings[i],
                      (unsigned) calls[i], (unsigned) calls[3], error[i]);
    }
  for (int i = 0; i < 3; i++)
    g_assert_cmpint (calls[i], <, calls[i + 1]);
  g_assert_cmpfloat (error[1], <, error[0]);
  g_assert_cmpfloat (error[2], <, 0.75 * error[1]);
  g_assert_cmpfloat (error[2], <, 0.01); /* the data's own width is 0.8; what is not one path differs by 0.02 */
}

int
main (int argc, char **argv)
{
  static const char *const processes[] = { "edm", "vp", "ve" };

  g_test_init (&argc, &argv, NULL);
  for (int i = 0; i < 3; i++)
    {
      g_autofree char *path = g_strdup_printf ("/adaptive/path/%s", processes[i]);

      g_test_add_data_func (path, processes[i], test_path);
    }
  return g_test_run ();
}
