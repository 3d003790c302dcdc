/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/cli.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "core/sumi.h"

static const struct
{
  char letter;
  const char *key;
} letters[] = { { 'o', "output" }, { 'q', "quiet" }, { 'h', "help" } };

/* ---- guessing --------------------------------------------------------- */

/* Edits (insert, delete, replace, swap neighbours) from @a to @b; both short. */
static int
distance (const char *a, const char *b)
{
  enum
  {
    MOST = 40
  };
  int d[MOST + 1][MOST + 1];
  const int n = (int) strlen (a), m = (int) strlen (b);

  if (n > MOST || m > MOST)
    return MOST;
  for (int i = 0; i <= n; i++)
    for (int j = 0; j <= m; j++)
      {
        if (! i || ! j)
          {
            d[i][j] = i + j;
            continue;
          }
        d[i][j] = MIN (MIN (d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
          d[i][j] = MIN (d[i][j], d[i - 2][j - 2] + 1);
      }
  return d[n][m];
}

const char *
sumi_cli_guess (const char *word, const char *const *words)
{
  const char *best = NULL;
  int least = (int) strlen (word) / 3 + 2;

  for (; *words; words++)
    {
      const int d = distance (word, *words);

      if (d < least)
        {
          least = d;
          best = *words;
        }
    }
  return best;
}

/* ---- parsing ---------------------------------------------------------- */

static const SumiOption *
find (const SumiCliGroup *groups, const char *key, gpointer *values)
{
  for (; groups->table; groups++)
    {
      const SumiOption *o = sumi_option_find (groups->table, key);

      if (o)
        {
          *values = groups->values;
          return o;
        }
    }
  return NULL;
}

/* The row that collects settings of samplers, schedules and methods, if the command has it. */
static const SumiOption *
find_settings (const SumiCliGroup *groups, gpointer *values)
{
  const SumiOption *o = find (groups, "settings", values);

  return o && o->type == SUMI_OPTION_STRING ? o : NULL;
}

/* "--eta 0.5" is short for "--settings eta=0.5": whether it goes with what is chosen shows when all is known. */
static gboolean
add_setting (const SumiOption *settings, gpointer values, const char *key, const char *value, GError **error)
{
  g_autofree char *before = sumi_option_dup_text (settings, values);
  g_autofree char *all = g_strdup_printf ("%s%s%s=%s", before, *before ? ", " : "", key, value);

  return sumi_option_set_text (settings, values, all, error);
}

static gboolean
fail_unknown (const SumiCliGroup *groups, const char *argument, const char *key, GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  const char *guess;

  for (; groups->table; groups++)
    for (const SumiOption *o = groups->table; o->key; o++)
      g_ptr_array_add (keys, (gpointer) o->key);
  g_ptr_array_add (keys, NULL);
  guess = sumi_cli_guess (key, (const char *const *) keys->pdata);
  if (guess)
    g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("there is no option “%s” here; did you mean “--%s”?"),
                 argument, guess);
  else
    g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("there is no option “%s” here; --help lists what there is"),
                 argument);
  return FALSE;
}

static gboolean
fail_without_value (const char *argument, GError **error)
{
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("option “%s” needs a value"), argument);
  return FALSE;
}

/* An argument that is no row of @groups: perhaps a setting. */
static gboolean
parse_setting (int argc,
               char **argv,
               int *i,
               const SumiCliGroup *groups,
               const char *key,
               const char *value,
               GError **error)
{
  const char *argument = argv[*i];
  gpointer values = NULL;
  const SumiOption *settings = find_settings (groups, &values);
  const SumiOption *o = settings ? sumi_setting_find (key) : NULL;

  if (! o && settings && ! value && g_str_has_prefix (key, "no-"))
    {
      o = sumi_setting_find (key + 3);
      if (o && o->type == SUMI_OPTION_BOOL)
        return add_setting (settings, values, key + 3, "no", error);
      o = NULL;
    }
  if (! o)
    return fail_unknown (groups, argument, key, error);
  if (! value && o->type == SUMI_OPTION_BOOL)
    value = "yes";
  if (! value && *i + 1 >= argc)
    return fail_without_value (argument, error);
  return add_setting (settings, values, key, value ? value : argv[++*i], error);
}

static gboolean
parse_long (int argc, char **argv, int *i, const SumiCliGroup *groups, GError **error)
{
  const char *argument = argv[*i];
  const char *equals = strchr (argument, '=');
  g_autofree char *key = equals ? g_strndup (argument + 2, (gsize) (equals - argument - 2)) : g_strdup (argument + 2);
  gpointer values = NULL;
  const SumiOption *o = find (groups, key, &values);

  if (! o && ! equals && g_str_has_prefix (key, "no-"))
    {
      o = find (groups, key + 3, &values);
      if (o && o->type == SUMI_OPTION_BOOL)
        return sumi_option_set_number (o, values, 0, error);
      o = NULL;
    }
  if (! o)
    return parse_setting (argc, argv, i, groups, key, equals ? equals + 1 : NULL, error);
  if (equals)
    return sumi_option_set_text (o, values, equals + 1, error);
  if (o->type == SUMI_OPTION_BOOL)
    return sumi_option_set_number (o, values, 1, error);
  if (*i + 1 >= argc)
    return fail_without_value (argument, error);
  return sumi_option_set_text (o, values, argv[++*i], error);
}

