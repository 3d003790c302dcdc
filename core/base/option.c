/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/option.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/base/error.h"

#define MEMBER(Type, values, option)       (*(Type *) ((char *) (values) + (option)->offset))
#define CONST_MEMBER(Type, values, option) (*(Type const *) ((const char *) (values) + (option)->offset))

static gboolean
is_text (const SumiOption *option)
{
  return option->type == SUMI_OPTION_CHOICE || option->type == SUMI_OPTION_STRING;
}

static void
store_number (const SumiOption *option, gpointer values, double number)
{
  switch (option->type)
    {
    case SUMI_OPTION_BOOL:
      MEMBER (gboolean, values, option) = number != 0;
      break;
    case SUMI_OPTION_INT:
      MEMBER (int, values, option) = (int) number;
      break;
    case SUMI_OPTION_DOUBLE:
      MEMBER (double, values, option) = number;
      break;
    case SUMI_OPTION_SIZE:
      MEMBER (gint64, values, option) = (gint64) number;
      break;
    case SUMI_OPTION_CHOICE:
    case SUMI_OPTION_STRING:
      break;
    }
}

static void
store_text (const SumiOption *option, gpointer values, const char *text)
{
  g_free (MEMBER (char *, values, option));
  MEMBER (char *, values, option) = g_strdup (text ? text : "");
}

void
sumi_options_init (const SumiOption *table, gpointer values)
{
  for (const SumiOption *o = table; o->key; o++)
    {
      if (is_text (o))
        {
          MEMBER (char *, values, o) = NULL;
          store_text (o, values, o->text);
        }
      else
        store_number (o, values, o->value);
    }
}

void
sumi_options_clear (const SumiOption *table, gpointer values)
{
  for (const SumiOption *o = table; o->key; o++)
    if (is_text (o))
      g_clear_pointer (&MEMBER (char *, values, o), g_free);
}

const SumiOption *
sumi_option_find (const SumiOption *table, const char *key)
{
  for (const SumiOption *o = table; o->key; o++)
    if (! strcmp (o->key, key))
      return o;
  return NULL;
}

const SumiChoice *
sumi_option_get_choices (const SumiOption *option)
{
  return option->choices ? option->choices : option->list_choices ? option->list_choices () : NULL;
}

char *
sumi_option_dup_range (const SumiOption *option)
{
  switch (option->type)
    {
    case SUMI_OPTION_BOOL:
      return g_strdup ("yes, no");
    case SUMI_OPTION_INT:
      if (option->max >= G_MAXINT)
        return g_strdup_printf ("%.0f or more", option->min);
      return g_strdup_printf ("%.0f to %.0f", option->min, option->max);
    case SUMI_OPTION_DOUBLE:
      return g_strdup_printf ("%g to %g", option->min, option->max);
    case SUMI_OPTION_SIZE:
      return g_strdup ("bytes, or like 512M, 2G");
    case SUMI_OPTION_CHOICE:
      {
        GString *s = g_string_new (NULL);

        for (const SumiChoice *c = sumi_option_get_choices (option); c && c->key; c++)
          g_string_append_printf (s, "%s%s", s->len ? ", " : "", c->key);
        return g_string_free (s, FALSE);
      }
    case SUMI_OPTION_STRING:
      break;
    }
  return g_strdup ("text");
}

static gboolean
refuse (const SumiOption *option, const char *got, GError **error)
{
  g_autofree char *range = sumi_option_dup_range (option);

  g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "option “%s”: allowed is %s, not “%s”", option->key, range, got);
  return FALSE;
}

static gboolean
number_fits (const SumiOption *option, double number)
{
  if (! isfinite (number))
    return FALSE;
  if (option->type == SUMI_OPTION_BOOL)
    return number == 0 || number == 1;
  if (option->type != SUMI_OPTION_DOUBLE && number != floor (number))
    return FALSE;
  return number >= option->min && number <= option->max;
}

static gboolean
choice_exists (const SumiOption *option, const char *text)
{
  for (const SumiChoice *c = sumi_option_get_choices (option); c && c->key; c++)
    if (! g_strcmp0 (c->key, text))
      return TRUE;
  return FALSE;
}

gboolean
sumi_option_set_number (const SumiOption *option, gpointer values, double number, GError **error)
{
  if (is_text (option) || ! number_fits (option, number))
    {
      char got[G_ASCII_DTOSTR_BUF_SIZE];

      return refuse (option, g_ascii_formatd (got, sizeof got, "%g", number), error);
    }
  store_number (option, values, number);
  return TRUE;
}

static gboolean
parse_bool (const char *text, double *number)
{
  static const char *const yes[] = { "yes", "true", "1", "on", NULL }, *const no[] = { "no", "false", "0", "off",
                                                                                       NULL };

  if (g_strv_contains (yes, text))
    *number = 1;
  else if (g_strv_contains (no, text))
    *number = 0;
  else
    return FALSE;
  return TRUE;
}

