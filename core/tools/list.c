/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sumi list [WHAT]: what this Sumi has. */
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>

#include "core/sumi.h"
#include "core/tools/cli.h"
#include "core/tools/command.h"
#include "core/tools/json-out.h"
#include "core/tools/list.h"

typedef struct
{
  gboolean json, help;
} Options;

static const SumiOption options[] = {
  { .key = "json",
    .blurb = N_ ("Print one object of JSON"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (Options, json),
    .max = 1 },
  { .key = "help",
    .blurb = N_ ("Print this page"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (Options, help),
    .max = 1 },
  { NULL },
};

/* ---- entries ---------------------------------------------------------- */

void
sumi_list_begin (SumiList *list, const char *key, const char *label, const char *about)
{
  if (! list->json)
    {
      g_autofree char *left = g_strdup_printf ("  %s", key);

      sumi_cli_append_row (list->out, left, about ? about : "");
      return;
    }
  sumi_json_out_open (list->out, NULL, '{');
  sumi_json_out_string (list->out, "key", key);
  if (label)
    sumi_json_out_string (list->out, "label", label);
  if (about && *about)
    sumi_json_out_string (list->out, "about", about);
}

void
sumi_list_end (SumiList *list)
{
  if (list->json)
    sumi_json_out_close (list->out, '}');
}

void
sumi_list_option (SumiList *list, const SumiOption *option)
{
  static const char *const types[] = { "bool", "int", "double", "choice", "string", "size" };

  sumi_json_out_open (list->out, NULL, '{');
  sumi_json_out_string (list->out, "key", option->key);
  sumi_json_out_string (list->out, "about", _ (option->blurb));
  sumi_json_out_string (list->out, "type", types[option->type]);
  if (option->type == SUMI_OPTION_CHOICE || option->type == SUMI_OPTION_STRING)
    sumi_json_out_string (list->out, "default", option->text ? option->text : "");
  else if (option->type == SUMI_OPTION_BOOL)
    sumi_json_out_bool (list->out, "default", option->value != 0);
  else
    {
      sumi_json_out_double (list->out, "default", option->value);
      sumi_json_out_double (list->out, "min", option->min);
      sumi_json_out_double (list->out, "max", option->max);
    }
  if (option->type == SUMI_OPTION_CHOICE)
    {
      sumi_json_out_open (list->out, "choices", '[');
      for (const SumiChoice *c = sumi_option_get_choices (option); c && c->key; c++)
        sumi_json_out_string (list->out, NULL, c->key);
      sumi_json_out_close (list->out, ']');
    }
  sumi_json_out_close (list->out, '}');
}

/* ---- the lists -------------------------------------------------------- */

static void
list_tasks (SumiList *list)
{
  for (const SumiTaskClass *const *t = sumi_tasks (); *t; t++)
    {
      sumi_list_begin (list, (*t)->key, NULL, _ ((*t)->blurb));
      sumi_list_end (list);
    }
}

static void
list_models (SumiList *list)
{
  g_auto (GStrv) names = sumi_models_list ();

  for (char **name = names; *name; name++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (SumiModel) model = sumi_model_load (*name, &error);

      sumi_list_begin (list, *name, NULL,
                       model ? model->family->blurb ? _ (model->family->blurb) : _ (model->family->label) :
                               error->message);
      if (list->json)
        {
          sumi_json_out_string (list->out, "family", model ? model->family->key : NULL);
          sumi_json_out_string (list->out, "file",
                                model && model->weights ? sumi_weights_get_path (model->weights) : NULL);
        }
      sumi_list_end (list);
    }
}

static void
list_options (SumiList *list)
{
  for (const SumiTaskClass *const *t = sumi_tasks (); *t; t++)
    {
      if (! list->json)
        {
          g_string_append_printf (list->out, "  %s\n", (*t)->key);
          sumi_cli_describe (list->out, (*t)->options, 0);
          sumi_cli_describe (list->out, (*t)->options, SUMI_OPTION_ADVANCED);
          continue;
        }
      sumi_list_begin (list, (*t)->key, NULL, NULL);
      sumi_json_out_open (list->out, "options", '[');
      for (const SumiOption *o = (*t)->options; o->key; o++)
        sumi_list_option (list, o);
      sumi_json_out_close (list->out, ']');
      sumi_list_end (list);
    }
}

static void
list_devices (SumiList *list)
{
  const SumiBackend *backend = sumi_backend_default ();
  g_autoptr (SumiPool) pool = sumi_pool_new (0);
  const int threads = sumi_pool_get_n_threads (pool);
  g_autofree char *about = g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "%s, %d thread", "%s, %d threads", (gulong) threads), _ (backend->label), threads);

  sumi_list_begin (list, backend->key, NULL, about);
  if (list->json)
    sumi_json_out_int (list->out, "threads", threads);
  sumi_list_end (list);
}

