/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every stochastic sampler of the registry on exact data, many samples at once: mean, variance and weights of the modes
 * within Monte Carlo error and a stated bias of its discretisation; for those whose step is linear on Gaussian data the
 * exact variance of the discretisation itself; seeds, and jumps back in time. */
#include <math.h>
#include <string.h>

#include "core/diffusion/method.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"
#include "tests/diffusion/run.h"

#define COUNT  8192
#define TOP    20.0
#define BOTTOM 0.01
#define STEPS  80

/* Standard errors that a law may be off by. Seeds are fixed: what passes passes always. */
#define ERRORS 4

/* ---- denoisers ----------------------------------------------------------- */

/* What a model distilled to consistency answers: the end of the ODE's trajectory through x at σ, of one-dimensional
 * data the point of the same rank. */
typedef struct
{
  SumiDenoiser denoiser;
  const SumiExact *data;
} Consistent;

/* P (x0 + σ·noise < x). */
static double
rank (const SumiExact *data, double x, double sigma)
{
  double sum = 0;

  for (int k = 0; k < data->n; k++)
    sum += data->weight[k] * 0.5 * erfc (-(x - data->mean[k]) / hypot (data->std[k], sigma) / G_SQRT2);
  return sum;
}

static SumiTensor *
consistent_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  const SumiExact *data = ((Consistent *) self)->data;
  SumiTensor *out = sumi_eval_tensor_like (ev, x);

  for (gsize i = 0; i < sumi_tensor_count (x); i++)
    {
      const double wanted = data->n > 1 ? rank (data, sumi_tensor_get (x, i), sigma) : 0;
      double low = -8, high = 8;

      if (data->n == 1) /* in closed form */
        {
          const double share = data->std[0] / hypot (data->std[0], sigma);

          sumi_tensor_put (out, i, data->mean[0] + share * (sumi_tensor_get (x, i) - data->mean[0]));
          continue;
        }
      for (int k = 0; k < 40; k++)
        {
          const double middle = (low + high) / 2;

          if (rank (data, middle, 0) < wanted)
            low = middle;
          else
            high = middle;
        }
      sumi_tensor_put (out, i, low);
    }
  return out;
}

/* ---- what is tested ------------------------------------------------------ */

/* How a sampler is run where the defaults do not serve, and how far it then may be off beside Monte Carlo error: its
 * variance, as a share, and the weight of a mode. */
typedef struct
{
  const char *sampler, *settings, *process;
  int steps;
  gboolean consistent; /* made for consistency models */
  double variance_bias, weight_bias;
} Case;

/* The bias of variance at STEPS steps is what each was measured to have, rounded up; those of order 2 have less. */
static const Case cases[] = {
  { "edm-churn", .variance_bias = 0.02 },
  { "edm-churn", "s-churn=10, s-noise=1", .variance_bias = 0.02 },
  { "euler-ancestral", .variance_bias = 0.15 },
  { "euler-ancestral", "eta=0.5", .variance_bias = 0.15 },
  { "ddpm", .variance_bias = 0.15 },
  { "ddpm", "variance=beta", .variance_bias = 0.15, .weight_bias = 0.01 },
  { "ddpm", "variance=analytic", .steps = 12, .variance_bias = 0.03 }, /* Γ is these samples' own */
  { "ddim", "eta=1", .variance_bias = 0.15 },
  { "ddim", "variance=analytic", .steps = 12, .variance_bias = 0.03 },
  { "dpm2-ancestral", .variance_bias = 0.04 },
  { "dpmpp-2s-ancestral", .variance_bias = 0.04 },
  { "dpmpp-sde", .variance_bias = 0.02 },
  { "dpmpp-2m-sde", .variance_bias = 0.04 },
  { "dpmpp-2m-sde", "solver=heun", .variance_bias = 0.04 },
  { "ito-taylor2", .variance_bias = 0.15 },
  { "ito-taylor2", NULL, "vp", .variance_bias = 0.15 },
  { "em", .variance_bias = 0.03 },
  { "pc", .variance_bias = 0.05 },
  { "pc", "predictor=ancestral", .variance_bias = 0.05 },
  { "pc", "predictor=em, corrector-steps=2", .variance_bias = 0.05 },
  { "ald", .variance_bias = 0.2, .weight_bias = 0.02 },
  { "cas", .variance_bias = 0.12 },
  { "sde-adaptive", .variance_bias = 0.02 },
  { "sde-adaptive", NULL, "vp", .steps = 3, .variance_bias = 0.02 },
  { "lcm", .steps = 6, .consistent = TRUE },
  { "tcd", "gamma=1", .steps = 6, .consistent = TRUE },
  { "tcd", .variance_bias = 0.25, .weight_bias = 0.04 },
};

