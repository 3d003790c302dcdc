/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/errors-file.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/diffusion/schedule.h"
#include "core/io/json.h"

#define FORMAT     "sumi.errors"
#define SUFFIX     ".safetensors"
#define MAX_BYTES  (1 << 20)
#define MAX_TABLES 64
#define MAX_LEVELS 4096

struct SumiErrorsFile
{
  GArray *entries; /* SumiErrorsEntry */
};

static const struct
{
  const char *key;
  SumiEvidenceFlags evidence;
} kinds[] = {
  { "missing", SUMI_EVIDENCE_MISSING },
  { "grey", SUMI_EVIDENCE_GREY },
  { "coarse", SUMI_EVIDENCE_COARSE },
};

static void
clear_entry (gpointer data)
{
  SumiErrorsEntry *entry = data;

  g_free (entry->sigma);
  g_free (entry->error);
}

SumiErrorsFile *
sumi_errors_file_new (void)
{
  SumiErrorsFile *self = g_new0 (SumiErrorsFile, 1);

  self->entries = g_array_new (FALSE, FALSE, sizeof (SumiErrorsEntry));
  g_array_set_clear_func (self->entries, clear_entry);
  return self;
}

void
sumi_errors_file_free (SumiErrorsFile *self)
{
  if (self)
    g_array_unref (self->entries);
  g_free (self);
}

char *
sumi_errors_file_dup_path (const char *model_path)
{
  const gsize length = strlen (model_path) - (g_str_has_suffix (model_path, SUFFIX) ? strlen (SUFFIX) : 0);

  return g_strdup_printf ("%.*s.errors.json", (int) length, model_path);
}

/* ---- reading ---------------------------------------------------------- */

static void
read_kind (SumiJson *json, SumiErrorsEntry *entry)
{
  g_autofree char *key = sumi_json_string (json);

  for (gsize i = 0; key && i < G_N_ELEMENTS (kinds); i++)
    if (! strcmp (key, kinds[i].key))
      entry->evidence = kinds[i].evidence;
  if (key && ! entry->evidence)
    sumi_json_fail (json, "“%s” is no kind of evidence (missing, grey or coarse)", key);
}

/* Returns: how many there are. @least: what each must exceed or, with @rising, the one before it. */
static int
read_numbers (SumiJson *json, const char *what, double least, gboolean rising, double **numbers)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (double));

  sumi_json_enter_array (json);
  while (sumi_json_next_element (json))
    {
      const double number = sumi_json_number (json);

      if (all->len == MAX_LEVELS)
        sumi_json_fail (json, "more than %d numbers in “%s”", MAX_LEVELS, what);
      else if (! (number > least))
        sumi_json_fail (json, "“%s” holds %g, expected %s %g", what, number, least < 0 ? "at least" : "more than",
                        MAX (least, 0));
      else
        g_array_append_val (all, number);
      if (rising)
        least = number;
      if (! sumi_json_ok (json))
        break;
    }
  g_free (*numbers);
  *numbers = g_memdup2 (all->data, all->len * sizeof (double));
  return (int) all->len;
}

static void
read_table (SumiJson *json, SumiErrorsFile *self)
{
  SumiErrorsEntry entry = { .factor = 1 };
  int n_errors = 0;
  char *key;

  sumi_json_enter_object (json);
  while ((key = sumi_json_next_member (json)))
    {
      if (! strcmp (key, "evidence"))
        read_kind (json, &entry);
      else if (! strcmp (key, "factor"))
        entry.factor = sumi_json_number (json);
      else if (! strcmp (key, "sigma"))
        entry.n = read_numbers (json, "sigma", 0, TRUE, &entry.sigma);
      else if (! strcmp (key, "error"))
        n_errors = read_numbers (json, "error", -G_MINDOUBLE, FALSE, &entry.error);
      else
        sumi_json_skip (json);
      g_free (key);
    }
  if (! entry.evidence)
    sumi_json_fail (json, "a table without “evidence”");
  if (! (entry.factor >= 1 && entry.factor <= 1024))
    sumi_json_fail (json, "the factor %g is not 1 to 1024", entry.factor);
  if (entry.n < 2 || n_errors != entry.n)
    sumi_json_fail (json, "%d numbers “sigma” and %d “error”, expected as many, and two at least", entry.n, n_errors);
  if (self->entries->len == MAX_TABLES)
    sumi_json_fail (json, "more than %d tables", MAX_TABLES);
  if (sumi_json_ok (json))
    sumi_errors_file_set (self, entry.evidence, entry.factor, entry.n, entry.sigma, entry.error);
  clear_entry (&entry);
}

