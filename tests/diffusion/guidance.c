/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guidance against theory: exact denoisers of mixtures and of their parts. Scores are compared with differences of
 * exact log densities, statistics with plain sorting and summing. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/diffusion/samplewise.h"
#include "core/ops/ops.h"
#include "core/sumi.h"

/* ---- what all tests use -------------------------------------------------- */

/* Three parts in the plane. */
static SumiExact *
plane (void)
{
  static const double weight[] = { 0.5, 0.2, 0.3 }, std[] = { 0.4, 0.25, 0.6 };
  static const double mean[] = { -1, 0.3, 0.8, 1, 0.5, -1.2 };
  SumiExact *exact = sumi_exact_new (3, 2);

  memcpy (exact->weight, weight, sizeof weight);
  memcpy (exact->std, std, sizeof std);
  memcpy (exact->mean, mean, sizeof mean);
  return exact;
}

static SumiExact *
gaussian (double mean, double std)
{
  SumiExact *exact = sumi_exact_new (1, 1);

  exact->weight[0] = 1;
  exact->mean[0] = mean;
  exact->std[0] = std;
  return exact;
}

static SumiTensor *
noise (SumiArena *arena, SumiEval *ev, int dtype, int n, int height, int width, int channels, double sigma)
{
  SumiTensor *x = sumi_tensor_new (arena, dtype, 4, (const int[]){ n, height, width, channels });

  sumi_noise_fill (ev, x, 11, 1, 0, 0);
  for (gsize i = 0; i < sumi_tensor_count (x); i++)
    sumi_tensor_put (x, i, sigma * sumi_tensor_get (x, i));
  return x;
}

/* A guidance as users make it, by a plan. */
static SumiGuidance *
guide (const char *key, const char *settings, const SumiGuidanceParts *parts)
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

/* D must be x + σ²·∇ Σ w_i·ln p_i. */
static void
check_score (SumiDenoiser *d, int n, SumiExact *const *exact, const double *w)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();

  for (double sigma = 0.05; sigma < 100; sigma *= 4)
    {
      SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 3, 2, 5, exact[0]->dims, sqrt (1 + sigma * sigma));
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

static void
assert_same (const SumiTensor *a, const SumiTensor *b)
{
  g_assert_true (sumi_tensor_same_shape (a, b) && a->dtype == b->dtype);
  g_assert_cmpmem (a->data, sumi_tensor_count (a) * sumi_dtype_size (a->dtype), b->data,
                   sumi_tensor_count (b) * sumi_dtype_size (b->dtype));
}

static double
greatest_difference (const SumiTensor *a, const SumiTensor *b)
{
  double most = 0;

  g_assert_true (sumi_tensor_same_shape (a, b));
  for (gsize i = 0; i < sumi_tensor_count (a); i++)
    most = MAX (most, fabs (sumi_tensor_get (a, i) - sumi_tensor_get (b, i)));
  return most;
}

/* ---- classifier-free ----------------------------------------------------- */

static void
test_cfg_ends (void)
{
  for (int dtype = 0; dtype < 2; dtype++)
    {
      g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
      g_autoptr (SumiArena) arena = sumi_arena_new ();
      g_autoptr (SumiExact) all = plane ();
      g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "2", NULL);
      g_autoptr (SumiGuidance) one = guide ("cfg", "cfg-scale=1", &conditions->parts);
      g_autoptr (SumiGuidance) none = guide ("cfg", "cfg-scale=0", &conditions->parts);
      SumiTensor *x = noise (arena, ev, dtype ? SUMI_DTYPE_F64 : SUMI_DTYPE_F32, 1, 4, 4, 2, 2);

      assert_same (sumi_denoise (&one->denoiser, ev, x, 1.5), sumi_denoise (conditions->conditions[0], ev, x, 1.5));
      g_assert_cmpint (ev->n_denoise, ==, 2);
      assert_same (sumi_denoise (&none->denoiser, ev, x, 1.5), sumi_denoise (&all->denoiser, ev, x, 1.5));
      g_assert_cmpint (ev->n_denoise, ==, 4);
    }
}

static void
test_cfg_score (void)
{
  g_autoptr (SumiExact) all = plane ();
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "1+3", NULL);
  SumiExact *const exact[] = { all, conditions->given[0] };

  for (double w = -1; w < 9; w += 2.5)
    {
      g_autofree char *settings = g_strdup_printf ("cfg-scale=%g", w);
      g_autoptr (SumiGuidance) cfg = guide ("cfg", settings, &conditions->parts);

      check_score (&cfg->denoiser, 2, exact, (const double[]){ 1 - w, w });
    }
}

static void
test_cfg_interval (void)
{
  static const double sigmas[] = { 10, 5, 2, 1, 0.3, 0 };
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = plane ();
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "2", NULL);
  g_autoptr (SumiGuidance) cfg = guide ("cfg", "cfg-low=1, cfg-high=5, cfg-scale=4", &conditions->parts);
  SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 2, 2, 10);
  SumiLoop loop = {
    .denoiser = &cfg->denoiser, .sampler = sumi_sampler_find ("euler", NULL), .sigmas = sigmas, .n_steps = 5
  };

  for (int i = 0; i < 5; i++)
    {
      const gboolean inside = sigmas[i] > 1 && sigmas[i] <= 5;

      ev->n_denoise = 0;
      sumi_denoise (&cfg->denoiser, ev, x, sigmas[i]);
      g_assert_cmpint (ev->n_denoise, ==, inside ? 2 : 1);
      if (! inside)
        assert_same (sumi_denoise (&cfg->denoiser, ev, x, sigmas[i]),
                     sumi_denoise (conditions->conditions[0], ev, x, sigmas[i]));
    }
  ev->n_denoise = 0;
  g_assert_true (sumi_loop_run (&loop, ev, x, 0, NULL, NULL));
  g_assert_cmpint (ev->n_denoise, ==, 7);
}

