/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guidance in runs, and what holds for every row: what is sampled, the same bytes, errors, plans. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/diffusion/operator.h"
#include "core/ops/ops.h"
#include "core/sumi.h"
#include "tests/diffusion/guided.h"

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
  return pow (guided_std (&flat, 0), 2);
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
      g_autoptr (SumiGuidance) guidance = guided_new (rows[k][0], rows[k][1], &conditions->parts);
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
  g_autoptr (SumiExact) base = guided_gaussian (0, 1), a = guided_gaussian (0, 0.6), b = guided_gaussian (0, 0.8);
  SumiDenoiser *const conditions[] = { &a->denoiser, &b->denoiser };
  SumiGuidanceParts parts = { .base = &base->denoiser, .n = 1, .conditions = conditions };
  g_autoptr (SumiGuidance) cfg = guided_new ("cfg", "cfg-scale=3", &parts), compose = NULL;
  double got = variance_of (sample (arena, &cfg->denoiser, "heun", 10000)), want = pow (0.6, 6);

  g_test_message ("cfg, w = 3: variance %.5f, expected %.5f; of p_u^-2·p_c^3 it is %.5f", got, want,
                  1 / (-2 + 3 / 0.36));
  g_assert_cmpfloat_with_epsilon (got / want, 1, 0.06);
  parts.n = 2;
  compose = guided_new ("compose", NULL, &parts);
  got = variance_of (sample (arena, &compose->denoiser, "heun", 10000));
  want = 0.36 * 0.64;
  g_test_message ("AND: variance %.5f, expected %.5f; of the product it is %.5f", got, want,
                  1 / (1 / 0.36 + 1 / 0.64 - 1));
  g_assert_cmpfloat_with_epsilon (got / want, 1, 0.06);
}

/* A value wished for, as gradient.c says: it pulls too hard unless the loss knows how wide the data is. */
static void
test_sampled_wish (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiExact) data = guided_gaussian (0, 1);
  SumiTensor *target = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 100, 100, 1, 0);
  SumiTargetLoss wish;
  const SumiGuidanceParts parts = { .base = &data->denoiser, .loss = &wish.potential };
  g_autoptr (SumiGuidance) guidance = guided_new ("gradient", NULL, &parts);

  for (gsize i = 0; i < 10000; i++)
    sumi_tensor_put (target, i, 1);
  sumi_target_loss_init (&wish, target, NULL, 0.5);
  for (int spread = 0; spread < 2; spread++)
    {
      const double mean = spread ? 0.8 : 1.28, std = spread ? sqrt (0.2) : exp (-2);
      SumiTensor *x;
      double sum = 0;

      wish.spread = spread;
      x = sample (arena, &guidance->denoiser, "heun", 10000);
      for (gsize i = 0; i < 10000; i++)
        sum += sumi_tensor_get (x, i) / 10000;
      g_test_message ("wish, spread %d: mean %.4f, expected %.4f; deviation %.4f, expected %.4f", spread, sum, mean,
                      sqrt (variance_of (x)), std);
      g_assert_cmpfloat_with_epsilon (sum, mean, 0.02);
      g_assert_cmpfloat_with_epsilon (sqrt (variance_of (x)) / std, 1, 0.04);
    }
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
          g_autoptr (SumiGuidance) guidance = guided_new (keys[k], settings, &conditions->parts);
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

