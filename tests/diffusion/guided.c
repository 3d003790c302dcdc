/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/diffusion/guided.h"

#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/ops/ops.h"

SumiExact *
guided_plane (void)
{
  static const double weight[] = { 0.5, 0.2, 0.3 }, std[] = { 0.4, 0.25, 0.6 };
  static const double mean[] = { -1, 0.3, 0.8, 1, 0.5, -1.2 };
  SumiExact *exact = sumi_exact_new (3, 2);

  memcpy (exact->weight, weight, sizeof weight);
  memcpy (exact->std, std, sizeof std);
  memcpy (exact->mean, mean, sizeof mean);
  return exact;
}

SumiExact *
guided_gaussian (double mean, double std)
{
  SumiExact *exact = sumi_exact_new (1, 1);

  exact->weight[0] = 1;
  exact->mean[0] = mean;
  exact->std[0] = std;
  return exact;
}

SumiTensor *
guided_noise (SumiArena *arena, SumiEval *ev, int dtype, int n, int height, int width, int channels, double sigma)
{
  SumiTensor *x = sumi_tensor_new (arena, dtype, 4, (const int[]){ n, height, width, channels });

  sumi_noise_fill (ev, x, 11, 1, 0, 0);
  for (gsize i = 0; i < sumi_tensor_count (x); i++)
    sumi_tensor_put (x, i, sigma * sumi_tensor_get (x, i));
  return x;
}

SumiGuidance *
guided_new (const char *key, const char *settings, const SumiGuidanceParts *parts)
{
  g_autoptr (GError) error = NULL;
  g_auto (SumiPlan) plan = { NULL };
  const SumiPlanNames names = { .sampler = "euler", .schedule = "karras", .guidance = key, .settings = settings };
  SumiGuidance *guidance = NULL;

  sumi_plan_init (&plan, &names, &names, &error);
  g_assert_no_error (error);
  sumi_plan_guide (&plan, parts, "the test", &guidance, &error);
  g_assert_no_error (error);
  /* options outlive the plan */
  for (SumiGuidance *g = guidance; g; g = g->inside)
    for (int i = 0; i < plan.n_guidances; i++)
      if (plan.guidances[i] == g->klass)
        {
          g->defaults = g_steal_pointer (&plan.guidance_options[i]);
          g->options = g->defaults;
        }
  return guidance;
}

/* ∂/∂x_c of Σ w_i·ln p_i at one sample, by central differences. */
static double
slope (int n, SumiExact *const *exact, const double *w, const double *x, double sigma, int c)
{
  const double h = 1e-4 * (1 + sigma);
  double at[4], sum = 0;

  memcpy (at, x, sizeof (double) * (gsize) exact[0]->dims);
  for (int i = 0; i < n; i++)
    {
      at[c] = x[c] + h;
      sum += w[i] * sumi_exact_log_density (exact[i], at, sigma);
      at[c] = x[c] - h;
      sum -= w[i] * sumi_exact_log_density (exact[i], at, sigma);
    }
  return sum / (2 * h);
}

void
guided_check_score (SumiDenoiser *d, int n, SumiExact *const *exact, const double *w)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();

  for (double sigma = 0.05; sigma < 100; sigma *= 4)
    {
      SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 3, 2, 5, exact[0]->dims, sqrt (1 + sigma * sigma));
      SumiTensor *x0 = sumi_denoise (d, ev, x, sigma);
      const double *at = x->data;

      g_assert_no_error (ev->error);
      for (gsize i = 0; i < sumi_tensor_count (x); i++)
        {
          const gsize c = i % (gsize) exact[0]->dims;
          const double push = sigma * sigma * slope (n, exact, w, at + i - c, sigma, (int) c);

          g_assert_cmpfloat_with_epsilon (sumi_tensor_get (x0, i), at[i] + push, 1e-5 * (1 + fabs (at[i]) + sigma));
        }
    }
}

void
guided_assert_same (const SumiTensor *a, const SumiTensor *b)
{
  g_assert_true (sumi_tensor_same_shape (a, b) && a->dtype == b->dtype);
  g_assert_cmpmem (a->data, sumi_tensor_count (a) * sumi_dtype_size (a->dtype), b->data,
                   sumi_tensor_count (b) * sumi_dtype_size (b->dtype));
}

double
guided_difference (const SumiTensor *a, const SumiTensor *b)
{
  double most = 0;

  g_assert_true (sumi_tensor_same_shape (a, b));
  for (gsize i = 0; i < sumi_tensor_count (a); i++)
    most = MAX (most, fabs (sumi_tensor_get (a, i) - sumi_tensor_get (b, i)));
  return most;
}

double
guided_std (const SumiTensor *a, int n)
{
  const gsize size = sumi_tensor_count (a) / (gsize) a->shape[0];
  double mean = 0, square = 0;

  for (gsize i = 0; i < size; i++)
    mean += sumi_tensor_get (a, (gsize) n * size + i) / (double) size;
  for (gsize i = 0; i < size; i++)
    square += pow (sumi_tensor_get (a, (gsize) n * size + i) - mean, 2) / (double) size;
  return sqrt (square);
}

static SumiTensor *
echo_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  return sumi_lincomb (ev, 1, x, 0, NULL, 0, NULL, NULL);
}

SumiDenoiser guided_echo = { .denoise = echo_denoise };