static double
plain_std (const SumiTensor *a, int n)
{
  const gsize size = sumi_tensor_count (a) / (gsize) a->shape[0];
  double mean = 0, square = 0;

  for (gsize i = 0; i < size; i++)
    mean += sumi_tensor_get (a, (gsize) n * size + i) / (double) size;
  for (gsize i = 0; i < size; i++)
    square += pow (sumi_tensor_get (a, (gsize) n * size + i) - mean, 2) / (double) size;
  return sqrt (square);
}

static void
test_cfg_rescale (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = plane ();
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "1+2", NULL);
  g_autoptr (SumiGuidance) plain = guide ("cfg", "cfg-scale=6", &conditions->parts);
  g_autoptr (SumiGuidance) part = guide ("cfg", "cfg-scale=6, cfg-rescale=0.7", &conditions->parts);
  g_autoptr (SumiGuidance) full = guide ("cfg", "cfg-scale=6, cfg-rescale=1", &conditions->parts);
  SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 3, 60, 41, 2, 1.5);
  SumiTensor *condition = sumi_denoise (conditions->conditions[0], ev, x, 0.8);
  SumiTensor *guided = sumi_denoise (&plain->denoiser, ev, x, 0.8);
  SumiTensor *p = sumi_denoise (&part->denoiser, ev, x, 0.8), *f = sumi_denoise (&full->denoiser, ev, x, 0.8);

  g_assert_nonnull (plain->denoiser.vjp);
  g_assert_null (part->denoiser.vjp);
  for (int n = 0; n < 3; n++)
    {
      const double want = plain_std (condition, n), had = plain_std (guided, n);
      const gsize i = (gsize) n * 60 * 41 * 2 + 77;

      g_assert_cmpfloat (had / want, >, 1.1);
      g_assert_cmpfloat_with_epsilon (plain_std (f, n), want, 1e-12);
      g_assert_cmpfloat_with_epsilon (plain_std (p, n), 0.7 * want + 0.3 * had, 1e-12);
      g_assert_cmpfloat_with_epsilon (sumi_tensor_get (f, i), sumi_tensor_get (guided, i) * want / had, 1e-12);
    }
  {
    /* a single value has no deviation to bring back */
    g_autoptr (SumiExact) wide = gaussian (0, 2), narrow = gaussian (1, 0.5);
    SumiDenoiser *const one[] = { &narrow->denoiser };
    const SumiGuidanceParts parts = { .base = &wide->denoiser, .n = 1, .conditions = one };
    g_autoptr (SumiGuidance) single = guide ("cfg", "cfg-rescale=1", &parts);

    x = noise (arena, ev, SUMI_DTYPE_F64, 4, 1, 1, 1, 1);
    g_assert_true (isfinite (sumi_tensor_get (sumi_denoise (&single->denoiser, ev, x, 1), 3)));
  }
}

/* ---- composition --------------------------------------------------------- */

static void
test_compose_score (void)
{
  g_autoptr (SumiExact) all = plane ();
  g_autoptr (SumiExactConditions) both = sumi_exact_conditions_parse (all, "1:0.8 2:1.3", NULL);
  g_autoptr (SumiExactConditions) negated = sumi_exact_conditions_parse (all, "1+2, 2:-0.5", NULL);
  g_autoptr (SumiGuidance) compose = guide ("compose", NULL, &both->parts);
  g_autoptr (SumiGuidance) without = guide ("compose", "compose-scale=2", &negated->parts);
  SumiExact *const exact[] = { all, both->given[0], both->given[1] };
  SumiExact *const others[] = { all, negated->given[0], negated->given[1] };

  check_score (&compose->denoiser, 3, exact, (const double[]){ 1 - 2.1, 0.8, 1.3 });
  check_score (&without->denoiser, 3, others, (const double[]){ 1 - 2 * 0.5, 2, -1 });
}

/* Σ w = 1 is a product of experts: the base is not asked. */
static void
test_compose_experts (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = plane ();
  g_autoptr (SumiExactConditions) experts = sumi_exact_conditions_parse (all, "1:0.25 2:0.75", NULL);
  g_autoptr (SumiGuidance) compose = guide ("compose", NULL, &experts->parts);
  SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 2, 2, 2), *x0 = sumi_denoise (&compose->denoiser, ev, x, 1);
  SumiTensor *a = sumi_denoise (experts->conditions[0], ev, x, 1), *b = sumi_denoise (experts->conditions[1], ev, x, 1);

  g_assert_cmpint (ev->n_denoise, ==, 4);
  g_assert_cmpfloat (greatest_difference (x0, sumi_lincomb (ev, 0.25, a, 0.75, b, 0, NULL, NULL)), <, 1e-14);
}

