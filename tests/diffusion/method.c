/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conditioning methods against the exact conditional distribution of Gaussian pictures (gauss.h): every method of the
 * registry, on every kind of observation that it takes, many samples at once; and what each promises beside. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/diffusion/loop.h"
#include "core/diffusion/method.h"
#include "core/diffusion/plan.h"
#include "core/ops/ops.h"
#include "core/sumi.h"
#include "core/tensor/tensor.h"
#include "tests/diffusion/gauss.h"

#define SAMPLES 500
#define STEPS   50

static const int one[4] = { 1, GAUSS_SIDE, GAUSS_SIDE, 3 };

/* ---- observations -------------------------------------------------------- */

/* The left half is known: free = 0 there, 1 elsewhere; @turned: the other way round. */
static SumiTensor *
half (SumiArena *arena, int n, gboolean turned)
{
  SumiTensor *t = sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, (const int[]){ n, GAUSS_SIDE, GAUSS_SIDE, 1 });

  for (gsize i = 0; i < sumi_tensor_count (t); i++)
    sumi_tensor_put (t, i, (i % GAUSS_SIDE >= GAUSS_SIDE / 2) != turned);
  return t;
}

static SumiOperator *
make (SumiArena *arena, const char *kind, int n)
{
  const int shape[4] = { n, GAUSS_SIDE, GAUSS_SIDE, 3 }, grey[4] = { n, GAUSS_SIDE, GAUSS_SIDE, 1 };

  if (! strcmp (kind, "mask"))
    return sumi_operator_new_mask (shape, half (arena, n, FALSE), FALSE, NULL);
  if (! strcmp (kind, "box"))
    return sumi_operator_new_box (shape, 2, NULL);
  if (! strcmp (kind, "grey"))
    return sumi_operator_new_grey (shape, NULL);
  if (! strcmp (kind, "blur"))
    return sumi_operator_new_blur (shape, 0.5, SUMI_BORDER_REFLECT, NULL);
  if (! strcmp (kind, "blur-box"))
    return sumi_operator_new_composed (sumi_operator_new_box (shape, 2, NULL),
                                       sumi_operator_new_blur (shape, 0.5, SUMI_BORDER_REFLECT, NULL), NULL);
  if (! strcmp (kind, "known-grey"))
    {
      SumiOperator *const parts[] = {
        make (arena, "mask", n),
        sumi_operator_new_composed (sumi_operator_new_mask (grey, half (arena, n, TRUE), FALSE, NULL),
                                    sumi_operator_new_grey (shape, NULL), NULL),
      };

      return sumi_operator_new_stack (2, parts, NULL);
    }
  return NULL;
}

static const struct
{
  const char *kind;
  double noise;
} cases[] = {
  { "mask", 0 },   { "mask", 0.3 }, { "box", 0 },      { "box", 0.2 },      { "grey", 0 },       { "grey", 0.2 },
  { "blur", 0.1 }, { "blur", 0.5 }, { "blur-box", 0 }, { "blur-box", 0.2 }, { "known-grey", 0 }, { "known-grey", 0.2 },
};

/* ---- a run --------------------------------------------------------------- */

typedef struct
{
  const char *method, *settings, *sampler;
  SumiObservation seen;
  SumiDenoiser *denoiser;
  int n, steps, threads;
  gboolean f32;
  double sigma_max;
  guint64 seed;
  const SumiSamplerClass *own; /* instead of the sampler of that name */
  guint64 calls;               /* out */
  int first;                   /* out: step begun with */
  double sigma, start;         /* out: σ there, rms of the state there less the reference */
  int *zeros;                  /* (nullable) out: how often each pixel was 0 after a step */
} Sampling;

static void
watch (gpointer data, int index, double sigma, const SumiTensor *x)
{
  Sampling *s = data;

  for (gsize i = 0; s->zeros && i < GAUSS_DIMS; i++)
    s->zeros[i] += sumi_tensor_get (x, i) == 0;
}