static void
fill_karras (int n, double *sigmas)
{
  for (int i = 0; i < n; i++)
    sigmas[i] = n > 1 ? run_karras (TOP, BOTTOM, i / (n - 1.0)) : TOP;
  sigmas[n] = 0;
}

static void
sample (const Case *c, SumiDenoiser *denoiser, double *x)
{
  const int n = c->steps ? c->steps : STEPS;
  g_autofree double *sigmas = g_new (double, n + 1);
  Runner r = { c->sampler, c->process, c->settings, sigmas, n, denoiser, .batch = TRUE, .start = TRUE };

  fill_karras (n, sigmas);
  memset (x, 0, sizeof (double) * COUNT);
  run_all (&r, x, COUNT);
}

typedef struct
{
  double mean, variance, left; /* left: share below 0 */
} Law;

static Law
law_of (const double *x, int n)
{
  Law l = { 0 };

  for (int i = 0; i < n; i++)
    {
      l.mean += x[i] / n;
      l.left += (x[i] < 0) / (double) n;
    }
  for (int i = 0; i < n; i++)
    l.variance += (x[i] - l.mean) * (x[i] - l.mean) / (n - 1);
  return l;
}

static void
test_law (gconstpointer user_data)
{
  const Case *c = user_data;
  g_autofree double *x = g_new (double, COUNT);
  g_autoptr (SumiExact) gaussian = sumi_exact_parse ("gaussian:0.3,0.5", NULL);
  g_autoptr (SumiExact) mixture = sumi_exact_parse ("mixture:0.3,-1,0.2;0.7,1,0.3", NULL);
  Consistent c1 = { { .denoise = consistent_denoise }, gaussian }, c2 = { { .denoise = consistent_denoise }, mixture };
  Law l;

  sample (c, c->consistent ? &c1.denoiser : &gaussian->denoiser, x);
  l = law_of (x, COUNT);
  g_test_message ("%s %s %s: gaussian: mean %.4f (0.3), variance %.4f (0.25): %+.1f %%", c->sampler,
                  c->settings ? c->settings : "", c->process ? c->process : "", l.mean, l.variance,
                  100 * (l.variance / 0.25 - 1));
  g_assert_cmpfloat (fabs (l.mean - 0.3), <, ERRORS * 0.5 / sqrt (COUNT) + 1e-3);
  g_assert_cmpfloat (fabs (l.variance / 0.25 - 1), <, ERRORS * sqrt (2.0 / COUNT) + c->variance_bias);
  sample (c, c->consistent ? &c2.denoiser : &mixture->denoiser, x);
  l = law_of (x, COUNT);
  g_test_message ("%s: mixture: left mode %.4f (0.3), mean %.4f (0.4)", c->sampler, l.left, l.mean);
  g_assert_cmpfloat (fabs (l.left - 0.3), <, ERRORS * sqrt (0.21 / COUNT) + c->weight_bias);
  g_assert_cmpfloat (fabs (l.mean - 0.4), <, ERRORS * 0.96 / sqrt (COUNT) + 2 * c->weight_bias);
}

/* ---- the discretisation's own variance ----------------------------------- */

/* x' = keep·x + (1 − keep)·D + √fresh·z. */
typedef void (*Linear) (double sigma, double next, double *keep, double *fresh);

static void
posterior_step (double sigma, double next, double *keep, double *fresh)
{
  const double ratio = next / sigma;

  *keep = ratio * ratio;
  *fresh = next * next * (1 - ratio * ratio);
}

static void
beta_step (double sigma, double next, double *keep, double *fresh)
{
  *keep = next * next / (sigma * sigma);
  *fresh = sigma * sigma - next * next;
}

/* η = 0.5: half the posterior's deviation. */
static void
half_step (double sigma, double next, double *keep, double *fresh)
{
  *fresh = 0.25 * next * next * (1 - next * next / (sigma * sigma));
  *keep = sqrt (next * next - *fresh) / sigma;
}