/* AND of two Gaussians under a wide one: the score at σ tends to that of the product, the error falls as σ². */
static void
test_compose_product (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) base = gaussian (0, 3), a = gaussian (-0.4, 0.5), b = gaussian (0.9, 0.8);
  SumiDenoiser *const conditions[] = { &a->denoiser, &b->denoiser };
  const SumiGuidanceParts parts = { .base = &base->denoiser, .n = 2, .conditions = conditions };
  g_autoptr (SumiGuidance) compose = guide ("compose", NULL, &parts);
  const double precision = 1 / 0.25 + 1 / 0.64 - 1 / 9.0, mean = (-0.4 / 0.25 + 0.9 / 0.64) / precision;
  double errors[3];

  for (int k = 0; k < 3; k++)
    {
      const double sigma = 0.05 / (1 << k);
      SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 1, 1, 1, 1, 1.0);
      const double at = sumi_tensor_get (x, 0);
      const double d = sumi_tensor_get (sumi_denoise (&compose->denoiser, ev, x, sigma), 0);
      const double exact = -(at - mean) / (1 / precision + sigma * sigma);

      errors[k] = fabs ((d - at) / (sigma * sigma) - exact);
    }
  g_test_message ("score of AND against the product's: off by %.3g at σ = 0.05, %.3g at 0.025", errors[0], errors[1]);
  g_assert_cmpfloat (fabs (log2 (errors[0] / errors[1]) - 2), <, 0.1);
  g_assert_cmpfloat (fabs (log2 (errors[1] / errors[2]) - 2), <, 0.1);
}

/* ---- perpendicular negative ---------------------------------------------- */

static void
test_perp_neg (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = plane ();
  g_autoptr (SumiExactConditions) both = sumi_exact_conditions_parse (all, "1, 2:-0.7, 3:-0.4", NULL);
  g_autoptr (SumiExactConditions) wanted = sumi_exact_conditions_parse (all, "1", NULL);
  g_autoptr (SumiGuidance) perp = guide ("perp-neg", "perp-neg-scale=2.5", &both->parts);
  g_autoptr (SumiGuidance) only = guide ("perp-neg", "perp-neg-scale=2.5", &wanted->parts);
  g_autoptr (SumiGuidance) cfg = guide ("cfg", "cfg-scale=2.5", &wanted->parts);
  SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 4, 3, 5, 2, 1.5);
  SumiTensor *base = sumi_denoise (&all->denoiser, ev, x, 0.9), *d[3];
  SumiTensor *with = sumi_denoise (&perp->denoiser, ev, x, 0.9);
  SumiTensor *without = sumi_denoise (&only->denoiser, ev, x, 0.9);

  g_assert_cmpfloat (greatest_difference (without, sumi_denoise (&cfg->denoiser, ev, x, 0.9)), <, 1e-13);
  for (int i = 0; i < 3; i++)
    d[i] = sumi_lincomb (ev, 1, sumi_denoise (both->conditions[i], ev, x, 0.9), -1, base, 0, NULL, NULL);
  for (gsize n = 0; n < 4; n++)
    {
      double along = 0, added = 0, length = 0, dots[3] = { 0 };

      for (gsize i = n * 30; i < (n + 1) * 30; i++)
        for (int k = 0; k < 3; k++)
          dots[k] += sumi_tensor_get (d[k], i) * sumi_tensor_get (d[0], i);
      length = dots[0];
      for (gsize i = n * 30; i < (n + 1) * 30; i++)
        {
          const double plus = sumi_tensor_get (with, i) - sumi_tensor_get (without, i);
          const double want = -0.7 * (sumi_tensor_get (d[1], i) - dots[1] / length * sumi_tensor_get (d[0], i)) -
                              0.4 * (sumi_tensor_get (d[2], i) - dots[2] / length * sumi_tensor_get (d[0], i));

          g_assert_cmpfloat_with_epsilon (plus, 2.5 * want, 1e-12);
          along += plus * sumi_tensor_get (d[0], i);
          added += plus * plus;
        }
      g_assert_cmpfloat (added, >, 1e-2);
      g_assert_cmpfloat (fabs (along), <, 1e-12 * sqrt (added * length));
    }
}

/* Nothing wanted in particular: all of the negative counts; one dimension: nothing of it does. */
static void
test_perp_neg_degenerate (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) base = gaussian (0, 1), a = gaussian (1, 0.5), b = gaussian (-1, 0.5);
  const double weights[] = { 1, -1 };
  SumiDenoiser *const conditions[] = { &a->denoiser, &b->denoiser };
  SumiDenoiser *const nothing[] = { &base->denoiser, &b->denoiser };
  SumiGuidanceParts parts = { .base = &base->denoiser, .n = 2, .conditions = conditions, .weights = weights };
  g_autoptr (SumiGuidance) line = guide ("perp-neg", "perp-neg-scale=2", &parts);
  g_autoptr (SumiGuidance) cfg = NULL, empty = NULL;
  SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 5, 1, 1, 1, 1);

  parts.n = 1;
  cfg = guide ("cfg", "cfg-scale=2", &parts);
  g_assert_cmpfloat (
      greatest_difference (sumi_denoise (&line->denoiser, ev, x, 1), sumi_denoise (&cfg->denoiser, ev, x, 1)), <,
      1e-14);
  parts.n = 2;
  parts.conditions = nothing;
  empty = guide ("perp-neg", "perp-neg-scale=2", &parts);
  g_assert_cmpfloat (greatest_difference (sumi_denoise (&empty->denoiser, ev, x, 1),
                                          sumi_lincomb (ev, 3, sumi_denoise (&base->denoiser, ev, x, 1), -2,
                                                        sumi_denoise (&b->denoiser, ev, x, 1), 0, NULL, NULL)),
                     <, 1e-14);
}