static SumiTensor *
sample (SumiArena *arena, Sampling *s)
{
  g_autoptr (SumiPool) pool = sumi_pool_new (MAX (s->threads, 1));
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, pool);
  g_autoptr (GError) error = NULL;
  g_auto (SumiPlan) plan = { NULL };
  g_autofree double *sigmas = NULL;
  const SumiPlanNames names = {
    .sampler = s->sampler ? s->sampler : "ddim", .schedule = "karras", .method = s->method, .settings = s->settings
  };
  SumiTensor *x = sumi_tensor_new (arena, s->f32 ? SUMI_DTYPE_F32 : SUMI_DTYPE_F64, 4,
                                   (const int[]){ s->n, GAUSS_SIDE, GAUSS_SIDE, 3 });
  SumiMethod method;
  SumiLoop loop = { .denoiser = s->denoiser, .method = &method, .seed = s->seed, .trace = watch, .trace_data = s };
  double sum = 0;

  sumi_plan_init (&plan, &names, &names, &error);
  g_assert_no_error (error);
  loop.n_steps = s->steps ? s->steps : STEPS;
  sigmas = sumi_plan_dup_sigmas (&plan, loop.n_steps, 0.01, s->sigma_max > 0 ? s->sigma_max : 20, NULL, NULL);
  loop.sigmas = sigmas;
  loop.sampler = s->own ? s->own : plan.sampler;
  loop.sampler_options = s->own ? NULL : plan.sampler_options;
  method = (SumiMethod){ .klass = plan.method, .options = plan.method_options, .seen = s->seen };
  sumi_method_check (plan.method, s->denoiser, &s->seen, "test", &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < sumi_tensor_count (x); i++)
    sumi_tensor_put (x, i, 0);
  s->first = sumi_loop_start (&loop, ev, x);
  for (gsize i = 0; i < sumi_tensor_count (x); i++)
    {
      const double d = sumi_tensor_get (x, i) - (s->seen.reference ? sumi_tensor_get (s->seen.reference, i) : 0);

      sum += d * d / (double) sumi_tensor_count (x);
    }
  s->start = sqrt (sum);
  s->sigma = sigmas[s->first];
  sumi_loop_run (&loop, ev, x, s->first, NULL, &error);
  g_assert_no_error (error);
  s->calls = ev->n_denoise;
  return x;
}

/* @n times the picture @from. */
static SumiTensor *
copies (SumiArena *arena, const SumiTensor *from, int n, int dtype)
{
  const gsize size = sumi_tensor_count (from);
  SumiTensor *t =
      sumi_tensor_new (arena, (SumiDType) dtype, 4, (const int[]){ n, from->shape[1], from->shape[2], from->shape[3] });

  for (gsize i = 0; i < sumi_tensor_count (t); i++)
    sumi_tensor_put (t, i, sumi_tensor_get (from, i % size));
  return t;
}

/* What was observed of one picture, @n times, and @y of it once. */
static void
observe (SumiArena *arena,
         const Gauss *g,
         const char *kind,
         double noise,
         int n,
         int dtype,
         SumiObservation *seen,
         SumiTensor **y)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiOperator) a = make (arena, kind, 1);
  SumiTensor *truth = sumi_tensor_new (arena, SUMI_DTYPE_F64, 4, one), *z, *seen_once;

  gauss_draw (g, 5, truth->data);
  seen_once = sumi_operator_apply (a, ev, truth);
  z = sumi_eval_tensor_like (ev, seen_once);
  sumi_noise_fill (ev, z, 99, 0, 0, 0);
  sumi_lincomb (ev, 1, seen_once, noise, z, 0, NULL, seen_once);
  if (! strcmp (kind, "mask"))
    { /* rows that see nothing have no noise */
      seen_once = sumi_operator_apply (a, ev, seen_once);
    }
  *y = copies (arena, seen_once, 1, SUMI_DTYPE_F64);
  *seen = (SumiObservation){
    .a = make (arena, kind, n),
    .y = copies (arena, *y, n, dtype),
    .noise = noise,
    .beyond_mask = strcmp (kind, "mask") || noise > 0,
  };
  if (! strcmp (kind, "mask") && noise == 0)
    {
      seen->free = half (arena, n, FALSE);
      seen->known = seen->y;
    }
  g_assert_no_error (ev->error);
}

/* ---- against the exact distribution -------------------------------------- */

/* How far a method may be off with its default settings, 50 steps, ddim with eta=1 (or its own steps): the mean, root
 * mean square in units of the prior's standard deviation; the sum of variances over the exact one, least and most; the
 * covariance, Frobenius norm over the exact one's (500 exact samples: some 0.14). The first row that fits counts. */
