/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/sumi.h"
#include "core/tools/simulate.h"

#define MAX_SAMPLES 65536 /* what the noise can number */
#define MAX_STATES  (1 << 24)
#define SHOWN       48 /* paths in a picture */
#define LISTED      16 /* start values up to which all states are worth keeping */
#define LEVELS      64 /* of the table of errors */

/* ---- start values -------------------------------------------------------- */

/* The coordinates of one point. */
static gboolean
parse_point (const char *text, int dims, double *out)
{
  for (int c = 0; c < dims; c++)
    {
      char *end = NULL;

      text += strspn (text, " \t\n,");
      out[c] = g_ascii_strtod (text, &end);
      if (end == text || ! isfinite (out[c]) || (*end && ! strchr (" \t\n,", *end)))
        return FALSE;
      text = end;
    }
  return text[strspn (text, " \t\n,")] == 0;
}

double *
sumi_simulation_parse (const char *what, const char *text, int dims, int *n, GError **error)
{
  g_auto (GStrv) points = g_strsplit_set (text, dims == 1 ? ";, \t\n" : ";", -1);
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (double) * (guint) dims);
  g_autofree double *point = g_new (double, dims);

  for (char **p = points; *p; p++)
    {
      if (! *g_strstrip (*p))
        continue;
      if (! parse_point (*p, dims, point))
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                       dims == 1 ? _ ("%s: “%.60s” is not a number; expected V,V…") :
                                   _ ("%s: “%.60s” is not a point of %d numbers; expected V,V;V,V… as the data has"),
                       what, *p, dims);
          return NULL;
        }
      g_array_append_vals (all, point, 1);
    }
  if (all->len < 1 || all->len > MAX_SAMPLES)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("%s: %u values; expected 1 to %d"), what, all->len,
                   MAX_SAMPLES);
      return NULL;
    }
  *n = (int) all->len;
  return (double *) g_array_free (g_steal_pointer (&all), FALSE);
}

static gboolean
take_start (SumiSimulation *self, GError **error)
{
  const SumiSimulateOptions *o = self->options;

  self->given = *o->start != 0;
  if (self->given)
    return (self->x = sumi_simulation_parse ("--start", o->start, self->data->dims, &self->n, error)) != NULL;
  self->n = o->samples;
  self->x = g_new0 (double, (gsize) self->n *(gsize) self->data->dims);
  return TRUE;
}

/* ---- noise levels -------------------------------------------------------- */

/* The table that lists made for a model read. */
static void
fill_errors (const SumiExact *data, double sigma_min, double sigma_max, double *sigma, double *error)
{
  const int samples = CLAMP (4000000 / data->n / data->dims, 16, 4000);

  for (int i = 0; i < LEVELS; i++)
    {
      sigma[i] = sigma_min * pow (sigma_max / sigma_min, i / (LEVELS - 1.0));
      error[i] = sumi_exact_error (data, sigma[i], samples, 0);
    }
}

static gboolean
list_sigmas (SumiSimulation *self, GError **error)
{
  const SumiSimulateOptions *o = self->options;
  const SumiProcessClass *process = self->plan.process;
  const double low = o->sigma_min > 0 ? o->sigma_min : process->sigma (process->t_min);
  const double high = o->sigma_max > 0 ? o->sigma_max : process->sigma (process->t_max);
  double sigma[LEVELS], wrong[LEVELS];
  const SumiErrorTable errors = { LEVELS, sigma, wrong };
  /* for many points it takes a while */
  const gboolean needs_errors = self->plan.schedule->needs_errors;

  self->n_steps = o->steps;
  if (! (low < high))
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                   _ ("--sigma-min is %g and --sigma-max %g; expected a minimum below the maximum"), low, high);
      return FALSE;
    }
  if (needs_errors)
    fill_errors (self->data, low, high, sigma, wrong);
  self->sigmas = sumi_plan_dup_sigmas (&self->plan, self->n_steps, low, high, needs_errors ? &errors : NULL, error);
  return self->sigmas != NULL;
}

/* ---- guidance ------------------------------------------------------------ */

static gboolean
take_conditions (SumiSimulation *self, SumiGuidanceParts *parts, GError **error)
{
  const SumiSimulateOptions *o = self->options;

  if (*o->condition)
    {
      self->conditions = sumi_exact_conditions_parse (self->data, o->condition, error);
      if (! self->conditions)
        return g_prefix_error (error, "--condition: "), FALSE;
      *parts = self->conditions->parts;
      if (self->conditions->n == 1)
        self->truth = self->conditions->given[0];
    }
  if (*o->negative)
    {
      self->negative = sumi_exact_conditions_parse (self->data, o->negative, error);
      if (! self->negative)
        return g_prefix_error (error, "--negative: "), FALSE;
      if (self->negative->n > 1)
        {
          g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                               _ ("--negative: more than one; join parts by +, or give them weights below 0 in "
                                  "--condition"));
          return FALSE;
        }
      parts->base = self->negative->conditions[0];
    }
  return TRUE;
}