/* ---- thresholding -------------------------------------------------------- */

static SumiTensor *
echo_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  return sumi_lincomb (ev, 1, x, 0, NULL, 0, NULL, NULL);
}

static SumiDenoiser echo = { .denoise = echo_denoise };

static int
compare (gconstpointer a, gconstpointer b)
{
  return (*(const double *) a > *(const double *) b) - (*(const double *) a < *(const double *) b);
}

static double
sorted_quantile (const SumiTensor *a, int n, double middle, double q)
{
  const gsize size = sumi_tensor_count (a) / (gsize) a->shape[0];
  g_autofree double *all = g_new (double, size);
  const double at = q * (double) (size - 1);
  const gsize rank = (gsize) at;

  for (gsize i = 0; i < size; i++)
    all[i] = fabs (sumi_tensor_get (a, (gsize) n * size + i) - middle);
  qsort (all, size, sizeof *all, compare);
  return rank + 1 < size ? all[rank] + (at - (double) rank) * (all[rank + 1] - all[rank]) : all[rank];
}

static void
test_quantile (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();

  for (int dtype = 0; dtype < 2; dtype++)
    for (int size = 1; size < 3000; size = 2 * size + 1)
      for (double q = 0; q <= 1; q += 0.125)
        {
          SumiTensor *x = noise (arena, ev, dtype ? SUMI_DTYPE_F64 : SUMI_DTYPE_F32, 3, 1, size, 1, pow (10, q * 8));
          double got[3];

          for (gsize i = 0; i < (gsize) size; i += 3) /* many equal ones, and zeros */
            sumi_tensor_put (x, i, i % 2 ? 0 : -0.5);
          sumi_samples_quantile (ev, x, 0.25, q, got);
          for (int n = 0; n < 3; n++)
            g_assert_cmpfloat_with_epsilon (got[n], sorted_quantile (x, n, 0.25, q), 1e-15 * pow (10, q * 8));
        }
}

static void
test_threshold (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  const SumiGuidanceParts parts = { .base = &echo };
  g_autoptr (SumiGuidance) usual = guide ("dynamic-threshold", "threshold-share=0.9", &parts);
  g_autoptr (SumiGuidance) unit =
      guide ("dynamic-threshold", "threshold-share=0.9, threshold-low=0, threshold-high=1", &parts);
  SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 3, 8, 9, 3, 1.5), *x0, *small;
  const gsize size = 8 * 9 * 3;

  for (gsize i = 0; i < size; i++) /* the first sample lies inside */
    sumi_tensor_put (x, i, sumi_tensor_get (x, i) / 10);
  x0 = sumi_denoise (&usual->denoiser, ev, x, 1);
  for (gsize i = 0; i < 3 * size; i++)
    {
      const double s = MAX (1, sorted_quantile (x, (int) (i / size), 0, 0.9)), v = sumi_tensor_get (x, i);

      g_assert_cmpfloat_with_epsilon (sumi_tensor_get (x0, i), CLAMP (v, -s, s) / s, 1e-14);
      g_assert_cmpfloat (fabs (sumi_tensor_get (x0, i)), <=, 1);
    }
  g_assert_cmpfloat (sorted_quantile (x, 0, 0, 1), <, 1);
  g_assert_cmpfloat (sorted_quantile (x, 1, 0, 0.9), >, 1.5);
  small = sumi_denoise (&unit->denoiser, ev, x, 1);
  for (gsize i = 0; i < 3 * size; i++)
    {
      const double s = MAX (0.5, sorted_quantile (x, (int) (i / size), 0.5, 0.9)), v = sumi_tensor_get (x, i) - 0.5;

      g_assert_cmpfloat_with_epsilon (sumi_tensor_get (small, i), 0.5 + 0.5 * CLAMP (v, -s, s) / s, 1e-14);
    }
}

