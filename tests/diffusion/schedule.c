/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every schedule falls, has the length asked for and ends in 0; and the lists are those of their papers and of the
 * public libraries: values are worked out here anew, or written down from what diffusers and k-diffusion give. */
#include <math.h>
#include <string.h>

#include "core/sumi.h"

#define SIGMA_MAX 80.0
#define SIGMA_MIN 0.002

/* Errors of Gaussian data of deviation 1/2: E (x0 − D)² = s²σ²/(s² + σ²). */
static double table_sigma[64], table_error[64];
static const SumiErrorTable table = { 64, table_sigma, table_error };

/* n + 1 levels. */
static double *
list (const char *key, const char *process, const char *settings, int n, double sigma_min, double sigma_max)
{
  g_auto (SumiPlan) plan = { NULL };
  const SumiPlanNames names = { .sampler = "euler", .schedule = key, .process = process, .settings = settings };
  g_autoptr (GError) error = NULL;
  double *sigmas;

  g_assert_true (sumi_plan_init (&plan, &names, &names, &error));
  sigmas = sumi_plan_dup_sigmas (&plan, n, sigma_min, sigma_max, &table, &error);
  g_assert_no_error (error);
  return sigmas;
}

static void
assert_list (const char *what, const double *got, const double *wanted, int n, double relative)
{
  for (int i = 0; i < n; i++)
    if (! (fabs (got[i] - wanted[i]) <= relative * fabs (wanted[i])))
      g_error ("%s: level %d is %.17g, should be %.17g", what, i, got[i], wanted[i]);
}

/* ---- every row ----------------------------------------------------------- */

/* Those that by their definition stop above σ_min, or start below σ_max. */
static gboolean
is_open (const SumiScheduleClass *schedule, const char *const *keys)
{
  return g_strv_contains (keys, schedule->key);
}

static void
check_list (const SumiScheduleClass *schedule, const char *process, int n, double sigma_min, double sigma_max)
{
  static const char *const open_top[] = { "leading", NULL }, *const open_bottom[] = { "trailing", "ays", NULL };
  g_autofree double *sigmas = list (schedule->key, process, NULL, n, sigma_min, sigma_max);

  if (is_open (schedule, open_top))
    g_assert_cmpfloat (sigmas[0], <=, sigma_max * (1 + 1e-9));
  else
    g_assert_cmpfloat (fabs (sigmas[0] / sigma_max - 1), <, sumi_process_find (process, NULL)->n_steps ? 1e-9 : 1e-15);
  if (n > 1 && ! is_open (schedule, open_bottom))
    g_assert_cmpfloat (fabs (sigmas[n - 1] / sigma_min - 1), <,
                       sumi_process_find (process, NULL)->n_steps ? 1e-9 : 1e-15);
  if (n > 1)
    g_assert_cmpfloat (sigmas[n - 1], >=, sigma_min * (1 - 1e-9));
  g_assert_cmpfloat (sigmas[n], ==, 0);
  for (int i = 0; i < n; i++)
    g_assert_cmpfloat (sigmas[i], >, sigmas[i + 1]);
}

static void
test_row (gconstpointer data)
{
  for (int n = 1; n <= 101; n += n < 4 ? 1 : 97)
    for (const SumiProcessClass *const *p = sumi_processes (); *p; p++)
      {
        const double low = (*p)->sigma (MAX ((*p)->t_min, 1e-3 * ! (*p)->n_steps)), high = (*p)->sigma ((*p)->t_max);

        check_list (data, (*p)->key, n, low, high);
        if (! (*p)->n_steps)
          check_list (data, (*p)->key, n, SIGMA_MIN, SIGMA_MAX);
        else if (n < 20)
          check_list (data, (*p)->key, n, (*p)->sigma (100), (*p)->sigma (600));
      }
}

/* ---- formulas ------------------------------------------------------------ */

