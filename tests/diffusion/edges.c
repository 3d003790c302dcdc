/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every sampler of the registry on lists that no one should make, but someone does: runs of one step, equal and nearly
 * equal neighbours, σ = 0 before the end, huge ratios, much churn, jumps back, and any number of threads. */
#include <math.h>
#include <string.h>

#include "core/diffusion/method.h"
#include "core/diffusion/sampler.h"
#include "tests/diffusion/run.h"

#define MAX_STEPS 12
#define MANY      10000

/* Jumps from step 2 back to step 1, twice. */
static int
jump_next (SumiMethod *self, int index)
{
  int *jumps = self->data;

  return index == 2 && (*jumps)++ < 2 ? 1 : index + 1;
}

static const SumiMethodClass jump_class = { .key = "jump", .next = jump_next };

typedef struct
{
  const char *what;
  int n;
  double sigmas[MAX_STEPS + 1];
} List;

static const List lists[] = {
  { "one step", 1, { 10, 0 } },
  { "one step, not to 0", 1, { 10, 3 } },
  { "two steps", 2, { 10, 0.3, 0 } },
  { "three steps of huge ratio", 3, { 80, 1, 1e-4, 0 } },
  { "seven steps", 7, { 80, 30, 10, 3, 1, 0.3, 0.05, 0 } },
  { "equal neighbours", 9, { 10, 10, 6, 6, 3, 1, 1, 1, 0.2, 0 } },
  { "nearly equal neighbours", 6, { 10, 10 * (1 - 1e-9), 3, 3 * (1 - 1e-12), 1, 0.2, 0 } },
  { "0 before the end", 5, { 10, 3, 1, 0, 0, 0 } },
  { "0 alone", 1, { 0, 0 } },
  { "not to 0", 4, { 10, 4, 2, 1, 0.5 } },
};

typedef struct
{
  const SumiSamplerClass *sampler;
  SumiExact *data;
  gboolean f32;
} Case;

static void
start (double *x, double sigma)
{
  for (int i = 0; i < RUN_STARTS; i++)
    x[i] = (sigma + 0.7) * run_starts[i];
}

/* A result is a number, of the order of what it began with at most: coarse lists need not bring it to the data. */
static void
check (const Case *c, const List *list, const double *x, const char *how)
{
  for (int i = 0; i < RUN_STARTS; i++)
    if (! isfinite (x[i]) || fabs (x[i]) > 20 * (1 + list->sigmas[0]))
      g_error ("%s, %s, %s, %s: value %d is %g", c->sampler->key, c->f32 ? "f32" : "f64", list->what, how, i, x[i]);
}

static void
test_lists (gconstpointer user_data)
{
  const Case *c = user_data;

  for (int k = 0; k < (int) G_N_ELEMENTS (lists); k++)
    for (int churn = 0; churn < 3; churn++)
      {
        const List *list = &lists[k];
        int jumps = 0;
        SumiMethod jump = { .klass = &jump_class, .data = &jumps };
        Runner r = { c->sampler->key, NULL, NULL, list->sigmas, list->n, &c->data->denoiser, c->f32, 0.5 * churn };
        double x[RUN_STARTS];

        start (x, list->sigmas[0]);
        run_all (&r, x, RUN_STARTS);
        check (c, list, x, churn ? "churn" : "plain");
        if (list->n < 4)
          continue;
        r.method = &jump;
        start (x, list->sigmas[0]);
        run_all (&r, x, RUN_STARTS);
        check (c, list, x, "jumps");
        g_assert_cmpint (jumps, ==, 3);
      }
}

/* A step of size 0 changes nothing, and one step to 0 is D. */
static void
test_ends (gconstpointer user_data)
{
  const Case *c = user_data;
  const double still[] = { 7, 7, 1, 0 }, once[] = { 7, 0 };
  double x[RUN_STARTS], y[RUN_STARTS];
  Runner r = { c->sampler->key, NULL, NULL, still, 3, &c->data->denoiser, FALSE, .stop = 1 };

  if (c->sampler->order == 0 || c->f32)
    return;
  start (x, 7);
  start (y, 7);
  run_all (&r, x, RUN_STARTS);
  g_assert_cmpmem (x, sizeof x, y, sizeof y);
  r.sigmas = once;
  r.n = 1;
  run_all (&r, x, RUN_STARTS);
  for (int i = 0; i < RUN_STARTS; i++)
    {
      double d;

      sumi_exact_denoise (c->data, &y[i], 7, &d);
      g_assert_cmpfloat (fabs (x[i] - d), <, 1e-14);
    }
}

static void
test_threads (gconstpointer user_data)
{
  const Case *c = user_data;
  const double sigmas[] = { 10, 6, 3, 1, 0.3, 0 };
  const int n = c->sampler->calls > 0 ? 5 : 1; /* an adaptive one makes many steps of one */
  g_autofree double *one = g_new (double, MANY), *three = g_new (double, MANY);

  for (int i = 0; i < MANY; i++)
    one[i] = three[i] = 10 * sin (i);
  for (int churn = 0; churn < 2; churn++)
    {
      Runner r = { c->sampler->key,    NULL,   NULL,        sigmas,       n,
                   &c->data->denoiser, c->f32, 0.5 * churn, .threads = 1, .rows = 100 };

      run_all (&r, one, MANY);
      r.threads = 3;
      run_all (&r, three, MANY);
      g_assert_cmpmem (one, MANY * sizeof (double), three, MANY * sizeof (double));
    }
}

static void
add (const char *what, const Case *c, GTestDataFunc test)
{
  g_autofree char *path = g_strdup_printf ("/edges/%s/%s/%s/%s", what, c->sampler->key,
                                           c->data->n > 1 ? "mixture" : "gaussian", c->f32 ? "f32" : "f64");

  g_test_add_data_func (path, c, test);
}

int
main (int argc, char **argv)
{
  g_autoptr (SumiExact) gaussian = sumi_exact_parse ("gaussian:0.3,0.8", NULL);
  g_autoptr (SumiExact) mixture = sumi_exact_parse ("mixture:0.6,-1,0.1;0.4,0.9,0.02", NULL);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);

  g_test_init (&argc, &argv, NULL);
  for (const SumiSamplerClass *const *s = sumi_samplers (); *s; s++)
    for (int k = 0; k < 4; k++)
      {
        Case *c = g_new (Case, 1);

        *c = (Case){ *s, k < 2 ? gaussian : mixture, k % 2 };
        g_ptr_array_add (all, c);
        add ("lists", c, test_lists);
        add ("ends", c, test_ends);
        if (k < 2)
          add ("threads", c, test_threads);
      }
  return g_test_run ();
}