static const struct
{
  const char *method, *kind; /* NULL: every kind */
  double mean, least, most, covariance;
} bounds[] = {
  { "replacement", NULL, 0.20, 0.85, 1.15, 0.25 },
  { "repaint", NULL, 0.13, 0.80, 1.05, 0.22 },
  { "blended", NULL, 0.20, 0.90, 1.20, 0.33 },
  { "differential", NULL, 0.20, 0.90, 1.20, 0.33 },
  { "sdedit", NULL, 0.06, 0.75, 1.05, 0.32 },
  { "ilvr", NULL, 0.06, 0.75, 1.05, 0.32 },
  { "ccdf", NULL, 0.30, 0.52, 1.20, 0.70 },
  { "ddrm", "blur", 0.26, 0.12, 0.25, 0.90 },
  { "ddrm", NULL, 0.13, 0.58, 0.90, 0.42 },
  { "ddnm", "blur", 0.26, 0.12, 0.25, 0.90 },
  { "ddnm", NULL, 0.19, 0.75, 1.25, 0.42 },
  { "dps", "blur", 0.20, 0.45, 2.60, 2.40 },
  { "dps", NULL, 0.28, 0.75, 1.80, 0.80 },
  { "mcg", "blur", 0.12, 0.38, 0.75, 0.65 },
  { "mcg", NULL, 0.16, 0.68, 1.10, 0.36 },
};

static void
hold_to_bounds (const SumiMethodClass *klass,
                const char *kind,
                double noise,
                const SumiTensor *x,
                const double *want,
                GaussMatrix exact,
                guint64 calls)
{
  g_autofree GaussMatrix *have = g_new (GaussMatrix, 1);
  double mean[GAUSS_DIMS], off = 0, trace = 0, exact_trace = 0, covariance;

  gauss_measure (x, mean, *have);
  for (int i = 0; i < GAUSS_DIMS; i++)
    {
      off += (mean[i] - want[i]) * (mean[i] - want[i]) / GAUSS_DIMS;
      trace += (*have)[i][i];
      exact_trace += exact[i][i];
    }
  off = sqrt (off);
  covariance = gauss_frobenius (*have, exact) / gauss_frobenius (exact, NULL);
  g_test_message ("%s of %s, noise %.1f: mean off by %.3f, variance × %.3f, covariance off by %.3f; %d calls",
                  klass->key, kind, noise, off, trace / exact_trace, covariance, (int) calls);
  for (gsize i = 0; i < G_N_ELEMENTS (bounds); i++)
    if (! strcmp (bounds[i].method, klass->key) && (! bounds[i].kind || ! strcmp (bounds[i].kind, kind)))
      {
        g_assert_cmpfloat (off, <, bounds[i].mean);
        g_assert_cmpfloat (trace / exact_trace, >, bounds[i].least);
        g_assert_cmpfloat (trace / exact_trace, <, bounds[i].most);
        g_assert_cmpfloat (covariance, <, bounds[i].covariance);
        return;
      }
  g_error ("the method %s has no row among the bounds: measure how far it is off and add one", klass->key);
}

/* Everything that a method takes of the kinds of observation. */
static void
test_exact (gconstpointer data)
{
  const SumiMethodClass *klass = data;
  g_autofree Gauss *g = gauss_new ();
  int taken = 0;

  for (gsize c = 0; c < G_N_ELEMENTS (cases); c++)
    {
      g_autoptr (SumiArena) arena = sumi_arena_new ();
      g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
      g_autoptr (SumiOperator) exact_a = make (arena, cases[c].kind, 1), a = NULL;
      g_autofree GaussMatrix *exact = g_new (GaussMatrix, 1);
      double mean[GAUSS_DIMS];
      Sampling s = { .method = klass->key,
                     .settings = klass->step ? NULL : "eta=1",
                     .denoiser = &g->denoiser,
                     .n = SAMPLES,
                     .seed = 3 };
      SumiTensor *y, *x;

      observe (arena, g, cases[c].kind, cases[c].noise, SAMPLES, SUMI_DTYPE_F64, &s.seen, &y);
      a = s.seen.a;
      if (klass->needs_reference)
        s.seen.reference = copies (arena, sumi_operator_pinv (exact_a, ev, y), SAMPLES, SUMI_DTYPE_F64);
      if (klass->mask_optional || ! sumi_method_check (klass, &g->denoiser, &s.seen, "test", NULL))
        continue;
      x = sample (arena, &s);
      gauss_posterior (g, exact_a, y->data, cases[c].noise, mean, *exact);
      hold_to_bounds (klass, cases[c].kind, cases[c].noise, x, mean, *exact, s.calls);
      taken++;
    }
  g_assert_cmpint (taken, >, klass->mask_optional ? -1 : 0);
}

