/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sumi inspect MODEL: what a model file is. */
#include <glib/gi18n-lib.h>
#include <stdio.h>

#include "core/sumi.h"
#include "core/tools/cli.h"
#include "core/tools/command.h"
#include "core/tools/json-out.h"

typedef struct
{
  gboolean tensors, json, help;
} Options;

static const SumiOption options[] = {
  { .key = "tensors",
    .blurb = N_ ("List every tensor with its shape and type"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (Options, tensors),
    .max = 1 },
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

/* What there is to say, whatever the form. */
typedef struct
{
  SumiModel *model;     /* (nullable): NULL when no family knows the file */
  SumiWeights *weights; /* (nullable): NULL when the family needs none */
  char *hash, *types;
  gint64 tensors, parameters;
} Facts;

static void
facts_clear (Facts *self)
{
  g_clear_pointer (&self->model, sumi_model_unref);
  g_clear_pointer (&self->weights, sumi_weights_unref);
  g_free (self->hash);
  g_free (self->types);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Facts, facts_clear)

/* A file that is sound but of no known family can still be looked into. */
static gboolean
collect (const char *name, Facts *facts, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gsize counts[SUMI_N_DTYPES] = { 0 };
  g_autoptr (GString) types = g_string_new (NULL);

  facts->model = sumi_model_load (name, &failure);
  if (facts->model)
    facts->weights = facts->model->weights ? sumi_weights_ref (facts->model->weights) : NULL;
  else if (g_file_test (name, G_FILE_TEST_IS_REGULAR))
    {
      facts->weights = sumi_weights_open (name, error);
      if (! facts->weights)
        return FALSE;
    }
  else
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (! facts->weights)
    return TRUE;
  for (const char *const *t = sumi_weights_get_names (facts->weights); *t; t++)
    {
      const SumiTensor *tensor = sumi_weights_find (facts->weights, *t);

      facts->tensors++;
      facts->parameters += (gint64) sumi_tensor_count (tensor);
      counts[tensor->dtype]++;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (counts); i++)
    if (counts[i])
      g_string_append_printf (types, "%s%s", types->len ? ", " : "", sumi_dtype_name ((SumiDType) i));
  facts->types = g_strdup (types->str);
  facts->hash = sumi_weights_dup_hash (facts->weights);
  return TRUE;
}

/* Returns: (transfer full): "48 × 9 × 3 × 3". */
static char *
dup_shape (const SumiTensor *tensor)
{
  GString *s = g_string_new (NULL);

  for (int i = 0; i < tensor->n_dims; i++)
    g_string_append_printf (s, "%s%d", i ? " × " : "", tensor->shape[i]);
  return g_string_free (s, FALSE);
}

/* "sumi.licence" is shown as "licence". */
static const char *
short_key (const char *key)
{
  return g_str_has_prefix (key, "sumi.") ? key + 5 : key;
}

static const char *
get_family (const Facts *facts)
{
  return facts->model ? facts->model->family->key : NULL;
}

/* ---- printing --------------------------------------------------------- */

static void
print_row (const char *name, const char *value)
{
  g_autoptr (GString) text = g_string_new (NULL);

  sumi_cli_append_row (text, name, value);
  fputs (text->str, stdout);
}

static void
print_text (const Facts *facts, gboolean tensors)
{
  const SumiFamilyClass *family = facts->model ? facts->model->family : NULL;
  g_autofree char *count = g_strdup_printf ("%" G_GINT64_FORMAT, facts->tensors);
  g_autofree char *parameters =
      g_strdup_printf ("%" G_GINT64_FORMAT " (%.2f M)", facts->parameters, (double) facts->parameters / 1e6);
  g_autofree char *about =
      family ? g_strdup_printf ("%s: %s", family->key, family->blurb ? _ (family->blurb) : _ (family->label)) : NULL;

  print_row (_ ("family"), about ? about : _ ("unknown: no family of this version runs it"));
  if (! facts->weights)
    {
      print_row (_ ("file"), _ ("none: this family needs no weights"));
      return;
    }
  print_row (_ ("file"), sumi_weights_get_path (facts->weights));
  print_row ("sha256", facts->hash);
  for (const char *const *key = sumi_weights_get_meta_keys (facts->weights); key && *key; key++)
    if (g_strcmp0 (*key, "sumi.family"))
      print_row (short_key (*key), sumi_weights_get_meta (facts->weights, *key));
  print_row (_ ("tensors"), count);
  print_row (_ ("parameters"), parameters);
  print_row (_ ("type"), facts->types);
  for (const char *const *t = sumi_weights_get_names (facts->weights); tensors && *t; t++)
    {
      const SumiTensor *tensor = sumi_weights_find (facts->weights, *t);
      g_autofree char *shape = dup_shape (tensor);

      printf ("  %-40s %s  %s\n", *t, sumi_dtype_name (tensor->dtype), shape);
    }
}

static void
print_json (const Facts *facts, gboolean tensors)
{
  g_autoptr (GString) json = g_string_new ("{");

  sumi_json_out_string (json, "family", get_family (facts));
  if (facts->weights)
    {
      sumi_json_out_string (json, "file", sumi_weights_get_path (facts->weights));
      sumi_json_out_string (json, "sha256", facts->hash);
      sumi_json_out_open (json, "metadata", '{');
      for (const char *const *key = sumi_weights_get_meta_keys (facts->weights); key && *key; key++)
        sumi_json_out_string (json, *key, sumi_weights_get_meta (facts->weights, *key));
      sumi_json_out_close (json, '}');
      sumi_json_out_string (json, "type", facts->types);
    }
  sumi_json_out_int (json, "n_tensors", facts->tensors);
  sumi_json_out_int (json, "n_parameters", facts->parameters);
  if (tensors)
    {
      sumi_json_out_open (json, "tensors", '[');
      for (const char *const *t = facts->weights ? sumi_weights_get_names (facts->weights) : NULL; t && *t; t++)
        {
          const SumiTensor *tensor = sumi_weights_find (facts->weights, *t);

          sumi_json_out_open (json, NULL, '{');
          sumi_json_out_string (json, "name", *t);
          sumi_json_out_string (json, "type", sumi_dtype_name (tensor->dtype));
          sumi_json_out_open (json, "shape", '[');
          for (int i = 0; i < tensor->n_dims; i++)
            sumi_json_out_int (json, NULL, tensor->shape[i]);
          sumi_json_out_close (json, ']');
          sumi_json_out_close (json, '}');
        }
      sumi_json_out_close (json, ']');
    }
  sumi_json_out_close (json, '}');
  puts (json->str);
}

static void
print_help (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%s\n\n%s\n\n%s\n", _ ("Usage: sumi inspect MODEL [OPTION...]"),
                          _ ("Says what a model is: family, version, configuration, licence, tensors, hash.\nMODEL is "
                             "a .safetensors file or a name from “sumi list models”."),
                          _ ("Options:"));
  sumi_cli_describe (text, options, 0);
  g_string_append_printf (text, "\n%s\n  sumi inspect sumi-restore\n  sumi inspect ./other.safetensors --tensors\n",
                          _ ("Examples:"));
  sumi_command_append_notes (text);
  fputs (text->str, stdout);
}

int
sumi_command_inspect (int argc, char **argv)
{
  Options values;
  const SumiCliGroup groups[] = { { options, &values }, { NULL, NULL } };
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_auto (Facts) facts = { 0 };
  GError *error = NULL;

  sumi_options_init (options, &values);
  if (sumi_cli_wants_help (argc, argv))
    {
      print_help ();
      return 0;
    }
  if (sumi_cli_parse (argc, argv, groups, words, &error) && words->len != 1)
    g_set_error (&error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("give one MODEL; “sumi inspect --help” shows how"));
  if (error || ! collect (words->pdata[0], &facts, &error))
    return sumi_command_fail ("inspect", error);
  if (values.json)
    print_json (&facts, values.tensors);
  else
    print_text (&facts, values.tensors);
  return 0;
}