static void
test_formulas (void)
{
  const int n = 13;
  double wanted[4][13];

  for (int i = 0; i < n; i++)
    {
      const double ramp = i / 12.0;

      wanted[0][i] = pow ((1 - ramp) * pow (SIGMA_MAX, 1 / 5.0) + ramp * pow (SIGMA_MIN, 1 / 5.0), 5);
      wanted[1][i] = exp (pow (1 - ramp, 1.7) * (log (SIGMA_MAX) - log (SIGMA_MIN)) + log (SIGMA_MIN));
      wanted[2][i] = exp ((1 - ramp) * log (SIGMA_MAX) + ramp * log (SIGMA_MIN));
      wanted[3][i] = SIGMA_MAX + ramp * (SIGMA_MIN - SIGMA_MAX);
    }
  {
    g_autofree double *karras = list ("karras", NULL, "rho=5", n, SIGMA_MIN, SIGMA_MAX);
    g_autofree double *poly = list ("polyexponential", NULL, "rho=1.7", n, SIGMA_MIN, SIGMA_MAX);
    g_autofree double *straight = list ("polyexponential", NULL, NULL, n, SIGMA_MIN, SIGMA_MAX);
    g_autofree double *uniform = list ("uniform", "edm", NULL, n, SIGMA_MIN, SIGMA_MAX);

    assert_list ("karras", karras, wanted[0], n, 1e-12);
    assert_list ("polyexponential", poly, wanted[1], n, 1e-12);
    assert_list ("polyexponential, straight", straight, wanted[2], n, 1e-12);
    assert_list ("uniform", uniform, wanted[3], n, 1e-11);
  }
  for (int k = 0; k < 3; k++)
    {
      const char *const same[] = { "exponential", "lambda", "geometric" };
      g_autofree double *ratios = list (same[k], NULL, NULL, n, SIGMA_MIN, SIGMA_MAX);

      assert_list (same[k], ratios, wanted[2], n, 1e-12);
    }
}

/* Equal steps of the cosine process' angle: ᾱ = cos² θ = 1/(1 + σ²). */
static void
test_cosine (void)
{
  g_autofree double *sigmas = list ("cosine", NULL, NULL, 9, SIGMA_MIN, SIGMA_MAX);
  const double step = acos (sqrt (1 / (1 + sigmas[1] * sigmas[1]))) - acos (sqrt (1 / (1 + sigmas[0] * sigmas[0])));

  for (int i = 1; i < 8; i++)
    {
      const double a = acos (sqrt (1 / (1 + sigmas[i] * sigmas[i]))),
                   b = acos (sqrt (1 / (1 + sigmas[i + 1] * sigmas[i + 1])));

      g_assert_cmpfloat (fabs (b - a - step), <, 1e-9);
    }
}

/* ---- diffusers' times ---------------------------------------------------- */

static void
check_times (const char *key, const char *settings, int n, const int *times)
{
  static const char *const tables[] = { "ddpm-linear", "ddpm-scaled-linear", "ddpm-cosine", "ddpm-zero-snr" };

  for (gsize k = 0; k < G_N_ELEMENTS (tables); k++)
    {
      const SumiProcessClass *p = sumi_process_find (tables[k], NULL);
      g_autofree double *sigmas = list (key, tables[k], settings, n, p->sigma (0), p->sigma (999));

      for (int i = 0; i < n; i++)
        g_assert_cmpfloat (sigmas[i], ==, p->sigma (times[i]));
      g_assert_cmpfloat (sigmas[n], ==, 0);
    }
}