/* ILVR's reference is an observation of its shrunk copy. */
static void
test_ilvr (void)
{
  g_autofree Gauss *g = gauss_new ();
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiOperator) a = sumi_operator_new_bicubic (one, 2, NULL);
  g_autofree GaussMatrix *exact = g_new (GaussMatrix, 1);
  double mean[GAUSS_DIMS];
  Sampling s = { .method = "ilvr", .settings = "eta=1, factor=2", .denoiser = &g->denoiser, .n = SAMPLES, .seed = 3 };
  SumiTensor *truth = sumi_tensor_new (arena, SUMI_DTYPE_F64, 4, one), *x;

  gauss_draw (g, 5, truth->data);
  s.seen.reference = copies (arena, truth, SAMPLES, SUMI_DTYPE_F64);
  x = sample (arena, &s);
  gauss_posterior (g, a, sumi_operator_apply (a, ev, truth)->data, 0, mean, *exact);
  hold_to_bounds (sumi_method_find ("ilvr", NULL), "a small copy", 0, x, mean, *exact, s.calls);
}

/* SDEdit draws from what x0 may be given reference + σ·noise: mean m + G·(r − m), covariance σ²·G + σ²·G·Gᵀ. And it
 * begins at that σ. */
static void
test_sdedit (void)
{
  g_autofree Gauss *g = gauss_new ();
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autofree GaussMatrix *exact = g_new0 (GaussMatrix, 1), *gain = g_new (GaussMatrix, 1);
  double mean[GAUSS_DIMS];
  Sampling s = {
    .method = "sdedit", .settings = "eta=1, strength=0.5", .denoiser = &g->denoiser, .n = SAMPLES, .seed = 3
  };
  SumiTensor *truth = sumi_tensor_new (arena, SUMI_DTYPE_F64, 4, one), *x;
  const double *r = truth->data;

  gauss_draw (g, 5, truth->data);
  s.seen.reference = copies (arena, truth, SAMPLES, SUMI_DTYPE_F64);
  x = sample (arena, &s);
  g_assert_cmpint (s.first, ==, STEPS / 2);
  g_assert_cmpfloat_with_epsilon (s.start / s.sigma, 1, 0.01);
  gauss_gain (g, s.sigma, *gain);
  for (int i = 0; i < GAUSS_DIMS; i++)
    {
      mean[i] = g->mean[i];
      for (int k = 0; k < GAUSS_DIMS; k++)
        {
          mean[i] += (*gain)[i][k] * (r[k] - g->mean[k]);
          (*exact)[i][k] += (*gain)[i][k];
          for (int l = 0; l < GAUSS_DIMS; l++)
            (*exact)[i][k] += (*gain)[i][l] * (*gain)[k][l];
          (*exact)[i][k] *= s.sigma * s.sigma;
        }
    }
  hold_to_bounds (sumi_method_find ("sdedit", NULL), "a reference", 0, x, mean, *exact, s.calls);
}

/* ---- masks --------------------------------------------------------------- */

/* An observation by a mask whose columns have these values, f32, of a picture far from the mean. */
static void
observe_columns (SumiArena *arena, const Gauss *g, const double *columns, int n, SumiObservation *seen)
{
  SumiTensor *free = half (arena, n, FALSE), *known;
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  const int shape[4] = { n, GAUSS_SIDE, GAUSS_SIDE, 3 };
  SumiTensor *y;

  known = sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, shape);
  for (gsize i = 0; i < sumi_tensor_count (free); i++)
    sumi_tensor_put (free, i, columns[i % GAUSS_SIDE]);
  for (gsize i = 0; i < sumi_tensor_count (known); i++)
    sumi_tensor_put (known, i, 1.5 - 2 * g->mean[i % GAUSS_DIMS] + 0.1 * (double) (i % 7));
  *seen = (SumiObservation){ .free = free, .known = known, .reference = known };
  seen->a = sumi_operator_new_mask (shape, free, FALSE, NULL);
  y = sumi_operator_apply (seen->a, ev, known);
  seen->y = copies (arena, y, n, SUMI_DTYPE_F32);
}