/* What a Gaussian's posterior has in truth; then nothing is lost at any number of steps. */
static void
analytic_step (double sigma, double next, double *keep, double *fresh)
{
  const double gone = 1 - next * next / (sigma * sigma);

  *keep = next * next / (sigma * sigma);
  *fresh = next * next * gone + gone * gone * sigma * sigma * 0.25 / (0.25 + sigma * sigma);
}

static void
em_step (double sigma, double next, double *keep, double *fresh)
{
  *keep = 1 - 2 * (sigma - next) / sigma;
  *fresh = 2 * sigma * (sigma - next);
}

static void
cas_step (double sigma, double next, double *keep, double *fresh)
{
  *keep = MIN (0.9, next / sigma);
  *fresh = next * next - *keep * *keep * sigma * sigma;
}

static void
lcm_step (double sigma, double next, double *keep, double *fresh)
{
  *keep = 0;
  *fresh = next * next;
}

static void
tcd_step (double sigma, double next, double *keep, double *fresh)
{
  *keep = 0.7 * next / sigma;
  *fresh = next * next * (1 - 0.49);
}

/* g·√h·z1 and the Itô–Taylor terms, σ as time: b = 2(D − x)/σ. */
static void
ito_step (double sigma, double next, double *keep, double *fresh)
{
  const double h = sigma - next, g = sqrt (2 * sigma), along = -2 * g / sigma, turn = -1 / g;
  const double w = g * sqrt (h) + pow (h, 1.5) / 2 * (along + turn);
  const double z = pow (h, 1.5) / (2 * sqrt (3)) * (along - turn);

  *keep = next * next / (sigma * sigma);
  *fresh = w * w + z * z;
}

static const struct
{
  const char *sampler, *settings;
  Linear step;
} linear[] = {
  { "euler-ancestral", NULL, posterior_step },
  { "euler-ancestral", "eta=0.5", half_step },
  { "ddpm", NULL, posterior_step },
  { "ddpm", "variance=beta", beta_step },
  { "ddpm", "variance=analytic", analytic_step },
  { "ddim", "eta=0.5", half_step },
  { "ddim", "eta=1, variance=beta", beta_step },
  { "em", NULL, em_step },
  { "pc", "corrector-steps=0", beta_step },
  { "pc", "corrector-steps=0, predictor=ancestral", posterior_step },
  { "pc", "corrector-steps=0, predictor=em", em_step },
  { "ito-taylor2", NULL, ito_step },
  { "cas", NULL, cas_step },
  { "lcm", NULL, lcm_step },
  { "tcd", NULL, tcd_step },
};

/* 25 steps: few enough for the bias to tell one rule from another. */
static void
test_linear (gconstpointer user_data)
{
  const int i = GPOINTER_TO_INT (user_data), n = 25;
  const Case c = { linear[i].sampler, linear[i].settings, .steps = n };
  g_autofree double *x = g_new (double, COUNT);
  g_autoptr (SumiExact) data = sumi_exact_parse ("gaussian:0.3,0.5", NULL);
  double sigmas[26], v = TOP * TOP, got;

  fill_karras (n, sigmas);
  for (int k = 0; k < n; k++)
    {
      const double d = 0.25 / (0.25 + sigmas[k] * sigmas[k]);
      double keep = 0, fresh = 0;

      if (k < n - 1)
        linear[i].step (sigmas[k], sigmas[k + 1], &keep, &fresh);
      v = pow (keep + (1 - keep) * d, 2) * v + fresh;
    }
  sample (&c, &data->denoiser, x);
  got = law_of (x, COUNT).variance;
  g_test_message ("%s %s: variance %.4f, expected of %d steps %.4f, the data's 0.25", c.sampler,
                  c.settings ? c.settings : "", got, n, v);
  g_assert_cmpfloat (fabs (got / v - 1), <, ERRORS * sqrt (2.0 / COUNT));
}

/* ---- every process ------------------------------------------------------- */

/* The predictors differ where the signal shrinks and where it does not: sub-VP and VP's tables follow VP. */
static void
test_process (gconstpointer user_data)
{
  static const char *const settings[] = { NULL, NULL, "predictor=ancestral", "predictor=em" };
  const SumiProcessClass *process = user_data;
  const int n = process->n_steps > 0 ? 2 : 4;

  for (int i = 0; i < n; i++)
    {
      const Case c = { i ? "pc" : "em", settings[i],          process->key,
                       .steps = 40,     .variance_bias = 0.1, .weight_bias = 0.01 };

      test_law (&c);
    }
}

