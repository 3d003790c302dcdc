/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/diffusion/reading.h"

#include <math.h>
#include <string.h>

#include "core/base/random.h"
#include "core/diffusion/loop.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

/* ---- what the rules read ------------------------------------------------- */

void
reading_noise (int step, int draw, int number, double *z)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  SumiTensor *t = sumi_eval_tensor_of (ev, SUMI_DTYPE_F64, 4, (const int[]){ READING_COUNT, 1, 1, 1 });
  const guint64 seed = number ? sumi_random_hash (RUN_SEED, 0, (guint64) number) : RUN_SEED;

  sumi_noise_fill (ev, t, seed, (guint32) ((step + 1) * 64 + draw), 0, 0);
  memcpy (z, t->data, sizeof (double) * READING_COUNT);
}

/* D of one value of x at σ. */
double
reading_denoised (const Paper *p, double x, double sigma)
{
  double d;

  sumi_exact_denoise (p->data, &x, sigma, &d);
  return d;
}

/* x̂0, ε and score of X at level i. */
double
reading_x0 (const Paper *p, int i, double x)
{
  return reading_denoised (p, x / p->alpha[i], p->sigma[i]);
}

double
reading_eps (const Paper *p, int i, double x)
{
  return (x - p->alpha[i] * reading_x0 (p, i, x)) / (p->alpha[i] * p->sigma[i]);
}

double
reading_score (const Paper *p, int i, double x)
{
  return -reading_eps (p, i, x) / (p->alpha[i] * p->sigma[i]);
}

void
reading_finish (Paper *p)
{
  for (int k = 0; k < READING_COUNT; k++)
    p->x[k] = reading_x0 (p, p->n - 1, p->x[k]);
}

/* ---- grids --------------------------------------------------------------- */

static void
add_level (Paper *p, int i, double time, double alpha, double sigma)
{
  p->time[i] = time;
  p->alpha[i] = alpha;
  p->sigma[i] = sigma;
}

/* ᾱ of DDPM's linear table. */
double
reading_alpha_bar (int t)
{
  double product = 1;

  for (int i = 0; i <= t; i++)
    product *= 1 - (1e-4 + (0.02 - 1e-4) * i / 999);
  return product;
}

void
reading_table (Paper *p)
{
  for (int i = 0; i < p->n; i++)
    {
      const int t = 999 - i * 999 / (p->n - 1);
      const double bar = reading_alpha_bar (t);

      add_level (p, i, t, sqrt (bar), sqrt ((1 - bar) / bar));
    }
}

/* β of the VP SDE and its integral. */
double
reading_beta (double t)
{
  return 0.1 + 19.9 * t;
}

double
reading_beta_integral (double t)
{
  return 0.1 * t + 19.9 * t * t / 2;
}

static double
even_time (const Paper *p, int i)
{
  return 1 + (1e-3 - 1) * i / (p->n - 1.0);
}

void
reading_vp (Paper *p)
{
  for (int i = 0; i < p->n; i++)
    {
      const double t = even_time (p, i), alpha = exp (-reading_beta_integral (t) / 2);

      add_level (p, i, t, alpha, sqrt (1 - exp (-reading_beta_integral (t))) / alpha);
    }
}

void
reading_subvp (Paper *p)
{
  for (int i = 0; i < p->n; i++)
    {
      const double t = even_time (p, i), alpha = exp (-reading_beta_integral (t) / 2);

      add_level (p, i, t, alpha, (1 - exp (-reading_beta_integral (t))) / alpha);
    }
}

void
reading_ve (Paper *p)
{
  for (int i = 0; i < p->n; i++)
    add_level (p, i, even_time (p, i), 1, 0.01 * pow (50 / 0.01, even_time (p, i)));
}

void
reading_edm (Paper *p)
{
  for (int i = 0; i < p->n; i++)
    {
      const double sigma = run_karras (20, 0.01, i / (p->n - 1.0));

      add_level (p, i, sigma, 1, sigma);
    }
}

/* ---- the comparison ------------------------------------------------------ */

static double
difference (const double *got, const double *want)
{
  double scale = 0, most = 0;

  for (int k = 0; k < READING_COUNT; k++)
    scale += want[k] * want[k] / READING_COUNT;
  for (int k = 0; k < READING_COUNT; k++)
    most = fmax (most, fabs (got[k] - want[k]) / fmax (fabs (want[k]), 0.01 * sqrt (scale)));
  return most;
}

static void
test_reading (gconstpointer user_data)
{
  const Reading *reading = user_data;
  g_autoptr (SumiExact) data = sumi_exact_parse ("mixture:0.4,-0.7,0.3;0.6,0.8,0.2", NULL);

  for (int n = MAX (reading->least, 10); n <= READING_MOST; n *= 10)
    {
      g_autofree Paper *p = g_new0 (Paper, 1);
      double x[2][READING_COUNT], before[READING_COUNT], first[READING_COUNT];

      p->data = data;
      p->n = n;
      reading->fill (p);
      add_level (p, n, 0, 1, 0);
      reading_noise (-1, 0, 0, first);
      for (int k = 0; k < READING_COUNT; k++)
        {
          p->x[k] = p->alpha[0] * p->sigma[0] * first[k];
          x[0][k] = x[1][k] = p->sigma[0] * first[k];
        }
      for (int i = 0; i < n; i++)
        {
          for (int k = 0; k < READING_COUNT; k++)
            before[k] = p->x[k] / p->alpha[i];
          reading->step (p, i);
        }
      for (int i = 0; i < 2; i++)
        {
          Runner r = { reading->sampler,      reading->process, reading->settings,    p->sigma, n,
                       (SumiDenoiser *) data, .batch = TRUE,    .stop = i ? 0 : n - 1 };

          run_all (&r, x[i], READING_COUNT);
        }
      g_test_message ("%s %s %s, %d steps: before the last %.2g, at 0 %.2g", reading->sampler,
                      reading->settings ? reading->settings : "", reading->process ? reading->process : "", n,
                      difference (x[0], before), difference (x[1], p->x));
      g_assert_cmpfloat (difference (x[0], before), <, 1e-5);
      g_assert_cmpfloat (difference (x[1], p->x), <, 1e-5);
    }
}

int
reading_main (int argc, char **argv, const Reading *readings, int n)
{
  g_test_init (&argc, &argv, NULL);
  for (int i = 0; i < n; i++)
    {
      const Reading *r = &readings[i];
      g_autofree char *path = g_strdup_printf ("/reading/%s/%s %s", r->sampler, r->settings ? r->settings : "",
                                               r->process ? r->process : "");

      g_test_add_data_func (path, r, test_reading);
    }
  return g_test_run ();
}