static const struct
{
  const char *key, *title; /* title N_() */
  void (*list) (SumiList *list);
} lists[] = {
  { "tasks", N_ ("Tasks"), list_tasks },
  { "samplers", N_ ("Samplers: how a step is made"), sumi_list_samplers },
  { "schedules", N_ ("Schedules: how noise levels fall"), sumi_list_schedules },
  { "processes", N_ ("Processes: whose time and coordinates steps go by"), sumi_list_processes },
  { "guidance", N_ ("Guidance: how conditions are strengthened, joined, kept away from"), sumi_list_guidance },
  { "methods", N_ ("Methods: how results are made to agree with what is known"), sumi_list_methods },
  { "models", N_ ("Models"), list_models },
  { "options", N_ ("Options of every task"), list_options },
  { "devices", N_ ("Devices"), list_devices },
};

/* ---- the command ------------------------------------------------------ */

static void
print_help (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%s\n\n%s\n\n%s\n", _ ("Usage: sumi list [WHAT...] [OPTION...]"),
                          _ ("Lists what this Sumi has; everything when no WHAT is named."), _ ("WHAT is:"));
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autofree char *left = g_strdup_printf ("  %s", lists[i].key);

      sumi_cli_append_row (text, left, _ (lists[i].title));
    }
  g_string_append_printf (text, "\n%s\n", _ ("Options:"));
  sumi_cli_describe (text, options, 0);
  g_string_append_printf (text, "\n%s\n  sumi list models\n  sumi list samplers methods\n  sumi list options --json\n",
                          _ ("Examples:"));
  sumi_command_append_notes (text);
  fputs (text->str, stdout);
}

static gboolean
check_words (const GPtrArray *words, GError **error)
{
  const char *keys[G_N_ELEMENTS (lists) + 1] = { NULL };

  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    keys[i] = lists[i].key;
  for (guint w = 0; w < words->len; w++)
    if (! g_strv_contains (keys, words->pdata[w]))
      {
        const char *guess = sumi_cli_guess (words->pdata[w], keys);
        g_autofree char *all = g_strjoinv (", ", (char **) keys);

        g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                     _ ("there is no list of “%s”; did you mean “%s”? There are %s"), (const char *) words->pdata[w],
                     guess ? guess : keys[0], all);
        return FALSE;
      }
  return TRUE;
}

static void
print (const GPtrArray *words, gboolean json)
{
  SumiList list = { g_string_new (json ? "{" : NULL), json };
  gboolean first = TRUE;

  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      gboolean wanted = ! words->len;

      for (guint w = 0; w < words->len; w++)
        wanted |= ! strcmp (words->pdata[w], lists[i].key);
      if (! wanted)
        continue;
      if (json)
        sumi_json_out_open (list.out, lists[i].key, '[');
      else
        g_string_append_printf (list.out, "%s%s\n", first ? "" : "\n", _ (lists[i].title));
      first = FALSE;
      lists[i].list (&list);
      if (json)
        sumi_json_out_close (list.out, ']');
    }
  if (json)
    g_string_append (list.out, "}\n");
  fputs (list.out->str, stdout);
  g_string_free (list.out, TRUE);
}

int
sumi_command_list (int argc, char **argv)
{
  Options values;
  const SumiCliGroup groups[] = { { options, &values }, { NULL, NULL } };
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  GError *error = NULL;

  sumi_options_init (options, &values);
  if (sumi_cli_wants_help (argc, argv))
    {
      print_help ();
      return 0;
    }
  if (! sumi_cli_parse (argc, argv, groups, words, &error) || ! check_words (words, &error))
    return sumi_command_fail ("list", error);
  print (words, values.json);
  return 0;
}