/* On top of strong guidance it keeps pictures in their range. */
static void
test_threshold_on_cfg (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = plane ();
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "2", NULL);
  g_autoptr (SumiGuidance) cfg = guide ("cfg", "cfg-scale=9", &conditions->parts);
  g_autoptr (SumiGuidance) both = guide ("cfg, dynamic-threshold", "cfg-scale=9, threshold-high=1", &conditions->parts);
  SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F32, 2, 6, 6, 2, 2);
  double stds[2][2];

  g_assert_cmpstr (both->klass->key, ==, "dynamic-threshold");
  g_assert_cmpstr (both->inside->klass->key, ==, "cfg");
  sumi_samples_std (ev, sumi_denoise (&cfg->denoiser, ev, x, 1), stds[0]);
  g_assert_cmpint (ev->n_denoise, ==, 2);
  sumi_samples_std (ev, sumi_denoise (&both->denoiser, ev, x, 1), stds[1]);
  g_assert_cmpint (ev->n_denoise, ==, 4);
  g_assert_cmpfloat (stds[1][0], <, stds[0][0] / 2);
}

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
  g_autoptr (SumiExact) all = plane ();
  SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 2, 3, 2, 2, 1.3);
  SumiTensor *target = noise (arena, ev, SUMI_DTYPE_F64, 2, 3, 2, 2, -0.8);
  SumiTensor *map = noise (arena, ev, SUMI_DTYPE_F64, 2, 3, 2, 1, 0);
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
      g_autoptr (SumiGuidance) guidance = guide ("gradient", "gradient-scale=1.7", &parts);
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
  g_autoptr (SumiExact) data = gaussian (0.3, 0.8);
  SumiTensor *y = noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 3, 1, 1.9);
  SumiTargetLoss wish;
  const SumiGuidanceParts parts = { .base = &data->denoiser, .loss = &wish.potential };
  g_autoptr (SumiGuidance) guidance = guide ("gradient", "gradient-scale=0.5", &parts);

  sumi_target_loss_init (&wish, y, NULL, 0.4);
  for (double sigma = 0; sigma < 100; sigma = 3 * sigma + 0.1)
    {
      SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 3, 1, 1 + sigma);
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

static void
test_classifier (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = plane ();
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "1+3", NULL);
  g_autoptr (SumiGuidance) classifier = guide ("classifier", NULL, &conditions->parts);
  SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 3, 2, 1);
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
      x = noise (arena, ev, SUMI_DTYPE_F64, 2, 5, 5, 2, 1 + sigma);
      g_assert_cmpfloat (greatest_difference (sumi_denoise (&classifier->denoiser, ev, x, sigma),
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
  g_autoptr (SumiExact) all = plane ();
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "1", NULL);
  SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 2, 2, 1.3);
  SumiTensor *target = noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 2, 2, -1);
  SumiTargetLoss wish;
  SumiGuidanceParts parts = conditions->parts;
  g_autoptr (SumiGuidance) cfg = guide ("cfg", "cfg-scale=2", &parts), compose = NULL, gradient = NULL;
  g_autoptr (SumiExactConditions) more = sumi_exact_conditions_parse (all, "2:0.4 3:-0.3", NULL);

  sumi_target_loss_init (&wish, target, NULL, 0.6);
  parts = more->parts;
  parts.base = &cfg->denoiser;
  compose = guide ("compose", NULL, &parts);
  parts = (SumiGuidanceParts){ .base = &compose->denoiser, .loss = &wish.potential };
  gradient = guide ("gradient", NULL, &parts);
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

/* ---- sampled ------------------------------------------------------------- */

/* @n results of 100 steps from σ = 40, [n, 1, 1, 1] f64 in @arena. */
static SumiTensor *
sample (SumiArena *arena, SumiDenoiser *d, const char *sampler, int n)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_auto (SumiPlan) plan = { NULL };
  g_autofree double *sigmas = NULL;
  const SumiPlanNames names = { .sampler = sampler, .schedule = "karras" };
  SumiTensor *x = sumi_tensor_new (arena, SUMI_DTYPE_F64, 4, (const int[]){ 1, n / 100, 100, 1 });
  SumiLoop loop = { .denoiser = d, .n_steps = 100, .seed = 4 };

  g_assert_true (sumi_plan_init (&plan, &names, &names, NULL));
  loop.sampler = plan.sampler;
  loop.sigmas = sigmas = sumi_plan_dup_sigmas (&plan, 100, 0.002, 40, NULL, NULL);
  memset (x->data, 0, sumi_tensor_count (x) * sizeof (double));
  sumi_loop_start (&loop, ev, x);
  g_assert_true (sumi_loop_run (&loop, ev, x, 0, NULL, NULL));
  return x;
}

static double
variance_of (const SumiTensor *x)
{
  SumiTensor flat = *x;

  flat.shape[0] = 1;
  return pow (plain_std (&flat, 0), 2);
}

/* Given two of three parts, each gets its share of them, by the conditional denoiser and by the classifier. */
static void
test_sampled_modes (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = sumi_exact_parse ("mixture:0.3,-2,0.3;0.5,0,0.2;0.2,2,0.3", NULL);
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "1+3", NULL);
  static const char *const rows[][2] = { { "cfg", "cfg-scale=1" }, { "classifier", "classifier-scale=1" } };

  for (int k = 0; k < 2; k++)
    {
      g_autoptr (SumiGuidance) guidance = guide (rows[k][0], rows[k][1], &conditions->parts);
      SumiTensor *x = sample (arena, &guidance->denoiser, "heun", 10000);
      int left = 0, middle = 0;

      for (gsize i = 0; i < 10000; i++)
        {
          left += sumi_tensor_get (x, i) < -1;
          middle += fabs (sumi_tensor_get (x, i)) <= 0.7;
        }
      g_test_message ("%s: %.4f of the samples at the left (0.6), %d in the middle", rows[k][0], left / 1e4, middle);
      g_assert_cmpfloat_with_epsilon (left / 1e4, 0.6, 0.0147); /* three standard errors */
      g_assert_cmpint (middle, <=, 2);
    }
}