static gboolean
parse_short (int argc, char **argv, int *i, const SumiCliGroup *groups, GError **error)
{
  const char *argument = argv[*i];
  const SumiOption *o = NULL;
  gpointer values = NULL;

  for (gsize l = 0; l < G_N_ELEMENTS (letters); l++)
    if (argument[1] == letters[l].letter)
      o = find (groups, letters[l].key, &values);
  if (! o || (o->type == SUMI_OPTION_BOOL && argument[2]))
    return fail_unknown (groups, argument, argument + 1, error);
  if (o->type == SUMI_OPTION_BOOL)
    return sumi_option_set_number (o, values, 1, error);
  if (argument[2])
    return sumi_option_set_text (o, values, argument + 2, error);
  if (*i + 1 >= argc)
    return fail_without_value (argument, error);
  return sumi_option_set_text (o, values, argv[++*i], error);
}

gboolean
sumi_cli_parse (int argc, char **argv, const SumiCliGroup *groups, GPtrArray *words, GError **error)
{
  gboolean options = TRUE;

  for (int i = 0; i < argc; i++)
    {
      if (! options || argv[i][0] != '-' || ! argv[i][1])
        g_ptr_array_add (words, argv[i]);
      else if (! strcmp (argv[i], "--"))
        options = FALSE;
      else if (argv[i][1] == '-' ? ! parse_long (argc, argv, &i, groups, error) :
                                   ! parse_short (argc, argv, &i, groups, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
sumi_cli_wants_help (int argc, char **argv)
{
  for (int i = 0; i < argc && strcmp (argv[i], "--"); i++)
    if (! strcmp (argv[i], "--help") || ! strcmp (argv[i], "-h"))
      return TRUE;
  return FALSE;
}

/* ---- help ------------------------------------------------------------- */

/* Wraps @words; the text ends at column @indent, where further lines begin too. */
static void
append_wrapped (GString *text, const char *words, int indent)
{
  enum
  {
    WIDTH = 80
  };
  g_auto (GStrv) all = g_strsplit (words, " ", -1);
  glong column = indent;
  gboolean first = TRUE;

  for (char **word = all; *word; word++)
    {
      const glong length = g_utf8_strlen (*word, -1);

      if (! first && column + 1 + length > WIDTH)
        {
          g_string_append_printf (text, "\n%*s", indent, "");
          column = indent;
          first = TRUE;
        }
      g_string_append_printf (text, "%s%s", first ? "" : " ", *word);
      column += length + (first ? 0 : 1);
      first = FALSE;
    }
  g_string_append_c (text, '\n');
}

void
sumi_cli_append_paragraph (GString *text, const char *words)
{
  append_wrapped (text, words, 0);
}

void
sumi_cli_append_row (GString *text, const char *left, const char *right)
{
  enum
  {
    INDENT = 24
  };
  glong column = g_utf8_strlen (left, -1);

  g_string_append (text, left);
  if (column > INDENT - 2)
    {
      g_string_append_c (text, '\n');
      column = 0;
    }
  g_string_append_printf (text, "%*s", (int) (INDENT - column), "");
  append_wrapped (text, right, INDENT);
}

static const char *
metavar (const SumiOption *option)
{
  switch (option->type)
    {
    case SUMI_OPTION_INT:
      return _ ("N");
    case SUMI_OPTION_DOUBLE:
      return _ ("X");
    case SUMI_OPTION_SIZE:
      return _ ("SIZE");
    case SUMI_OPTION_BOOL:
      return NULL;
    case SUMI_OPTION_CHOICE:
      return _ ("WHICH");
    case SUMI_OPTION_STRING:
      break;
    }
  /* the command's own rows say it as their unit */
  return option->unit ? _ (option->unit) : _ ("TEXT");
}

static char *
dup_default (const SumiOption *option)
{
  if (option->type == SUMI_OPTION_STRING || option->type == SUMI_OPTION_CHOICE)
    return option->text && *option->text ? g_strdup (option->text) : NULL;
  if (option->type == SUMI_OPTION_BOOL)
    return option->value != 0 ? g_strdup_printf (_ ("yes, --no-%s turns it off"), option->key) : NULL;
  return g_strdup_printf ("%.10g", option->value);
}

static void
describe (GString *text, const SumiOption *option)
{
  g_autofree char *range = sumi_option_dup_range (option), *value = dup_default (option);
  g_autoptr (GString) left = g_string_new ("  "), right = g_string_new (option->blurb ? _ (option->blurb) : "");
  const char *name = metavar (option);
  const gboolean ranged = option->type != SUMI_OPTION_BOOL && option->type != SUMI_OPTION_STRING;

  for (gsize l = 0; l < G_N_ELEMENTS (letters); l++)
    if (! strcmp (letters[l].key, option->key))
      g_string_append_printf (left, "-%c, ", letters[l].letter);
  g_string_append_printf (left, "--%s%s%s", option->key, name ? " " : "", name ? name : "");
  if (ranged || value)
    {
      g_string_append (right, " (");
      if (ranged)
        g_string_append (right, range);
      if (ranged && option->unit)
        g_string_append_printf (right, " %s", _ (option->unit));
      if (value)
        g_string_append_printf (right, "%s%s %s", ranged ? "; " : "", _ ("default"), value);
      g_string_append_c (right, ')');
    }
  sumi_cli_append_row (text, left->str, right->str);
}

gboolean
sumi_cli_describe (GString *text, const SumiOption *table, SumiOptionFlags flags)
{
  gboolean any = FALSE;

  for (const SumiOption *o = table; o->key; o++)
    if ((o->flags & SUMI_OPTION_ADVANCED) == flags)
      {
        describe (text, o);
        any = TRUE;
      }
  return any;
}
