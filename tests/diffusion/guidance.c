/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules of the guidances against theory: exact denoisers of mixtures and of their parts. Scores are compared with
 * differences of exact log densities, statistics with plain sorting and summing. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/diffusion/samplewise.h"
#include "core/ops/ops.h"
#include "core/sumi.h"
#include "tests/diffusion/guided.h"

/* ---- classifier-free ----------------------------------------------------- */

static void
test_cfg_ends (void)
{
  for (int dtype = 0; dtype < 2; dtype++)
    {
      g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
      g_autoptr (SumiArena) arena = sumi_arena_new ();
      g_autoptr (SumiExact) all = guided_plane ();
      g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "2", NULL);
      g_autoptr (SumiGuidance) one = guided_new ("cfg", "cfg-scale=1", &conditions->parts);
      g_autoptr (SumiGuidance) none = guided_new ("cfg", "cfg-scale=0", &conditions->parts);
      SumiTensor *x = guided_noise (arena, ev, dtype ? SUMI_DTYPE_F64 : SUMI_DTYPE_F32, 1, 4, 4, 2, 2);

      guided_assert_same (sumi_denoise (&one->denoiser, ev, x, 1.5),
                          sumi_denoise (conditions->conditions[0], ev, x, 1.5));
      g_assert_cmpint (ev->n_denoise, ==, 2);
      guided_assert_same (sumi_denoise (&none->denoiser, ev, x, 1.5), sumi_denoise (&all->denoiser, ev, x, 1.5));
      g_assert_cmpint (ev->n_denoise, ==, 4);
    }
}

static void
test_cfg_score (void)
{
  g_autoptr (SumiExact) all = guided_plane ();
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "1+3", NULL);
  SumiExact *const exact[] = { all, conditions->given[0] };

  for (double w = -1; w < 9; w += 2.5)
    {
      g_autofree char *settings = g_strdup_printf ("cfg-scale=%g", w);
      g_autoptr (SumiGuidance) cfg = guided_new ("cfg", settings, &conditions->parts);

      guided_check_score (&cfg->denoiser, 2, exact, (const double[]){ 1 - w, w });
    }
}

static void
test_cfg_interval (void)
{
  static const double sigmas[] = { 10, 5, 2, 1, 0.3, 0 };
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = guided_plane ();
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "2", NULL);
  g_autoptr (SumiGuidance) cfg = guided_new ("cfg", "cfg-low=1, cfg-high=5, cfg-scale=4", &conditions->parts);
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 2, 2, 10);
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
        guided_assert_same (sumi_denoise (&cfg->denoiser, ev, x, sigmas[i]),
                            sumi_denoise (conditions->conditions[0], ev, x, sigmas[i]));
    }
  ev->n_denoise = 0;
  g_assert_true (sumi_loop_run (&loop, ev, x, 0, NULL, NULL));
  g_assert_cmpint (ev->n_denoise, ==, 7);
}

static void
test_cfg_rescale (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = guided_plane ();
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "1+2", NULL);
  g_autoptr (SumiGuidance) plain = guided_new ("cfg", "cfg-scale=6", &conditions->parts);
  g_autoptr (SumiGuidance) part = guided_new ("cfg", "cfg-scale=6, cfg-rescale=0.7", &conditions->parts);
  g_autoptr (SumiGuidance) full = guided_new ("cfg", "cfg-scale=6, cfg-rescale=1", &conditions->parts);
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 3, 60, 41, 2, 1.5);
  SumiTensor *condition = sumi_denoise (conditions->conditions[0], ev, x, 0.8);
  SumiTensor *guided = sumi_denoise (&plain->denoiser, ev, x, 0.8);
  SumiTensor *p = sumi_denoise (&part->denoiser, ev, x, 0.8), *f = sumi_denoise (&full->denoiser, ev, x, 0.8);

  g_assert_nonnull (plain->denoiser.vjp);
  g_assert_null (part->denoiser.vjp);
  for (int n = 0; n < 3; n++)
    {
      const double want = guided_std (condition, n), had = guided_std (guided, n);
      const gsize i = (gsize) n * 60 * 41 * 2 + 77;

      g_assert_cmpfloat (had / want, >, 1.1);
      g_assert_cmpfloat_with_epsilon (guided_std (f, n), want, 1e-12);
      g_assert_cmpfloat_with_epsilon (guided_std (p, n), 0.7 * want + 0.3 * had, 1e-12);
      g_assert_cmpfloat_with_epsilon (sumi_tensor_get (f, i), sumi_tensor_get (guided, i) * want / had, 1e-12);
    }
  {
    /* a single value has no deviation to bring back */
    g_autoptr (SumiExact) wide = guided_gaussian (0, 2), narrow = guided_gaussian (1, 0.5);
    SumiDenoiser *const one[] = { &narrow->denoiser };
    const SumiGuidanceParts parts = { .base = &wide->denoiser, .n = 1, .conditions = one };
    g_autoptr (SumiGuidance) single = guided_new ("cfg", "cfg-rescale=1", &parts);

    x = guided_noise (arena, ev, SUMI_DTYPE_F64, 4, 1, 1, 1, 1);
    g_assert_true (isfinite (sumi_tensor_get (sumi_denoise (&single->denoiser, ev, x, 1), 3)));
  }
}