static void
read_all (SumiJson *json, SumiErrorsFile *self)
{
  g_autofree char *format = NULL;
  char *key;

  sumi_json_enter_object (json);
  while ((key = sumi_json_next_member (json)))
    {
      if (! strcmp (key, "format") && ! format)
        format = sumi_json_string (json);
      else if (! strcmp (key, "tables"))
        {
          sumi_json_enter_array (json);
          while (sumi_json_next_element (json))
            read_table (json, self);
        }
      else
        sumi_json_skip (json);
      g_free (key);
    }
  if (g_strcmp0 (format, FORMAT))
    sumi_json_fail (json, "its “format” is not “" FORMAT "”");
  if (self->entries->len == 0)
    sumi_json_fail (json, "there is no table in it");
}

SumiErrorsFile *
sumi_errors_file_load (const char *path, GError **error)
{
  g_autoptr (SumiErrorsFile) self = sumi_errors_file_new ();
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  SumiJson json;

  if (! file)
    return NULL;
  if (g_mapped_file_get_length (file) > MAX_BYTES)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT,
                   "%s: %" G_GSIZE_FORMAT " bytes, expected a table of errors of at most %d", path,
                   g_mapped_file_get_length (file), MAX_BYTES);
      return NULL;
    }
  sumi_json_init (&json, g_mapped_file_get_contents (file), g_mapped_file_get_length (file));
  read_all (&json, self);
  if (sumi_json_finish (&json, error))
    return g_steal_pointer (&self);
  g_prefix_error (error, "%s: ", path);
  return NULL;
}

/* ---- writing ---------------------------------------------------------- */

static void
append_number (GString *text, const char *before, double number)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (text, before);
  g_string_append (text, g_ascii_formatd (buffer, sizeof buffer, "%.6g", number));
}

static void
append_numbers (GString *text, const char *key, int n, const double *numbers)
{
  g_string_append_printf (text, ",\n   \"%s\": [", key);
  for (int i = 0; i < n; i++)
    append_number (text, i == 0 ? "" : i % 8 ? ", " : ",\n    ", numbers[i]);
  g_string_append (text, "]");
}

char *
sumi_errors_file_dup_text (const SumiErrorsFile *self, const char *model)
{
  GString *text = g_string_new (NULL);

  g_string_append (text, "{\"format\": \"" FORMAT "\", \"model\": ");
  sumi_json_append_string (text, model);
  g_string_append (text, ",\n \"tables\": [");
  for (guint i = 0; i < self->entries->len; i++)
    {
      const SumiErrorsEntry *entry = &g_array_index (self->entries, SumiErrorsEntry, i);

      for (gsize k = 0; k < G_N_ELEMENTS (kinds); k++)
        if (kinds[k].evidence == entry->evidence)
          g_string_append_printf (text, "%s\n  {\"evidence\": \"%s\"", i ? "," : "", kinds[k].key);
      append_number (text, ", \"factor\": ", entry->factor);
      append_numbers (text, "sigma", entry->n, entry->sigma);
      append_numbers (text, "error", entry->n, entry->error);
      g_string_append (text, "}");
    }
  g_string_append (text, "]}\n");
  return g_string_free (text, FALSE);
}

/* ---- tables ----------------------------------------------------------- */

void
sumi_errors_file_set (SumiErrorsFile *self,
                      SumiEvidenceFlags evidence,
                      double factor,
                      int n,
                      const double *sigma,
                      const double *error)
{
  const gsize size = (gsize) n * sizeof (double);
  const SumiErrorsEntry new = { evidence, factor, n, g_memdup2 (sigma, size), g_memdup2 (error, size) };

  for (guint i = 0; i < self->entries->len; i++)
    {
      SumiErrorsEntry *old = &g_array_index (self->entries, SumiErrorsEntry, i);

      if (old->evidence == evidence && old->factor == factor)
        {
          clear_entry (old);
          *old = new;
          return;
        }
    }
  g_array_append_val (self->entries, new);
}

const SumiErrorsEntry *
sumi_errors_file_get (const SumiErrorsFile *self, int *n)
{
  *n = (int) self->entries->len;
  return (const SumiErrorsEntry *) (gconstpointer) self->entries->data;
}

gboolean
sumi_errors_file_find (const SumiErrorsFile *self, const SumiEvidence *evidence, SumiErrorTable *table)
{
  const SumiEvidenceFlags kind = evidence->missing ? SUMI_EVIDENCE_MISSING :
                                 evidence->grey    ? SUMI_EVIDENCE_GREY :
                                                     SUMI_EVIDENCE_COARSE;
  const SumiErrorsEntry *best = NULL;
  double nearest = INFINITY;

  for (guint i = 0; i < self->entries->len; i++)
    {
      const SumiErrorsEntry *entry = &g_array_index (self->entries, SumiErrorsEntry, i);
      const double away = (entry->evidence == kind ? 0 : 1e3) +
                          (evidence->coarse ? fabs (log (entry->factor / MAX (evidence->factor, 1))) : 0);

      if (away < nearest)
        {
          nearest = away;
          best = entry;
        }
    }
  if (best)
    *table = (SumiErrorTable){ best->n, best->sigma, best->error };
  return best != NULL;
}