/* The middle part is drawn ever more often the larger w is, and what guidance does to a Gaussian's width is known. */
static void
test_sampled_scale (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) base = gaussian (0, 1), a = gaussian (0, 0.6), b = gaussian (0, 0.8);
  SumiDenoiser *const conditions[] = { &a->denoiser, &b->denoiser };
  SumiGuidanceParts parts = { .base = &base->denoiser, .n = 1, .conditions = conditions };
  g_autoptr (SumiGuidance) cfg = guide ("cfg", "cfg-scale=3", &parts), compose = NULL;
  double got = variance_of (sample (arena, &cfg->denoiser, "heun", 10000)), want = pow (0.6, 6);

  g_test_message ("cfg, w = 3: variance %.5f, expected %.5f; of p_u^-2·p_c^3 it is %.5f", got, want,
                  1 / (-2 + 3 / 0.36));
  g_assert_cmpfloat_with_epsilon (got / want, 1, 0.06);
  parts.n = 2;
  compose = guide ("compose", NULL, &parts);
  got = variance_of (sample (arena, &compose->denoiser, "heun", 10000));
  want = 0.36 * 0.64;
  g_test_message ("AND: variance %.5f, expected %.5f; of the product it is %.5f", got, want,
                  1 / (1 / 0.36 + 1 / 0.64 - 1));
  g_assert_cmpfloat_with_epsilon (got / want, 1, 0.06);
}

static void
test_sampled_strength (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = sumi_exact_parse ("mixture:0.7,-1,0.4;0.3,1,0.4", NULL);
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "2", NULL);
  static const char *const keys[] = { "cfg", "classifier" };

  for (int k = 0; k < 2; k++)
    {
      double before = -1;

      for (double scale = 0; scale < 1; scale += 0.3)
        {
          g_autofree char *settings = g_strdup_printf ("%s-scale=%g", keys[k], scale);
          g_autoptr (SumiGuidance) guidance = guide (keys[k], settings, &conditions->parts);
          SumiTensor *x = sample (arena, &guidance->denoiser, "dpmpp-2m", 2000);
          int right = 0;

          for (gsize i = 0; i < 2000; i++)
            right += sumi_tensor_get (x, i) > 0;
          g_test_message ("%s %g: %.3f of the samples are the condition's", keys[k], scale, right / 2e3);
          g_assert_cmpfloat (right / 2e3, >, before + 0.03);
          before = right / 2e3;
          if (scale == 0)
            g_assert_cmpfloat_with_epsilon (before, 0.3, 0.035);
        }
    }
}

/* ---- every row ----------------------------------------------------------- */

/* Parts that serve every row. */
typedef struct
{
  SumiExact *all;
  SumiExactConditions *conditions;
  SumiTargetLoss wish;
  SumiGuidanceParts parts;
} Everything;

static void
init_everything (Everything *e, const SumiGuidanceClass *klass, SumiTensor *target)
{
  e->all = plane ();
  e->conditions = sumi_exact_conditions_parse (e->all, "2", NULL);
  e->parts = e->conditions->parts;
  if (klass && klass->conditions == SUMI_GUIDANCE_NONE)
    e->parts.n = 0;
  sumi_target_loss_init (&e->wish, target, NULL, 0.5);
  e->parts.loss = &e->wish.potential;
}

static void
clear_everything (Everything *e)
{
  sumi_exact_conditions_free (e->conditions);
  sumi_exact_free (e->all);
}

/* f32 is f64 rounded; the number of threads does not matter; x stays as it is. */
static void
test_row_bytes (gconstpointer data)
{
  const SumiGuidanceClass *klass = data;
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) plain = sumi_eval_new (NULL, NULL);
  SumiTensor *results[3];
  Everything e;

  init_everything (&e, klass, noise (arena, plain, SUMI_DTYPE_F64, 2, 60, 70, 2, 0.4));
  for (int run = 0; run < 3; run++)
    {
      g_autoptr (SumiPool) pool = sumi_pool_new (run == 1 ? 3 : 1);
      g_autoptr (SumiEval) ev = sumi_eval_new (NULL, pool);
      const int dtype = run == 2 ? SUMI_DTYPE_F32 : SUMI_DTYPE_F64;
      SumiTensor *x = noise (arena, ev, dtype, 2, 60, 70, 2, 1.4), *same = noise (arena, ev, dtype, 2, 60, 70, 2, 1.4);
      SumiTargetLoss wish;
      SumiGuidanceParts parts = e.parts;
      g_autoptr (SumiGuidance) guidance = NULL;

      sumi_target_loss_init (&wish, noise (arena, ev, dtype, 2, 60, 70, 2, 0.4), NULL, 0.5);
      parts.loss = &wish.potential;
      guidance = guide (klass->key, klass == sumi_guidance_find ("cfg", NULL) ? "cfg-rescale=0.5" : NULL, &parts);
      g_assert_true (guidance->denoiser.composed);
      results[run] = sumi_tensor_new (arena, dtype, 4, x->shape);
      memcpy (results[run]->data, sumi_denoise (&guidance->denoiser, ev, x, 0.8)->data,
              sumi_tensor_count (x) * sumi_dtype_size (dtype));
      g_assert_no_error (ev->error);
      assert_same (x, same);
    }
  assert_same (results[0], results[1]);
  g_assert_cmpfloat (greatest_difference (results[0], results[2]), <, 1e-5);
  clear_everything (&e);
}