/* Known pixels come back to the bit, whatever the sampler; pixels known in part change less than free ones. */
static void
test_masks (gconstpointer data)
{
  static const double columns[GAUSS_SIDE] = { 0, 0, 0.3, 1 };
  static const char *const samplers[] = { "ddim", "heun", "dpmpp-2m" };
  const SumiMethodClass *klass = data;
  g_autofree Gauss *g = gauss_new ();

  for (gsize k = 0; k < G_N_ELEMENTS (samplers); k++)
    {
      g_autoptr (SumiArena) arena = sumi_arena_new ();
      g_autoptr (SumiOperator) a = NULL;
      Sampling s = { .method = klass->key,
                     .settings = klass == sumi_method_find ("ilvr", NULL) ? "until=0" : NULL,
                     .sampler = samplers[k],
                     .denoiser = &g->denoiser,
                     .n = 50,
                     .f32 = TRUE,
                     .seed = 4 };
      double change[GAUSS_SIDE] = { 0 };
      SumiTensor *x;

      observe_columns (arena, g, columns, s.n, &s.seen);
      a = s.seen.a;
      x = sample (arena, &s);
      for (gsize i = 0; i < sumi_tensor_count (x); i++)
        change[i / 3 % GAUSS_SIDE] += fabs (sumi_tensor_get (x, i) - sumi_tensor_get (s.seen.known, i));
      g_test_message ("%s with %s: change where free is 0, 0, 0.3 and 1: %g %g %.3f %.3f", klass->key, samplers[k],
                      change[0], change[1], change[2] / 600, change[3] / 600);
      g_assert_cmpfloat (change[0] + change[1], ==, 0);
      g_assert_cmpfloat (change[2], >, 0.05 * change[3]);
      g_assert_cmpfloat (change[2], <, 0.9 * change[3]);
    }
}

/* Draws nothing and forgets the state: what is not held is 0 then. */
static int most_past, no_past;

static void
forget_step (SumiStep *step, SumiEval *ev, SumiTensor *x)
{
  for (gsize i = 0; i < sumi_tensor_count (x); i++)
    sumi_tensor_put (x, i, 0);
  most_past = MAX (most_past, step->n_past);
  no_past += step->n_past == 0;
  sumi_denoise (step->denoiser, ev, x, step->sigma);
}

static const SumiSamplerClass forget = { .key = "forget", .step = forget_step };

static void
test_differential (void)
{
  static const double columns[GAUSS_SIDE] = { 0, 0.25, 0.5, 1 };
  g_autofree Gauss *g = gauss_new ();
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiOperator) a = NULL;
  int zeros[GAUSS_DIMS] = { 0 };
  Sampling s = {
    .method = "differential", .denoiser = &g->denoiser, .own = &forget, .n = 1, .steps = 20, .f32 = TRUE, .zeros = zeros
  };

  observe_columns (arena, g, columns, 1, &s.seen);
  a = s.seen.a;
  sample (arena, &s);
  for (int i = 0; i < GAUSS_DIMS; i++)
    g_assert_cmpint (zeros[i], ==, (int) lround (20 * columns[i / 3 % GAUSS_SIDE]));
}

/* The jumps, counted by hand: 10 steps, back by 3 from states 9, 6 and 3, twice each; the samplers' past is dropped. */
static void
test_jumps (void)
{
  static const char *const methods[] = { "repaint", "ddnm" };
  g_autofree Gauss *g = gauss_new ();
  SumiMethod method = { .n_steps = 10 };

  for (gsize k = 0; k < G_N_ELEMENTS (methods); k++)
    {
      g_autoptr (SumiArena) arena = sumi_arena_new ();
      g_autoptr (SumiOperator) a = NULL;
      g_auto (SumiPlan) plan = { NULL };
      Sampling s = { .method = methods[k],
                     .settings = "jump=3, resample=3",
                     .denoiser = &g->denoiser,
                     .own = &forget,
                     .n = 1,
                     .steps = 10,
                     .f32 = TRUE };
      const SumiPlanNames names = { "euler", "karras", NULL, methods[k], s.settings };

      no_past = most_past = 0;
      observe_columns (arena, g, (const double[]){ 0, 0, 1, 1 }, 1, &s.seen);
      a = s.seen.a;
      sample (arena, &s);
      g_assert_cmpint ((int) s.calls, ==, 10 + 3 * 2 * 3);
      g_assert_true (sumi_plan_init (&plan, &names, &names, NULL));
      method.klass = plan.method;
      method.options = plan.method_options;
      g_assert_cmpint (plan.method->count (&method), ==, 28);
      if (k == 0)
        { /* the longest way without a jump is from 0 past 3 to 6, which the last step sees 5 of */
          g_assert_cmpint (no_past, ==, 1 + 3 * 2);
          g_assert_cmpint (most_past, ==, 5);
        }
    }
}