/* ---- composition --------------------------------------------------------- */

static void
test_compose_score (void)
{
  g_autoptr (SumiExact) all = guided_plane ();
  g_autoptr (SumiExactConditions) both = sumi_exact_conditions_parse (all, "1:0.8 2:1.3", NULL);
  g_autoptr (SumiExactConditions) negated = sumi_exact_conditions_parse (all, "1+2, 2:-0.5", NULL);
  g_autoptr (SumiGuidance) compose = guided_new ("compose", NULL, &both->parts);
  g_autoptr (SumiGuidance) without = guided_new ("compose", "compose-scale=2", &negated->parts);
  SumiExact *const exact[] = { all, both->given[0], both->given[1] };
  SumiExact *const others[] = { all, negated->given[0], negated->given[1] };

  guided_check_score (&compose->denoiser, 3, exact, (const double[]){ 1 - 2.1, 0.8, 1.3 });
  guided_check_score (&without->denoiser, 3, others, (const double[]){ 1 - 2 * 0.5, 2, -1 });
}

/* Σ w = 1 is a product of experts: the base is not asked. */
static void
test_compose_experts (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) all = guided_plane ();
  g_autoptr (SumiExactConditions) experts = sumi_exact_conditions_parse (all, "1:0.25 2:0.75", NULL);
  g_autoptr (SumiGuidance) compose = guided_new ("compose", NULL, &experts->parts);
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 2, 2, 2, 2),
             *x0 = sumi_denoise (&compose->denoiser, ev, x, 1);
  SumiTensor *a = sumi_denoise (experts->conditions[0], ev, x, 1), *b = sumi_denoise (experts->conditions[1], ev, x, 1);

  g_assert_cmpint (ev->n_denoise, ==, 4);
  g_assert_cmpfloat (guided_difference (x0, sumi_lincomb (ev, 0.25, a, 0.75, b, 0, NULL, NULL)), <, 1e-14);
}