/* The loss (x0 − V)²/(2·STD²), and the truth given that V was seen. */
static gboolean
take_wish (SumiSimulation *self, SumiGuidanceParts *parts, GError **error)
{
  const int dims = self->data->dims;
  g_autofree double *v = NULL;
  int n;

  if (! *self->options->wish)
    return TRUE;
  v = sumi_simulation_parse ("--wish", self->options->wish, dims + 1, &n, error);
  if (! v)
    return FALSE;
  if (n != 1 || ! (v[dims] > 0))
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("--wish: expected one V…,STD with STD above 0"));
      return FALSE;
    }
  self->wish = g_new (double, (gsize) self->n *(gsize) dims);
  for (gsize i = 0; i < (gsize) self->n; i++)
    memcpy (self->wish + i * (gsize) dims, v, sizeof (double) * (gsize) dims);
  self->target = (SumiTensor){ SUMI_DTYPE_F64, 4, { self->n, 1, 1, dims }, self->wish, NULL };
  sumi_target_loss_init (&self->loss, &self->target, NULL, v[dims]);
  self->loss.spread = self->options->wish_spread;
  parts->loss = &self->loss.potential;
  self->truth = self->wished = sumi_exact_seen (self->truth, v, v[dims]);
  return TRUE;
}

static gboolean
takes_loss (const SumiPlan *plan)
{
  for (int i = 0; i < plan->n_guidances; i++)
    if (plan->guidances[i]->needs_loss)
      return TRUE;
  return FALSE;
}

/* The guidance of the conditions and the wish; what is not wanted takes the place of the data as its base. */
static gboolean
take_guidance (SumiSimulation *self, GError **error)
{
  const SumiSimulateOptions *o = self->options;
  SumiGuidanceParts parts = { .base = &self->data->denoiser };

  self->truth = self->data;
  if (! take_conditions (self, &parts, error) || ! take_wish (self, &parts, error))
    return FALSE;
  if ((*o->condition || *o->negative) && ! self->plan.n_guidances)
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                           _ ("--condition and --negative are for a guidance: add --guidance cfg, or another of “sumi "
                              "list guidance”"));
      return FALSE;
    }
  if (takes_loss (&self->plan) != (*o->wish != 0))
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                           _ ("--guidance gradient and --wish V…,STD, what it pulls to, need each other"));
      return FALSE;
    }
  return sumi_plan_guide (&self->plan, &parts, self->options->data, &self->guidance, error);
}

/* ---- the run ------------------------------------------------------------- */

static gboolean
keep_states (SumiSimulation *self, GError **error)
{
  const gsize levels = (gsize) self->n_steps + 1, dims = (gsize) self->data->dims;

  self->kept = self->options->json || self->n <= LISTED ? self->n : *self->options->svg ? MIN (self->n, SHOWN) : 0;
  if (levels * (gsize) self->kept * dims > MAX_STATES)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                   _ ("the states would be %.0f numbers, at most %d are kept: take fewer samples or steps"),
                   (double) (levels * (gsize) self->kept * dims), MAX_STATES);
      return FALSE;
    }
  self->states = g_new0 (double, levels *(gsize) self->kept *dims + 1);
  return TRUE;
}

SumiSimulation *
sumi_simulation_new (const SumiSimulateOptions *options, GError **error)
{
  static const SumiPlanNames defaults = { .sampler = "euler", .schedule = "karras" };
  const SumiPlanNames names = {
    .sampler = options->sampler,
    .schedule = options->schedule,
    .process = options->process,
    .guidance = options->guidance,
    .settings = options->settings,
  };
  g_autoptr (SumiSimulation) self = g_new0 (SumiSimulation, 1);

  self->options = options;
  if (! *options->data)
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                           _ ("--data is missing; “sumi simulate --help” shows what it takes"));
      return NULL;
    }
  self->data = sumi_exact_parse (options->data, error);
  if (! self->data || ! sumi_plan_init (&self->plan, &names, &defaults, error) || ! take_start (self, error) ||
      ! take_guidance (self, error) || ! list_sigmas (self, error) || ! keep_states (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
sumi_simulation_free (SumiSimulation *self)
{
  if (! self)
    return;
  sumi_guidance_free (self->guidance);
  sumi_exact_conditions_free (self->conditions);
  sumi_exact_conditions_free (self->negative);
  sumi_exact_free (self->wished);
  g_free (self->wish);
  sumi_exact_free (self->data);
  sumi_plan_clear (&self->plan);
  g_free (self->sigmas);
  g_free (self->x);
  g_free (self->states);
  g_free (self);
}

static void
keep (gpointer data, int index, double sigma, const SumiTensor *x)
{
  SumiSimulation *self = data;
  const gsize size = (gsize) self->kept * (gsize) self->data->dims;

  memcpy (self->states + (gsize) index * size, x->data, sizeof (double) * size);
}

gboolean
sumi_simulation_run (SumiSimulation *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (SumiPool) pool = sumi_pool_new (self->options->threads);
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), pool);
  SumiJob job = { .cancellable = cancellable };
  SumiTensor x = { SUMI_DTYPE_F64, 4, { self->n, 1, 1, self->data->dims }, self->x, NULL };
  const SumiLoop loop = {
    .denoiser = self->guidance ? &self->guidance->denoiser : &self->data->denoiser,
    .sampler = self->plan.sampler,
    .sampler_options = self->plan.sampler_options,
    .process = self->plan.process,
    .sigmas = self->sigmas,
    .n_steps = self->n_steps,
    .churn = self->options->churn,
    .seed = (guint64) self->options->seed,
    .trace = self->kept ? keep : NULL,
    .trace_data = self,
  };

  ev->cancellable = cancellable;
  if (! self->given)
    sumi_loop_start (&loop, ev, &x);
  if (! sumi_loop_run (&loop, ev, &x, 0, &job, error))
    return FALSE;
  self->calls = ev->n_denoise;
  return TRUE;
}