static SumiTensor *
failing_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  sumi_eval_fail (ev, SUMI_ERROR_DEVICE, "out of order");
  return sumi_eval_nothing (ev);
}

static SumiTensor *
failing_vjp (SumiDenoiser *self,
             SumiEval *ev,
             SumiTensor *x,
             double sigma,
             SumiCotangent cotangent,
             gpointer data,
             SumiTensor **x0)
{
  return *x0 = failing_denoise (self, ev, x, sigma);
}

static SumiTensor *
same_cotangent (gpointer data, SumiEval *ev, SumiTensor *x0)
{
  return x0;
}

/* A failure of any part is handed on, and nothing after it touches memory. */
static void
test_row_error (gconstpointer data)
{
  const SumiGuidanceClass *klass = data;
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  SumiDenoiser failing = { .denoise = failing_denoise, .vjp = failing_vjp };
  SumiDenoiser *const conditions[] = { &failing };
  const double weights[] = { 0.5 }; /* so that compose asks its base */
  SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 2, 3, 3, 2, 1.4);
  Everything e;

  init_everything (&e, klass, noise (arena, ev, SUMI_DTYPE_F64, 2, 3, 3, 2, 0.4));
  for (int k = 0; k < 3; k++)
    {
      SumiGuidanceParts parts = e.parts;
      g_autoptr (SumiGuidance) guidance = NULL;
      g_autoptr (GError) error = NULL;

      if (k == 1 && klass->conditions == SUMI_GUIDANCE_NONE)
        continue;
      parts.weights = weights;
      if (k == 1)
        parts.conditions = conditions;
      else
        parts.base = &failing;
      guidance = guide (klass->key, NULL, &parts);
      if (k == 2)
        sumi_eval_fail (ev, SUMI_ERROR_DEVICE, "before");
      sumi_denoise (&guidance->denoiser, ev, x, 1);
      if (guidance->denoiser.vjp && k < 2)
        {
          SumiTensor *x0;

          g_clear_error (&ev->error);
          sumi_denoise_vjp (&guidance->denoiser, ev, x, 1, same_cotangent, NULL, &x0);
        }
      g_assert_false (sumi_eval_finish (ev, &error));
      g_assert_error (error, SUMI_ERROR, SUMI_ERROR_DEVICE);
    }
  clear_everything (&e);
}

static SumiTensor *
bad_gradient (SumiPotential *self, SumiEval *ev, SumiTensor *x, double sigma, double *value)
{
  return sumi_lincomb (ev, NAN, x, 0, NULL, 0, NULL, NULL);
}

static SumiTensor *
short_gradient (SumiPotential *self, SumiEval *ev, SumiTensor *x, double sigma, double *value)
{
  return sumi_eval_tensor (ev, 1, (const int[]){ 3 });
}

static void
test_errors (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  SumiTensor *x = noise (arena, ev, SUMI_DTYPE_F64, 1, 1, 1, 2, 1);
  SumiPotential bad = { bad_gradient }, cut = { short_gradient };
  SumiGuidanceParts parts;
  g_autoptr (SumiGuidance) a = NULL, b = NULL, c = NULL;
  g_autoptr (GError) error = NULL;
  Everything e;

  init_everything (&e, sumi_guidance_find ("classifier", NULL), x);
  parts = e.parts;
  parts.classifier = &bad;
  a = guide ("classifier", NULL, &parts);
  sumi_denoise (&a->denoiser, ev, x, 1);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_NUMBER);
  g_assert_nonnull (strstr (error->message, "classifier"));
  g_clear_error (&error);

  parts.classifier = &cut;
  b = guide ("classifier", NULL, &parts);
  sumi_denoise (&b->denoiser, ev, x, 1);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);

  c = guide ("dynamic-threshold", "threshold-low=1, threshold-high=-1", &parts);
  sumi_denoise (&c->denoiser, ev, x, 1);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);
  clear_everything (&e);
}

static void
expect_refusal (const char *key, const SumiGuidanceParts *parts, int code, const char *why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiGuidance) guidance =
      sumi_guidance_new (sumi_guidance_find (key, NULL), NULL, parts, "the test", &error);

  g_assert_null (guidance);
  g_assert_error (error, SUMI_ERROR, code);
  g_assert_nonnull (strstr (error->message, key));
  g_assert_nonnull (strstr (error->message, why));
}

static void
test_refusals (void)
{
  g_autoptr (SumiExact) all = plane ();
  g_autoptr (SumiExactConditions) two = sumi_exact_conditions_parse (all, "1 2:-1", NULL);
  SumiTargetLoss wish;
  SumiGuidanceParts parts = { .base = &all->denoiser };

  expect_refusal ("cfg", &parts, SUMI_ERROR_OPTION, "exactly one");
  expect_refusal ("cfg", &two->parts, SUMI_ERROR_OPTION, "exactly one");
  expect_refusal ("compose", &parts, SUMI_ERROR_OPTION, "one condition or more");
  expect_refusal ("perp-neg", &parts, SUMI_ERROR_OPTION, "above 0");
  expect_refusal ("gradient", &parts, SUMI_ERROR_UNSUPPORTED, "needs a loss");
  expect_refusal ("classifier", &parts, SUMI_ERROR_UNSUPPORTED, "needs a classifier");
  parts = (SumiGuidanceParts){ .base = &echo, .loss = &wish.potential };
  expect_refusal ("gradient", &parts, SUMI_ERROR_UNSUPPORTED, "gradient of the denoiser");
}

