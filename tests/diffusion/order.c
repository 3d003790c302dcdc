/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every sampler of the registry that has an order shows it: log2 of the errors of N and 2N steps. The data are a
 * Gaussian, whose ODE has the solution x(σ) = μ + (x(σ1) − μ)·√((s² + σ²)/(s² + σ1²)), and a mixture, where classical
 * Runge–Kutta with very many steps in ln σ is the truth.
 *
 * The list is Karras' with u³ for u: it is smooth, and its first steps are so small (N⁻³) that the lower orders which
 * multistep methods begin with add nothing; it ends in 0, as lists do, and the error is measured at the σ before, as
 * what follows, D, is not a step of the ODE's. */
#include <math.h>

#include "core/diffusion/sampler.h"
#include "tests/diffusion/run.h"

#define TOP    10.0
#define BOTTOM 0.1

static double
slope (const SumiExact *data, double x, double log_sigma)
{
  const double sigma = exp (log_sigma);
  double d;

  sumi_exact_denoise (data, &x, sigma, &d);
  return x - d; /* dx/dσ·σ */
}

static double
truth (const SumiExact *data, double x)
{
  const int n = 4000;
  const double h = log (BOTTOM / TOP) / n;

  if (data->n == 1)
    {
      const double v = data->std[0] * data->std[0];

      return data->mean[0] + (x - data->mean[0]) * sqrt ((v + BOTTOM * BOTTOM) / (v + TOP * TOP));
    }
  for (int i = 0; i < n; i++)
    {
      const double t = log (TOP) + h * i;
      const double k1 = slope (data, x, t), k2 = slope (data, x + h / 2 * k1, t + h / 2);
      const double k3 = slope (data, x + h / 2 * k2, t + h / 2), k4 = slope (data, x + h * k3, t + h);

      x += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    }
  return x;
}

typedef struct
{
  const char *sampler, *settings, *process, *list;
  int order;
} Case;

/* Those whose order another setting or list changes; the rows of the registry come by themselves. */
static const Case more[] = {
  { "lms", "order=3", NULL, NULL, 3 },
  { "lms", "order=2", NULL, NULL, 2 },
  { "lms", "order=1", NULL, NULL, 1 },
  { "dpm-solver-2", "r1=0.3", NULL, NULL, 2 },
  { "dpmpp-3m", "strict=yes", NULL, NULL, 3 },
  { "ipndm", "order=1", NULL, NULL, 1 },
  { "unipc", "order=1", NULL, NULL, 2 },
  { "unipc", "order=1, variant=bh1", NULL, NULL, 2 },
  { "unipc", "variant=bh1", NULL, NULL, 3 },
  { "unipc", "order=3", NULL, NULL, 3 }, /* 4 but for the last steps, which are of lower order */
  { "deis", "order=0", "vp", NULL, 1 },
  { "deis", "order=1", "vp", NULL, 2 },
  { "deis", "order=2", "vp", NULL, 3 },
  { "deis", "order=3", "vp", NULL, 4 },
  { "deis", "space=log-sigma", NULL, NULL, 4 },
  { "pndm", NULL, "edm", "equal", 4 },
  { "pndm", NULL, "vp", NULL, 2 },
};

static double
error_of (const Case *c, const SumiExact *data, int n)
{
  g_autofree double *sigmas = g_new0 (double, n + 1);
  double x[RUN_STARTS], sum = 0;
  Runner r = { c->sampler, c->process, c->settings, sigmas, n, (SumiDenoiser *) &data->denoiser, .stop = n - 1 };

  for (int i = 0; i < n; i++)
    {
      const double u = i / (n - 1.0);

      sigmas[i] = c->list ? TOP + (BOTTOM - TOP) * u : run_karras (TOP, BOTTOM, u * u * u);
    }
  for (int i = 0; i < RUN_STARTS; i++)
    x[i] = TOP * run_starts[i];
  run_all (&r, x, RUN_STARTS);
  for (int i = 0; i < RUN_STARTS; i++)
    {
      const double e = x[i] - truth (data, TOP * run_starts[i]);

      sum += e * e;
    }
  return sqrt (sum / RUN_STARTS);
}

static void
test_order (gconstpointer user_data)
{
  /* for order 5 data whose errors show it before they are rounding */
  static const char *const all[2][2] = { { "gaussian:0.3,0.8", "mixture:0.6,-1,0.6;0.4,0.9,0.5" },
                                         { "gaussian:0.3,0.5", "mixture:0.6,-1,0.5;0.4,0.9,0.7" } };
  const Case *c = user_data;
  const char *const *data = all[c->order == 5];

  for (int k = 0; k < 2; k++)
    {
      g_autoptr (SumiExact) exact = sumi_exact_parse (data[k], NULL);
      const int first = c->list && c->order < 5 ? 641 : 81; /* equal steps are few where σ is small */
      double last = 0, e[4];

      for (int i = 0; i < 4; i++)
        e[i] = error_of (c, exact, first << i);
      for (int i = 1; i < 4; i++)
        g_test_message ("%s, %s: %d to %d steps, error %.3g, order %.3f", c->sampler, data[k], first << (i - 1),
                        first << i, e[i], last = log2 (e[i - 1] / e[i]));
      g_assert_cmpfloat (fabs (last - c->order), <, 0.15);
    }
}

static void
add (const Case *c)
{
  g_autofree char *path =
      g_strdup_printf ("/order/%s%s%s%s%s", c->sampler, c->settings ? "/" : "", c->settings ? c->settings : "",
                       c->process ? "/" : "", c->process ? c->process : "");

  g_test_add_data_func (path, c, test_order);
}

int
main (int argc, char **argv)
{
  g_autofree Case *rows = NULL;
  int n = 0;

  g_test_init (&argc, &argv, NULL);
  while (sumi_samplers ()[n])
    n++;
  rows = g_new0 (Case, n);
  for (int i = 0; i < n; i++)
    {
      rows[i].sampler = sumi_samplers ()[i]->key;
      rows[i].order = sumi_samplers ()[i]->order;
      if (sumi_samplers ()[i]->calls == 0)
        {
          rows[i].settings = "rtol=1, atol=1"; /* the list's steps, not the tolerance's */
          rows[i].list = "equal";              /* larger errors: others are rounding before they show an order */
        }
      if (rows[i].order > 0)
        add (&rows[i]);
    }
  for (int i = 0; i < (int) G_N_ELEMENTS (more); i++)
    add (&more[i]);
  return g_test_run ();
}
