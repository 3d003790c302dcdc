/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sumi list samplers, schedules, processes, guidance, methods. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "core/sumi.h"
#include "core/tools/cli.h"
#include "core/tools/json-out.h"
#include "core/tools/list.h"

/* ---- what all have ------------------------------------------------------- */

static void
append_trait (GString *traits, const char *trait)
{
  g_string_append_printf (traits, "%s%s", traits->len ? ", " : "", trait);
}

/* "    eta    Noise added ... (0 to 1; default 0)" */
static void
describe_setting (GString *out, const SumiOption *option)
{
  g_autofree char *left = g_strdup_printf ("    %s", option->key), *range = sumi_option_dup_range (option);
  const gboolean text = option->type == SUMI_OPTION_STRING || option->type == SUMI_OPTION_CHOICE;
  g_autofree char *value = text                             ? g_strdup (option->text ? option->text : "") :
                           option->type == SUMI_OPTION_BOOL ? g_strdup (option->value != 0 ? "yes" : "no") :
                                                              g_strdup_printf ("%.10g", option->value);
  g_autoptr (GString) right = g_string_new (option->blurb ? _ (option->blurb) : "");

  g_string_append_printf (right, " (%s", range);
  if (option->unit)
    g_string_append_printf (right, " %s", _ (option->unit));
  if (*value)
    g_string_append_printf (right, "; %s %s", _ ("default"), value);
  g_string_append_c (right, ')');
  sumi_cli_append_row (out, left, right->str);
}

/* @traits: (nullable): what text says beside the paper. */
static void
finish (SumiList *list, const char *traits, const char *paper, const SumiOption *settings)
{
  if (list->json)
    {
      sumi_json_out_string (list->out, "paper", paper);
      sumi_json_out_open (list->out, "settings", '[');
      for (const SumiOption *o = settings; o && o->key; o++)
        sumi_list_option (list, o);
      sumi_json_out_close (list->out, ']');
    }
  else
    {
      if (traits && *traits)
        sumi_cli_append_row (list->out, "", traits);
      if (paper && *paper)
        sumi_cli_append_row (list->out, "", paper);
      for (const SumiOption *o = settings; o && o->key; o++)
        describe_setting (list->out, o);
    }
  sumi_list_end (list);
}

/* ---- the lists ----------------------------------------------------------- */

void
sumi_list_samplers (SumiList *list)
{
  for (const SumiSamplerClass *const *s = sumi_samplers (); *s; s++)
    {
      g_autoptr (GString) traits = g_string_new (NULL);
      g_autofree char *order = g_strdup_printf (_ ("order %d"), (*s)->order);
      g_autofree char *calls = g_strdup_printf (
          g_dngettext (GETTEXT_PACKAGE, "%d call a step", "%d calls a step", (gulong) (*s)->calls), (*s)->calls);

      if ((*s)->order > 0)
        append_trait (traits, order);
      append_trait (traits, (*s)->calls > 0 ? calls : _ ("as many calls as the tolerance needs"));
      if ((*s)->stochastic)
        append_trait (traits, _ ("adds noise of its own"));
      sumi_list_begin (list, (*s)->key, _ ((*s)->label), _ ((*s)->blurb));
      if (list->json)
        {
          sumi_json_out_int (list->out, "order", (*s)->order);
          sumi_json_out_int (list->out, "calls", (*s)->calls);
          sumi_json_out_bool (list->out, "stochastic", (*s)->stochastic);
        }
      finish (list, traits->str, (*s)->paper, (*s)->options);
    }
}

void
sumi_list_schedules (SumiList *list)
{
  for (const SumiScheduleClass *const *s = sumi_schedules (); *s; s++)
    {
      sumi_list_begin (list, (*s)->key, _ ((*s)->label), _ ((*s)->blurb));
      if (list->json)
        sumi_json_out_bool (list->out, "needs_errors", (*s)->needs_errors);
      finish (list, (*s)->needs_errors ? _ ("needs a table of the model's errors") : NULL, (*s)->paper, (*s)->options);
    }
}