static void
test_plan (void)
{
  g_autoptr (SumiExact) all = plane ();
  g_autoptr (SumiExactConditions) one = sumi_exact_conditions_parse (all, "1", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) keys = g_hash_table_new (g_str_hash, g_str_equal);
  g_auto (SumiPlan) plan = { NULL };
  SumiPlanNames names = { .sampler = "euler", .schedule = "karras", .guidance = "magic" };
  SumiGuidance *guidance = NULL;

  for (const SumiGuidanceClass *const *g = sumi_guidances (); *g; g++)
    for (const SumiOption *o = (*g)->options; o && o->key; o++)
      g_assert_true (g_hash_table_add (keys, (gpointer) o->key));
  g_assert_false (sumi_plan_init (&plan, &names, &names, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);
  g_assert_nonnull (strstr (error->message, "perp-neg"));
  g_clear_error (&error);
  names.guidance = "cfg";
  names.settings = "threshold-share=0.9";
  g_assert_false (sumi_plan_init (&plan, &names, &names, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);
  g_assert_nonnull (strstr (error->message, "cfg-scale"));
  g_clear_error (&error);
  names.settings = NULL;
  names.guidance = "dynamic-threshold";
  g_assert_true (sumi_plan_init (&plan, &names, &names, &error));
  g_assert_false (sumi_plan_guide (&plan, &one->parts, "the test", &guidance, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);
  g_clear_error (&error);
  sumi_plan_clear (&plan);
  names.guidance = NULL;
  g_assert_true (sumi_plan_init (&plan, &names, &names, &error));
  one->parts.n = 0;
  g_assert_true (sumi_plan_guide (&plan, &one->parts, "the test", &guidance, &error));
  g_assert_null (guidance);
}

static void
test_conditions (void)
{
  static const char *const bad[] = { "4", "0", "x", "1:", "1+", "1:2:3", "1+1", "-1", "1:inf", "2;3" };
  g_autoptr (SumiExact) all = plane ();
  g_autoptr (SumiExactConditions) given = sumi_exact_conditions_parse (all, " 2, 3+1:-1.5", NULL);

  g_assert_cmpint (given->n, ==, 2);
  g_assert_cmpfloat (given->weights[0], ==, 1);
  g_assert_cmpfloat (given->weights[1], ==, -1.5);
  g_assert_cmpfloat (given->given[0]->weight[0], ==, 1);
  g_assert_cmpfloat (given->given[0]->mean[1], ==, 1);
  g_assert_cmpfloat_with_epsilon (given->given[1]->weight[0], 0.375, 1e-15);
  g_assert_cmpfloat (given->given[1]->std[1], ==, 0.4);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (sumi_exact_conditions_parse (all, bad[i], &error));
      g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/guidance/cfg/ends", test_cfg_ends);
  g_test_add_func ("/guidance/cfg/score", test_cfg_score);
  g_test_add_func ("/guidance/cfg/interval", test_cfg_interval);
  g_test_add_func ("/guidance/cfg/rescale", test_cfg_rescale);
  g_test_add_func ("/guidance/compose/score", test_compose_score);
  g_test_add_func ("/guidance/compose/experts", test_compose_experts);
  g_test_add_func ("/guidance/compose/product", test_compose_product);
  g_test_add_func ("/guidance/perp-neg/orthogonal", test_perp_neg);
  g_test_add_func ("/guidance/perp-neg/degenerate", test_perp_neg_degenerate);
  g_test_add_func ("/guidance/quantile", test_quantile);
  g_test_add_func ("/guidance/dynamic-threshold/rule", test_threshold);
  g_test_add_func ("/guidance/dynamic-threshold/on-cfg", test_threshold_on_cfg);
  g_test_add_func ("/guidance/gradient/differences", test_gradient);
  g_test_add_func ("/guidance/gradient/gaussian", test_gradient_gaussian);
  g_test_add_func ("/guidance/classifier", test_classifier);
  g_test_add_func ("/guidance/vjp", test_vjp);
  g_test_add_func ("/guidance/sampled/modes", test_sampled_modes);
  g_test_add_func ("/guidance/sampled/scale", test_sampled_scale);
  g_test_add_func ("/guidance/sampled/strength", test_sampled_strength);
  for (const SumiGuidanceClass *const *g = sumi_guidances (); *g; g++)
    {
      g_autofree char *bytes = g_strdup_printf ("/guidance/bytes/%s", (*g)->key);
      g_autofree char *error = g_strdup_printf ("/guidance/error/%s", (*g)->key);

      g_test_add_data_func (bytes, *g, test_row_bytes);
      g_test_add_data_func (error, *g, test_row_error);
    }
  g_test_add_func ("/guidance/errors", test_errors);
  g_test_add_func ("/guidance/refusals", test_refusals);
  g_test_add_func ("/guidance/plan", test_plan);
  g_test_add_func ("/guidance/conditions", test_conditions);
  return g_test_run ();
}