static gboolean
parse_number (const SumiOption *option, const char *text, double *number)
{
  char *end = NULL;

  if (! *text || g_ascii_isspace (*text))
    return FALSE;
  errno = 0;
  *number = g_ascii_strtod (text, &end);
  if (errno || end == text)
    return FALSE;
  if (option->type == SUMI_OPTION_SIZE && *end)
    {
      static const char units[] = "kmgt";
      const char *u = strchr (units, g_ascii_tolower (*end));

      if (! u)
        return FALSE;
      *number = floor (ldexp (*number, 10 * (int) (u - units + 1)));
      end++;
      if (g_ascii_tolower (*end) == 'i' && g_ascii_tolower (end[1]) == 'b')
        end += 2;
      else if (g_ascii_tolower (*end) == 'b')
        end++;
    }
  return ! *end;
}

gboolean
sumi_option_set_text (const SumiOption *option, gpointer values, const char *text, GError **error)
{
  double number = 0;

  switch (option->type)
    {
    case SUMI_OPTION_STRING:
      store_text (option, values, text);
      return TRUE;
    case SUMI_OPTION_CHOICE:
      if (! choice_exists (option, text))
        return refuse (option, text, error);
      store_text (option, values, text);
      return TRUE;
    case SUMI_OPTION_BOOL:
      if (! parse_bool (text, &number))
        return refuse (option, text, error);
      break;
    case SUMI_OPTION_INT:
    case SUMI_OPTION_DOUBLE:
    case SUMI_OPTION_SIZE:
      if (! parse_number (option, text, &number) || ! number_fits (option, number))
        return refuse (option, text, error);
      break;
    }
  store_number (option, values, number);
  return TRUE;
}

double
sumi_option_get_number (const SumiOption *option, gconstpointer values)
{
  switch (option->type)
    {
    case SUMI_OPTION_BOOL:
      return CONST_MEMBER (gboolean, values, option);
    case SUMI_OPTION_INT:
      return CONST_MEMBER (int, values, option);
    case SUMI_OPTION_DOUBLE:
      return CONST_MEMBER (double, values, option);
    case SUMI_OPTION_SIZE:
      return (double) CONST_MEMBER (gint64, values, option);
    case SUMI_OPTION_CHOICE:
    case SUMI_OPTION_STRING:
      break;
    }
  return 0;
}

char *
sumi_option_dup_text (const SumiOption *option, gconstpointer values)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (is_text (option))
    return g_strdup (CONST_MEMBER (char *, values, option) ? CONST_MEMBER (char *, values, option) : "");
  if (option->type == SUMI_OPTION_BOOL)
    return g_strdup (CONST_MEMBER (gboolean, values, option) ? "yes" : "no");
  if (option->type == SUMI_OPTION_DOUBLE)
    {
      /* the short form when it reads back as the same number */
      double number = CONST_MEMBER (double, values, option);

      g_ascii_formatd (text, sizeof text, "%.6g", number);
      if (g_ascii_strtod (text, NULL) != number)
        g_ascii_dtostr (text, sizeof text, number);
      return g_strdup (text);
    }
  return g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) sumi_option_get_number (option, values));
}

gboolean
sumi_options_check (const SumiOption *table, gconstpointer values, GError **error)
{
  for (const SumiOption *o = table; o->key; o++)
    {
      gboolean ok = o->type == SUMI_OPTION_STRING ? CONST_MEMBER (char *, values, o) != NULL :
                    o->type == SUMI_OPTION_CHOICE ? choice_exists (o, CONST_MEMBER (char *, values, o)) :
                                                    number_fits (o, sumi_option_get_number (o, values));

      if (! ok)
        {
          g_autofree char *got = sumi_option_dup_text (o, values);

          return refuse (o, got, error);
        }
    }
  return TRUE;
}

char *
sumi_options_dup_recipe (const SumiOption *table, gconstpointer values)
{
  GString *s = g_string_new (NULL);

  for (const SumiOption *o = table; o->key; o++)
    if (! (o->flags & SUMI_OPTION_MACHINE))
      {
        g_autofree char *text = sumi_option_dup_text (o, values);
        g_autofree char *escaped = g_strescape (text, NULL);

        g_string_append_printf (s, "%s=%s\n", o->key, escaped);
      }
  return g_string_free (s, FALSE);
}

gboolean
sumi_options_load_recipe (const SumiOption *table, gpointer values, const char *recipe, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (recipe, "\n", -1);

  for (char **line = lines; *line; line++)
    {
      char *equals = strchr (*line, '=');
      const SumiOption *o;
      g_autofree char *text = NULL;

      if (! **line)
        continue;
      if (equals)
        *equals = 0;
      o = equals ? sumi_option_find (table, *line) : NULL;
      if (! o)
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "a recipe has the line “%s”, which is no option here",
                       *line);
          return FALSE;
        }
      text = g_strcompress (equals + 1);
      if (! sumi_option_set_text (o, values, text, error))
        return FALSE;
    }
  return TRUE;
}