void
sumi_list_processes (SumiList *list)
{
  for (const SumiProcessClass *const *p = sumi_processes (); *p; p++)
    {
      const double low = (*p)->sigma ((*p)->t_min), high = (*p)->sigma ((*p)->t_max);
      g_autofree char *traits = (*p)->n_steps > 0 ? g_strdup_printf (_ ("a table of %d steps, σ from %.3g to %.4g"),
                                                                     (*p)->n_steps, low, high) :
                                                    g_strdup_printf (_ ("continuous, σ from %.3g to %.4g"), low, high);

      sumi_list_begin (list, (*p)->key, _ ((*p)->label), _ ((*p)->blurb));
      if (list->json)
        {
          sumi_json_out_int (list->out, "steps", (*p)->n_steps);
          sumi_json_out_double (list->out, "t_min", (*p)->t_min);
          sumi_json_out_double (list->out, "t_max", (*p)->t_max);
          sumi_json_out_double (list->out, "sigma_min", low);
          sumi_json_out_double (list->out, "sigma_max", high);
        }
      finish (list, traits, (*p)->paper, NULL);
    }
}

void
sumi_list_guidance (SumiList *list)
{
  static const struct
  {
    const char *key, *about; /* about N_() */
  } kinds[] = {
    [SUMI_GUIDANCE_NONE] = { "none", NULL },
    [SUMI_GUIDANCE_ONE] = { "one", N_ ("one condition") },
    [SUMI_GUIDANCE_ANY] = { "any", N_ ("one or more conditions") },
    [SUMI_GUIDANCE_SIDES] = { "sides", N_ ("conditions that are wanted, and others that are not") },
  };

  for (const SumiGuidanceClass *const *g = sumi_guidances (); *g; g++)
    {
      g_autoptr (GString) traits = g_string_new (NULL);

      if (kinds[(*g)->conditions].about)
        append_trait (traits, _ (kinds[(*g)->conditions].about));
      if ((*g)->needs_loss)
        append_trait (traits, _ ("a loss of the clean picture"));
      if ((*g)->needs_classifier)
        append_trait (traits, _ ("a classifier of noisy pictures"));
      if ((*g)->needs_gradient)
        append_trait (traits, _ ("needs the model's gradient"));
      sumi_list_begin (list, (*g)->key, _ ((*g)->label), _ ((*g)->blurb));
      if (list->json)
        {
          sumi_json_out_string (list->out, "conditions", kinds[(*g)->conditions].key);
          sumi_json_out_bool (list->out, "needs_loss", (*g)->needs_loss);
          sumi_json_out_bool (list->out, "needs_classifier", (*g)->needs_classifier);
          sumi_json_out_bool (list->out, "needs_gradient", (*g)->needs_gradient);
        }
      finish (list, traits->str, (*g)->paper, (*g)->options);
    }
}

void
sumi_list_methods (SumiList *list)
{
  for (const SumiMethodClass *const *m = sumi_methods (); *m; m++)
    {
      g_autoptr (GString) traits = g_string_new (NULL);

      append_trait (traits, (*m)->masks_only ? _ ("known pixels only") : _ ("any linear observation"));
      if ((*m)->needs_gradient)
        append_trait (traits, _ ("needs the model's gradient"));
      if ((*m)->needs_reference)
        append_trait (traits,
                      (*m)->takes_guess ? _ ("starts from a quick answer") : _ ("needs a picture to start from"));
      sumi_list_begin (list, (*m)->key, _ ((*m)->label), _ ((*m)->blurb));
      if (list->json)
        {
          sumi_json_out_bool (list->out, "needs_gradient", (*m)->needs_gradient);
          sumi_json_out_bool (list->out, "needs_reference", (*m)->needs_reference);
          sumi_json_out_bool (list->out, "takes_guess", (*m)->takes_guess);
          sumi_json_out_bool (list->out, "masks_only", (*m)->masks_only);
        }
      finish (list, traits->str, (*m)->paper, (*m)->options);
    }
}