/* ---- seeds and jumps ----------------------------------------------------- */

/* The same seed gives the same bytes, another one others. */
static void
test_seed (gconstpointer user_data)
{
  const SumiSamplerClass *sampler = user_data;
  g_autoptr (SumiExact) data = sumi_exact_parse ("gaussian:0.3,0.5", NULL);
  double sigmas[STEPS + 1], x[3][16];

  fill_karras (STEPS, sigmas);
  for (int i = 0; i < 3; i++)
    {
      Runner r = { sampler->key, NULL, NULL, sigmas, STEPS, &data->denoiser, .seed = i == 2 ? 9 : 8 };

      for (int k = 0; k < 16; k++)
        x[i][k] = k;
      run_all (&r, x[i], 16);
    }
  g_assert_cmpmem (x[0], sizeof x[0], x[1], sizeof x[1]);
  g_assert_cmpint (memcmp (x[0], x[2], sizeof x[0]), !=, 0);
}

static int
jump_next (SumiMethod *self, int index)
{
  int *jumps = self->data;

  return (index == 30 || index == 50) && (*jumps)++ % 3 ? index - 10 : index + 1;
}

/* Jumps back in time, as RePaint's, leave the law as it is. */
static void
test_jumps (gconstpointer user_data)
{
  static const SumiMethodClass jumping = { .key = "jumping", .next = jump_next };
  const SumiSamplerClass *sampler = user_data;
  g_autoptr (SumiExact) data = sumi_exact_parse ("gaussian:0.3,0.5", NULL);
  Consistent consistent = { { .denoise = consistent_denoise }, data };
  const gboolean distilled = ! strcmp (sampler->key, "lcm") || ! strcmp (sampler->key, "tcd");
  g_autofree double *x = g_new0 (double, COUNT / 4);
  double sigmas[STEPS + 1];
  int jumps = 1;
  SumiMethod method = { .klass = &jumping, .data = &jumps };
  Runner r = { sampler->key,  NULL,          distilled ? "gamma=1" : NULL,
               sigmas,        STEPS,         &data->denoiser,
               .batch = TRUE, .start = TRUE, .method = &method };
  Law l;

  if (distilled)
    r.denoiser = &consistent.denoiser;
  if (! strcmp (sampler->key, "lcm"))
    r.settings = NULL;
  fill_karras (STEPS, sigmas);
  run_all (&r, x, COUNT / 4);
  l = law_of (x, COUNT / 4);
  g_test_message ("%s: %d jumps: mean %.3f, variance %.4f", sampler->key, jumps, l.mean, l.variance);
  g_assert_cmpfloat (fabs (l.mean - 0.3), <, 0.06);
  g_assert_cmpfloat (fabs (l.variance / 0.25 - 1), <, 0.3);
}

static void
add (const char *what, const char *key, const char *settings, gconstpointer data, GTestDataFunc func)
{
  g_autofree char *path =
      g_strdup_printf ("/stochastic/%s/%s%s%s", what, key, settings ? "/" : "", settings ? settings : "");

  g_test_add_data_func (path, data, func);
}

/* A sampler that no case names is run by its defaults. */
static void
add_law (const SumiSamplerClass *sampler)
{
  gboolean any = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    any |= ! strcmp (cases[i].sampler, sampler->key);
  if (! any)
    {
      Case *c = g_new (Case, 1);

      *c = (Case){ sampler->key, .variance_bias = 0.15 };
      add ("law", sampler->key, NULL, c, test_law);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *more = g_strdup_printf ("%s %s", cases[i].settings ? cases[i].settings : "",
                                               cases[i].process ? cases[i].process : "");

      add ("law", cases[i].sampler, more, &cases[i], test_law);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (linear); i++)
    add ("linear", linear[i].sampler, linear[i].settings, GINT_TO_POINTER ((int) i), test_linear);
  for (const SumiProcessClass *const *p = sumi_processes (); *p; p++)
    add ("process", (*p)->key, NULL, *p, test_process);
  for (const SumiSamplerClass *const *s = sumi_samplers (); *s; s++)
    if ((*s)->stochastic)
      {
        add_law (*s);
        add ("seed", (*s)->key, NULL, *s, test_seed);
        add ("jumps", (*s)->key, NULL, *s, test_jumps);
      }
  return g_test_run ();
}