static void
test_spacing (void)
{
  static const int leading7[] = { 852, 710, 568, 426, 284, 142, 0 };
  static const int trailing7[] = { 999, 856, 713, 570, 428, 285, 142 };
  static const int trailing16[] = { 999, 937, 874, 811, 749, 687, 624, 561, 499, 437, 374, 311, 249, 187, 124, 61 };
  int leading[2][50], trailing[50];

  check_times ("leading", NULL, 7, leading7);
  check_times ("trailing", NULL, 7, trailing7);
  check_times ("trailing", NULL, 16, trailing16);
  for (int n = 10; n <= 50; n += 40)
    {
      for (int i = 0; i < n; i++)
        {
          leading[0][i] = (n - 1 - i) * 1000 / n; /* 900 … 0, 980 … 0 */
          leading[1][i] = leading[0][i] + 1;
          trailing[i] = 1000 - i * 1000 / n - 1; /* 999 … 99, 999 … 19 */
        }
      check_times ("leading", NULL, n, leading[0]);
      check_times ("leading", "offset=1", n, leading[1]);
      check_times ("trailing", NULL, n, trailing);
    }
}

static void
test_too_many (void)
{
  g_auto (SumiPlan) plan = { NULL };
  const SumiPlanNames names = { .sampler = "euler", .schedule = "trailing", .process = "ddpm-linear" };
  g_autoptr (GError) error = NULL;

  g_assert_true (sumi_plan_init (&plan, &names, &names, NULL));
  g_assert_null (sumi_plan_dup_sigmas (&plan, 1001, plan.process->sigma (0), plan.process->sigma (999), NULL, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);
  g_assert_nonnull (strstr (error->message, "at most 1000"));
}

/* ---- Align Your Steps ---------------------------------------------------- */

static void
test_ays (void)
{
  static const double sd15[] = { 14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0 };
  static const double svd[] = { 700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0 };
  g_autofree double *own = list ("ays", NULL, NULL, 10, 0.029, 14.615);
  g_autofree double *video = list ("ays", NULL, "list=svd", 10, 0.002, 700);
  g_autofree double *twice = list ("ays", NULL, "list=sd15", 20, 0.029, 14.615);
  g_autofree double *wide = list ("ays", NULL, NULL, 10, 0.029 * 0.029, 14.615 * 14.615);
  g_autofree double *xl = list ("ays", NULL, "list=sdxl", 10, 0.029, 14.615);

  assert_list ("sd15", own, sd15, 11, 1e-12);
  assert_list ("svd", video, svd, 11, 1e-12);
  g_assert_cmpfloat (fabs (xl[4] - 1.342), <, 1e-12);
  for (int i = 0; i < 10; i++)
    {
      g_assert_cmpfloat (fabs (twice[2 * i] / sd15[i] - 1), <, 1e-12);
      g_assert_cmpfloat (fabs (twice[2 * i + 1] / sqrt (sd15[i] * (i < 9 ? sd15[i + 1] : 0.029)) - 1), <, 1e-12);
      g_assert_cmpfloat (fabs (wide[i] / (sd15[i] * sd15[i]) - 1), <, 1e-12); /* twice the range in ln σ */
    }
}

/* ---- the dynamic programme ----------------------------------------------- */

/* Every choice of n − 2 inner levels of the candidates of a small range, tried one by one. What dp finds on its finer
 * grid may not cost more; and on so fine a grid not much less. */
static void
test_dp_brute_force (void)
{
  const int count = 14;
  double levels[14], chosen[14];

  for (int i = 0; i < count; i++)
    levels[i] = 5 * pow (0.1 / 5, i / (count - 1.0));
  for (int n = 2; n <= 6; n++)
    {
      g_autofree double *found = list ("dp", NULL, NULL, n, 0.1, 5);
      double best = INFINITY, cost;

      for (guint set = 0; set < 1u << (count - 2); set++)
        {
          int k = 0;

          if (__builtin_popcount (set) != n - 2)
            continue;
          chosen[k++] = levels[0];
          for (int i = 0; i < count - 2; i++)
            if (set >> i & 1)
              chosen[k++] = levels[i + 1];
          chosen[k++] = levels[count - 1];
          cost = 0;
          for (int i = 0; i + 1 < n; i++)
            cost += (pow (chosen[i + 1], -2) - pow (chosen[i], -2)) / 2 * 0.25 * pow (chosen[i], 2) /
                    (0.25 + pow (chosen[i], 2));
          best = MIN (best, cost);
        }
      cost = sumi_error_cost (&table, found, n);
      g_test_message ("%d levels: %.6f nats per value, best of the coarse grid %.6f", n, cost, best);
      g_assert_cmpfloat (cost, <=, best * 1.001); /* the table is read between its levels */
      g_assert_cmpfloat (cost, >=, best * 0.9);
    }
}

/* Levels that are exactly the table's: the cost is then the table's own, and dp must find the optimum that calculus
 * gives. With error (σ) = σ² the cost Σ ½·(σ_i²/σ_{i+1}² − 1) is least for equal ratios. */
static void
test_dp_optimum (void)
{
  double sigma[3] = { 1e-3, 1, 1e3 }, squared[3] = { 1e-6, 1, 1e6 };
  const SumiErrorTable square = { 3, sigma, squared };
  const SumiScheduleInput input = { .sigma_min = 0.01, .sigma_max = 10, .errors = &square };
  double found[10];

  g_assert_true (sumi_schedule_find ("dp", NULL)->sigmas (8, &input, found, NULL));
  for (int i = 0; i < 8; i++)
    g_assert_cmpfloat (fabs (log (found[i] / (10 * pow (1e-3, i / 7.0)))), <, 0.008); /* half a step of the grid */
}

static void
test_dp_against_others (void)
{
  static const char *const others[] = { "karras", "exponential", "cosine" };

  for (int n = 2; n <= 300; n = n * 3 / 2 + 1)
    {
      g_autofree double *own = list ("dp", NULL, NULL, n, SIGMA_MIN, SIGMA_MAX);

      for (int k = 0; k < 3; k++)
        {
          g_autofree double *other = list (others[k], NULL, NULL, n, SIGMA_MIN, SIGMA_MAX);

          g_test_message ("%d levels: dp %.5f, %s %.5f nats per value", n, sumi_error_cost (&table, own, n), others[k],
                          sumi_error_cost (&table, other, n));
          g_assert_cmpfloat (sumi_error_cost (&table, own, n), <=,
                             sumi_error_cost (&table, other, n) * (k ? 1.001 : 1 + 1e-12));
        }
    }
}

static void
test_dp_without_table (void)
{
  const SumiScheduleInput input = { .sigma_min = 0.01, .sigma_max = 10 };
  g_autoptr (GError) error = NULL;
  double sigmas[9];

  g_assert_false (sumi_schedule_find ("dp", NULL)->sigmas (8, &input, sigmas, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "sumi tune"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (int i = 0; i < table.n; i++)
    {
      table_sigma[i] = 1e-3 * pow (1e5, i / 63.0);
      table_error[i] = pow (0.5 * table_sigma[i], 2) / (0.25 + pow (table_sigma[i], 2));
    }
  for (const SumiScheduleClass *const *s = sumi_schedules (); *s; s++)
    {
      g_autofree char *path = g_strdup_printf ("/schedule/row/%s", (*s)->key);

      g_test_add_data_func (path, *s, test_row);
    }
  g_test_add_func ("/schedule/formulas", test_formulas);
  g_test_add_func ("/schedule/cosine", test_cosine);
  g_test_add_func ("/schedule/spacing", test_spacing);
  g_test_add_func ("/schedule/too-many", test_too_many);
  g_test_add_func ("/schedule/ays", test_ays);
  g_test_add_func ("/schedule/dp/brute-force", test_dp_brute_force);
  g_test_add_func ("/schedule/dp/optimum", test_dp_optimum);
  g_test_add_func ("/schedule/dp/others", test_dp_against_others);
  g_test_add_func ("/schedule/dp/no-table", test_dp_without_table);
  return g_test_run ();
}