static void
test_threads (gconstpointer data)
{
  const SumiMethodClass *klass = data;
  g_autofree Gauss *g = gauss_new ();
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  const gsize bytes = 3 * GAUSS_DIMS * sizeof (float);
  SumiTensor *x[3];

  for (int i = 0; i < 3; i++)
    {
      g_autoptr (SumiOperator) a = NULL;
      Sampling s = { .method = klass->key,
                     .settings = klass->step ? NULL : "eta=1",
                     .denoiser = &g->denoiser,
                     .n = 3,
                     .steps = 8,
                     .f32 = TRUE,
                     .threads = i == 1 ? 3 : 1,
                     .seed = i == 2 ? 7 : 6 };

      observe_columns (arena, g, (const double[]){ 0, 0.3, 0.6, 1 }, 3, &s.seen);
      a = s.seen.a;
      x[i] = sample (arena, &s);
    }
  g_assert_cmpmem (x[0]->data, bytes, x[1]->data, bytes);
  g_assert_cmpint (memcmp (x[0]->data, x[2]->data, bytes), !=, 0);
}

/* ---- what cannot be ------------------------------------------------------ */

static void
assert_refused (const SumiMethodClass *klass,
                const SumiDenoiser *denoiser,
                const SumiObservation *seen,
                const char *because)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (sumi_method_check (klass, denoiser, seen, "the model toy", &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, klass->key));
  g_assert_nonnull (strstr (error->message, "the model toy"));
  g_assert_nonnull (strstr (error->message, because));
}

static void
test_refusals (gconstpointer data)
{
  const SumiMethodClass *klass = data;
  g_autofree Gauss *g = gauss_new ();
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiOperator) a = NULL;
  SumiDenoiser blind = { .denoise = g->denoiser.denoise };
  SumiObservation seen;

  observe_columns (arena, g, (const double[]){ 0, 0, 1, 1 }, 1, &seen);
  a = seen.a;
  g_assert_true (sumi_method_check (klass, &g->denoiser, &seen, "toy", NULL));
  if (klass->needs_gradient)
    assert_refused (klass, &blind, &seen, "gradient");
  else
    g_assert_true (sumi_method_check (klass, &blind, &seen, "toy", NULL));
  if (klass->masks_only)
    {
      seen.beyond_mask = TRUE;
      assert_refused (klass, &g->denoiser, &seen, "masks only");
      seen.beyond_mask = FALSE;
    }
  if (klass->needs_reference)
    {
      seen.reference = NULL;
      assert_refused (klass, &g->denoiser, &seen, "start from");
    }
  if (! klass->masks_only && ! klass->needs_reference)
    {
      seen.a = NULL;
      assert_refused (klass, &g->denoiser, &seen, "observation");
    }
}

static void
add (const char *what, const char *key, gconstpointer data, GTestDataFunc func)
{
  g_autofree char *path = g_strdup_printf ("/diffusion/method/%s/%s", what, key);

  g_test_add_data_func (path, data, func);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (const SumiMethodClass *const *m = sumi_methods (); *m; m++)
    {
      add ("exact", (*m)->key, *m, test_exact);
      add ("masks", (*m)->key, *m, test_masks);
      add ("threads", (*m)->key, *m, test_threads);
      add ("refusals", (*m)->key, *m, test_refusals);
    }
  g_test_add_func ("/diffusion/method/ilvr", test_ilvr);
  g_test_add_func ("/diffusion/method/sdedit", test_sdedit);
  g_test_add_func ("/diffusion/method/differential", test_differential);
  g_test_add_func ("/diffusion/method/jumps", test_jumps);
  return g_test_run ();
}
