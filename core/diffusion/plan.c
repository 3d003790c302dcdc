/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/plan.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/option.h"
#include "core/diffusion/guidance.h"
#include "core/diffusion/method.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/schedule.h"

/* ---- settings ------------------------------------------------------------ */

/* Splits "a=1, b=2" into trimmed, non-empty pieces. */
static GStrv
split (const char *text)
{
  g_auto (GStrv) parts = g_strsplit_set (text ? text : "", ",;\n", -1);
  GPtrArray *all = g_ptr_array_new ();

  for (char **p = parts; *p; p++)
    if (*g_strstrip (*p))
      g_ptr_array_add (all, g_strdup (*p));
  g_ptr_array_add (all, NULL);
  return (GStrv) g_ptr_array_free (all, FALSE);
}

/* Cuts @setting at its "=". Returns: (nullable): the value. */
static char *
cut (char *setting, GError **error)
{
  char *value = strchr (setting, '=');

  if (! value)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "settings: “%s” is not of the form key=value, key=value …",
                   setting);
      return NULL;
    }
  *value++ = 0;
  g_strstrip (setting);
  return g_strstrip (value);
}

gboolean
sumi_settings_new (const SumiOption *table, gsize size, const char *text, gpointer *values, GError **error)
{
  g_auto (GStrv) settings = split (text);

  *values = NULL;
  if (! table)
    return TRUE;
  *values = g_malloc0 (size);
  sumi_options_init (table, *values);
  for (char **s = settings; *s; s++)
    {
      char *value = cut (*s, error);
      const SumiOption *option = value ? sumi_option_find (table, *s) : NULL;

      if (value && (! option || sumi_option_set_text (option, *values, value, error)))
        continue;
      sumi_settings_free (table, g_steal_pointer (values));
      return FALSE;
    }
  return TRUE;
}

void
sumi_settings_free (const SumiOption *table, gpointer values)
{
  if (! values)
    return;
  sumi_options_clear (table, values);
  g_free (values);
}

static gboolean
is_known (const char *key, const SumiOption *const *tables, int n)
{
  for (int i = 0; i < n; i++)
    if (tables[i] && sumi_option_find (tables[i], key))
      return TRUE;
  return FALSE;
}

gboolean
sumi_settings_check (const char *text, const SumiOption *const *tables, int n, GError **error)
{
  g_auto (GStrv) settings = split (text);

  for (char **s = settings; *s; s++)
    {
      g_autoptr (GString) all = NULL;

      if (! cut (*s, error))
        return FALSE;
      if (is_known (*s, tables, n))
        continue;
      all = g_string_new (NULL);
      for (int i = 0; i < n; i++)
        for (const SumiOption *o = tables[i]; o && o->key; o++)
          {
            g_autofree char *range = sumi_option_dup_range (o);

            g_string_append_printf (all, "%s%s (%s)", all->len ? ", " : "", o->key, range);
          }
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "settings: what is chosen has no setting “%s”; there %s %s",
                   *s, all->len ? "are" : "is", all->len ? all->str : "none");
      return FALSE;
    }
  return TRUE;
}

const SumiOption *
sumi_setting_find (const char *key)
{
  const SumiOption *found = NULL;

  for (const SumiSamplerClass *const *s = sumi_samplers (); *s && ! found; s++)
    found = (*s)->options ? sumi_option_find ((*s)->options, key) : NULL;
  for (const SumiScheduleClass *const *s = sumi_schedules (); *s && ! found; s++)
    found = (*s)->options ? sumi_option_find ((*s)->options, key) : NULL;
  for (const SumiMethodClass *const *m = sumi_methods (); *m && ! found; m++)
    found = (*m)->options ? sumi_option_find ((*m)->options, key) : NULL;
  return found;
}

/* ---- plans --------------------------------------------------------------- */

gboolean
sumi_plan_is_auto (const char *name)
{
  return ! name || ! *name || ! strcmp (name, "auto");
}

static const char *
choose (const char *name, const char *by_default, const char *at_last)
{
  const char *const all[] = { name, by_default };

  for (int i = 0; i < 2; i++)
    if (! sumi_plan_is_auto (all[i]))
      return all[i];
  return at_last;
}

/* Finds the guidances of a list of names. */
static gboolean
find_guidances (SumiPlan *plan, const char *text, GError **error)
{
  g_auto (GStrv) names = split (text);

  for (char **name = names; *name; name++)
    {
      if (plan->n_guidances == SUMI_PLAN_GUIDANCES)
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "guidance “%s”: more than %d", text, SUMI_PLAN_GUIDANCES);
          return FALSE;
        }
      if (! (plan->guidances[plan->n_guidances] = sumi_guidance_find (*name, error)))
        return FALSE;
      plan->n_guidances++;
    }
  return TRUE;
}