/* AND of two Gaussians under a wide one: the score at σ tends to that of the product, the error falls as σ². */
static void
test_compose_product (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) base = guided_gaussian (0, 3), a = guided_gaussian (-0.4, 0.5), b = guided_gaussian (0.9, 0.8);
  SumiDenoiser *const conditions[] = { &a->denoiser, &b->denoiser };
  const SumiGuidanceParts parts = { .base = &base->denoiser, .n = 2, .conditions = conditions };
  g_autoptr (SumiGuidance) compose = guided_new ("compose", NULL, &parts);
  const double precision = 1 / 0.25 + 1 / 0.64 - 1 / 9.0, mean = (-0.4 / 0.25 + 0.9 / 0.64) / precision;
  double errors[3];

  for (int k = 0; k < 3; k++)
    {
      const double sigma = 0.05 / (1 << k);
      SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 1, 1, 1, 1.0);
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
  g_autoptr (SumiExact) all = guided_plane ();
  g_autoptr (SumiExactConditions) both = sumi_exact_conditions_parse (all, "1, 2:-0.7, 3:-0.4", NULL);
  g_autoptr (SumiExactConditions) wanted = sumi_exact_conditions_parse (all, "1", NULL);
  g_autoptr (SumiGuidance) perp = guided_new ("perp-neg", "perp-neg-scale=2.5", &both->parts);
  g_autoptr (SumiGuidance) only = guided_new ("perp-neg", "perp-neg-scale=2.5", &wanted->parts);
  g_autoptr (SumiGuidance) cfg = guided_new ("cfg", "cfg-scale=2.5", &wanted->parts);
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 4, 3, 5, 2, 1.5);
  SumiTensor *base = sumi_denoise (&all->denoiser, ev, x, 0.9), *d[3];
  SumiTensor *with = sumi_denoise (&perp->denoiser, ev, x, 0.9);
  SumiTensor *without = sumi_denoise (&only->denoiser, ev, x, 0.9);

  g_assert_cmpfloat (guided_difference (without, sumi_denoise (&cfg->denoiser, ev, x, 0.9)), <, 1e-13);
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
  g_autoptr (SumiExact) base = guided_gaussian (0, 1), a = guided_gaussian (1, 0.5), b = guided_gaussian (-1, 0.5);
  const double weights[] = { 1, -1 };
  SumiDenoiser *const conditions[] = { &a->denoiser, &b->denoiser };
  SumiDenoiser *const nothing[] = { &base->denoiser, &b->denoiser };
  SumiGuidanceParts parts = { .base = &base->denoiser, .n = 2, .conditions = conditions, .weights = weights };
  g_autoptr (SumiGuidance) line = guided_new ("perp-neg", "perp-neg-scale=2", &parts);
  g_autoptr (SumiGuidance) cfg = NULL, empty = NULL;
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 5, 1, 1, 1, 1);

  parts.n = 1;
  cfg = guided_new ("cfg", "cfg-scale=2", &parts);
  g_assert_cmpfloat (
      guided_difference (sumi_denoise (&line->denoiser, ev, x, 1), sumi_denoise (&cfg->denoiser, ev, x, 1)), <, 1e-14);
  parts.n = 2;
  parts.conditions = nothing;
  empty = guided_new ("perp-neg", "perp-neg-scale=2", &parts);
  g_assert_cmpfloat (guided_difference (sumi_denoise (&empty->denoiser, ev, x, 1),
                                        sumi_lincomb (ev, 3, sumi_denoise (&base->denoiser, ev, x, 1), -2,
                                                      sumi_denoise (&b->denoiser, ev, x, 1), 0, NULL, NULL)),
                     <, 1e-14);
}

/* ---- thresholding -------------------------------------------------------- */

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
          SumiTensor *x =
              guided_noise (arena, ev, dtype ? SUMI_DTYPE_F64 : SUMI_DTYPE_F32, 3, 1, size, 1, pow (10, q * 8));
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
  const SumiGuidanceParts parts = { .base = &guided_echo };
  g_autoptr (SumiGuidance) usual = guided_new ("dynamic-threshold", "threshold-share=0.9", &parts);
  g_autoptr (SumiGuidance) unit =
      guided_new ("dynamic-threshold", "threshold-share=0.9, threshold-low=0, threshold-high=1", &parts);
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 3, 8, 9, 3, 1.5), *x0, *small;
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
  g_autoptr (SumiExact) all = guided_plane ();
  g_autoptr (SumiExactConditions) conditions = sumi_exact_conditions_parse (all, "2", NULL);
  g_autoptr (SumiGuidance) cfg = guided_new ("cfg", "cfg-scale=9", &conditions->parts);
  g_autoptr (SumiGuidance) both =
      guided_new ("cfg, dynamic-threshold", "cfg-scale=9, threshold-high=1", &conditions->parts);
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F32, 2, 6, 6, 2, 2);
  double stds[2][2];

  g_assert_cmpstr (both->klass->key, ==, "dynamic-threshold");
  g_assert_cmpstr (both->inside->klass->key, ==, "cfg");
  sumi_samples_std (ev, sumi_denoise (&cfg->denoiser, ev, x, 1), stds[0]);
  g_assert_cmpint (ev->n_denoise, ==, 2);
  sumi_samples_std (ev, sumi_denoise (&both->denoiser, ev, x, 1), stds[1]);
  g_assert_cmpint (ev->n_denoise, ==, 4);
  g_assert_cmpfloat (stds[1][0], <, stds[0][0] / 2);
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
  return g_test_run ();
}