/* A method that needs the gradient runs on guidance: where all agree, guidance of two denoisers is one of them. */
static void
test_method (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) data = guided_plane (), same = guided_plane ();
  SumiDenoiser *const conditions[] = { &same->denoiser };
  const SumiGuidanceParts parts = { .base = &data->denoiser, .n = 1, .conditions = conditions };
  g_autoptr (SumiGuidance) cfg = guided_new ("cfg", "cfg-scale=2", &parts);
  SumiDenoiser *const denoisers[] = { &data->denoiser, &cfg->denoiser };
  const int shape[] = { 1, 4, 4, 2 };
  SumiTensor *results[2];

  for (int k = 0; k < 2; k++)
    {
      g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
      g_auto (SumiPlan) plan = { NULL };
      g_autofree double *sigmas = NULL;
      const SumiPlanNames names = { .sampler = "euler", .schedule = "karras", .method = "dps" };
      SumiTensor *free = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 4, 4, 1, 0);
      SumiTensor *y = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 4, 4, 2, 0.7);
      g_autoptr (GError) error = NULL;
      g_autoptr (SumiOperator) mask = NULL;
      SumiMethod method = { NULL };
      SumiLoop loop = { .denoiser = denoisers[k], .method = &method, .n_steps = 30, .seed = 2 };

      results[k] = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 4, 4, 2, 0);
      sumi_tensor_put (free, 5, 1);
      mask = sumi_operator_new_mask (shape, free, FALSE, &error);
      g_assert_no_error (error);
      g_assert_true (sumi_plan_init (&plan, &names, &names, &error));
      method.klass = plan.method;
      method.options = plan.method_options;
      method.seen = (SumiObservation){ .a = mask, .y = y, .noise = 0.1, .free = free, .known = y };
      g_assert_true (sumi_method_check (plan.method, denoisers[k], &method.seen, "the test", &error));
      loop.sampler = plan.sampler;
      loop.sigmas = sigmas = sumi_plan_dup_sigmas (&plan, 30, 0.01, 20, NULL, &error);
      g_assert_true (sumi_loop_run (&loop, ev, results[k], sumi_loop_start (&loop, ev, results[k]), NULL, &error));
      g_assert_cmpint (ev->n_denoise, ==, 30 * (k + 1));
    }
  g_assert_cmpfloat (guided_difference (results[0], results[1]), <, 1e-9);
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
  e->all = guided_plane ();
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

  init_everything (&e, klass, guided_noise (arena, plain, SUMI_DTYPE_F64, 2, 60, 70, 2, 0.4));
  for (int run = 0; run < 3; run++)
    {
      g_autoptr (SumiPool) pool = sumi_pool_new (run == 1 ? 3 : 1);
      g_autoptr (SumiEval) ev = sumi_eval_new (NULL, pool);
      const int dtype = run == 2 ? SUMI_DTYPE_F32 : SUMI_DTYPE_F64;
      SumiTensor *x = guided_noise (arena, ev, dtype, 2, 60, 70, 2, 1.4),
                 *same = guided_noise (arena, ev, dtype, 2, 60, 70, 2, 1.4);
      SumiTargetLoss wish;
      SumiGuidanceParts parts = e.parts;
      g_autoptr (SumiGuidance) guidance = NULL;

      sumi_target_loss_init (&wish, guided_noise (arena, ev, dtype, 2, 60, 70, 2, 0.4), NULL, 0.5);
      parts.loss = &wish.potential;
      guidance = guided_new (klass->key, klass == sumi_guidance_find ("cfg", NULL) ? "cfg-rescale=0.5" : NULL, &parts);
      g_assert_true (guidance->denoiser.composed);
      results[run] = sumi_tensor_new (arena, dtype, 4, x->shape);
      memcpy (results[run]->data, sumi_denoise (&guidance->denoiser, ev, x, 0.8)->data,
              sumi_tensor_count (x) * sumi_dtype_size (dtype));
      g_assert_no_error (ev->error);
      guided_assert_same (x, same);
    }
  guided_assert_same (results[0], results[1]);
  g_assert_cmpfloat (guided_difference (results[0], results[2]), <, 1e-5);
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
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 2, 3, 3, 2, 1.4);
  Everything e;

  init_everything (&e, klass, guided_noise (arena, ev, SUMI_DTYPE_F64, 2, 3, 3, 2, 0.4));
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
      guidance = guided_new (klass->key, NULL, &parts);
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
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F64, 1, 1, 1, 2, 1);
  SumiPotential bad = { bad_gradient }, cut = { short_gradient };
  SumiGuidanceParts parts;
  g_autoptr (SumiGuidance) a = NULL, b = NULL, c = NULL;
  g_autoptr (GError) error = NULL;
  Everything e;

  init_everything (&e, sumi_guidance_find ("classifier", NULL), x);
  parts = e.parts;
  parts.classifier = &bad;
  a = guided_new ("classifier", NULL, &parts);
  sumi_denoise (&a->denoiser, ev, x, 1);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_NUMBER);
  g_assert_nonnull (strstr (error->message, "classifier"));
  g_clear_error (&error);

  parts.classifier = &cut;
  b = guided_new ("classifier", NULL, &parts);
  sumi_denoise (&b->denoiser, ev, x, 1);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);

  c = guided_new ("dynamic-threshold", "threshold-low=1, threshold-high=-1", &parts);
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
  g_autoptr (SumiExact) all = guided_plane ();
  g_autoptr (SumiExactConditions) two = sumi_exact_conditions_parse (all, "1 2:-1", NULL);
  SumiTargetLoss wish;
  SumiGuidanceParts parts = { .base = &all->denoiser };

  expect_refusal ("cfg", &parts, SUMI_ERROR_OPTION, "exactly one");
  expect_refusal ("cfg", &two->parts, SUMI_ERROR_OPTION, "exactly one");
  expect_refusal ("compose", &parts, SUMI_ERROR_OPTION, "one condition or more");
  expect_refusal ("perp-neg", &parts, SUMI_ERROR_OPTION, "above 0");
  expect_refusal ("gradient", &parts, SUMI_ERROR_UNSUPPORTED, "needs a loss");
  expect_refusal ("classifier", &parts, SUMI_ERROR_UNSUPPORTED, "needs a classifier");
  parts = (SumiGuidanceParts){ .base = &guided_echo, .loss = &wish.potential };
  expect_refusal ("gradient", &parts, SUMI_ERROR_UNSUPPORTED, "gradient of the denoiser");
}

static void
test_plan (void)
{
  g_autoptr (SumiExact) all = guided_plane ();
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
  static const char *const bad[] = { "4", "0", "x", "1:", "1+", "1:2:3", "1+1", "-1", "1:inf", "2;3", "", " ," };
  g_autoptr (SumiExact) all = guided_plane ();
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
  g_test_add_func ("/guidance/sampled/modes", test_sampled_modes);
  g_test_add_func ("/guidance/sampled/scale", test_sampled_scale);
  g_test_add_func ("/guidance/sampled/wish", test_sampled_wish);
  g_test_add_func ("/guidance/sampled/strength", test_sampled_strength);
  g_test_add_func ("/guidance/method", test_method);
  g_test_add_func ("/guidance/errors", test_errors);
  g_test_add_func ("/guidance/refusals", test_refusals);
  g_test_add_func ("/guidance/plan", test_plan);
  g_test_add_func ("/guidance/conditions", test_conditions);
  for (const SumiGuidanceClass *const *g = sumi_guidances (); *g; g++)
    {
      g_autofree char *bytes = g_strdup_printf ("/guidance/bytes/%s", (*g)->key);
      g_autofree char *error = g_strdup_printf ("/guidance/error/%s", (*g)->key);

      g_test_add_data_func (bytes, *g, test_row_bytes);
      g_test_add_data_func (error, *g, test_row_error);
    }
  return g_test_run ();
}