static gboolean
read_guidance_settings (SumiPlan *plan, const char *text, GError **error)
{
  for (int i = 0; i < plan->n_guidances; i++)
    if (! sumi_settings_new (plan->guidances[i]->options, plan->guidances[i]->options_size, text,
                             &plan->guidance_options[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
read_settings (SumiPlan *plan, const char *text, GError **error)
{
  const SumiOption *tables[3 + SUMI_PLAN_GUIDANCES] = {
    plan->sampler->options,
    plan->schedule->options,
    plan->method ? plan->method->options : NULL,
  };

  for (int i = 0; i < plan->n_guidances; i++)
    tables[3 + i] = plan->guidances[i]->options;
  return sumi_settings_check (text, tables, G_N_ELEMENTS (tables), error) &&
         sumi_settings_new (tables[0], plan->sampler->options_size, text, &plan->sampler_options, error) &&
         sumi_settings_new (tables[1], plan->schedule->options_size, text, &plan->schedule_options, error) &&
         (! plan->method ||
          sumi_settings_new (tables[2], plan->method->options_size, text, &plan->method_options, error)) &&
         read_guidance_settings (plan, text, error);
}

gboolean
sumi_plan_init (SumiPlan *plan, const SumiPlanNames *names, const SumiPlanNames *defaults, GError **error)
{
  const char *method = choose (names->method, defaults->method, NULL);

  *plan = (SumiPlan){
    .sampler = sumi_sampler_find (choose (names->sampler, defaults->sampler, NULL), error),
  };
  if (plan->sampler)
    plan->schedule = sumi_schedule_find (choose (names->schedule, defaults->schedule, NULL), error);
  if (plan->schedule)
    plan->process = sumi_process_find (choose (names->process, defaults->process, "edm"), error);
  if (plan->process && method)
    plan->method = sumi_method_find (method, error);
  if (plan->process && (! method || plan->method) &&
      find_guidances (plan, choose (names->guidance, defaults->guidance, NULL), error) &&
      read_settings (plan, names->settings, error))
    return TRUE;
  sumi_plan_clear (plan);
  return FALSE;
}

void
sumi_plan_clear (SumiPlan *plan)
{
  if (plan->sampler)
    sumi_settings_free (plan->sampler->options, plan->sampler_options);
  if (plan->schedule)
    sumi_settings_free (plan->schedule->options, plan->schedule_options);
  if (plan->method)
    sumi_settings_free (plan->method->options, plan->method_options);
  for (int i = 0; i < plan->n_guidances; i++)
    sumi_settings_free (plan->guidances[i]->options, plan->guidance_options[i]);
  *plan = (SumiPlan){ NULL };
}

double *
sumi_plan_dup_sigmas (const SumiPlan *plan,
                      int n,
                      double sigma_min,
                      double sigma_max,
                      const SumiErrorTable *errors,
                      GError **error)
{
  g_autofree double *sigmas = g_new0 (double, n + 1);
  const SumiScheduleInput input = {
    .sigma_min = sigma_min,
    .sigma_max = sigma_max,
    .process = plan->process,
    .errors = errors,
    .options = plan->schedule_options,
  };

  return plan->schedule->sigmas (n, &input, sigmas, error) ? g_steal_pointer (&sigmas) : NULL;
}

gboolean
sumi_plan_guide (const SumiPlan *plan,
                 const SumiGuidanceParts *parts,
                 const char *who,
                 SumiGuidance **guidance,
                 GError **error)
{
  g_autoptr (SumiGuidance) outer = NULL;
  gboolean conditioned = FALSE;

  for (int i = 0; i < plan->n_guidances; i++)
    {
      SumiGuidanceParts own = *parts;
      SumiGuidance *next;

      own.base = outer ? &outer->denoiser : parts->base;
      conditioned |= plan->guidances[i]->conditions != SUMI_GUIDANCE_NONE || plan->guidances[i]->needs_classifier;
      if (! (next = sumi_guidance_new (plan->guidances[i], plan->guidance_options[i], &own, who, error)))
        return FALSE;
      next->inside = g_steal_pointer (&outer);
      outer = next;
    }
  if (parts->n > 0 && ! conditioned)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                   "conditions were given, and no guidance that takes them; choose one (sumi list guidance)");
      return FALSE;
    }
  *guidance = g_steal_pointer (&outer);
  return TRUE;
}
