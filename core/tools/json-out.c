/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/json-out.h"

#include <math.h>
#include <string.h>

static void
append_quoted (GString *json, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  g_string_append_c (json, '"');
  for (const char *c = valid; *c; c++)
    if (*c == '"' || *c == '\\')
      g_string_append_printf (json, "\\%c", *c);
    else if (*c == '\n')
      g_string_append (json, "\\n");
    else if ((guchar) *c < 0x20 || *c == 0x7f)
      g_string_append_printf (json, "\\u%04x", (guint) (guchar) *c);
    else
      g_string_append_c (json, *c);
  g_string_append_c (json, '"');
}

static void
begin (GString *json, const char *key)
{
  if (json->len && ! strchr ("{[\n", json->str[json->len - 1]))
    g_string_append (json, ", ");
  if (! key)
    return;
  append_quoted (json, key);
  g_string_append (json, ": ");
}

void
sumi_json_out_string (GString *json, const char *key, const char *value)
{
  begin (json, key);
  if (value)
    append_quoted (json, value);
  else
    g_string_append (json, "null");
}

void
sumi_json_out_int (GString *json, const char *key, gint64 value)
{
  begin (json, key);
  g_string_append_printf (json, "%" G_GINT64_FORMAT, value);
}

void
sumi_json_out_double (GString *json, const char *key, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  begin (json, key);
  g_string_append (json, isfinite (value) ? g_ascii_formatd (text, sizeof text, "%.6g", value) : "null");
}

void
sumi_json_out_bool (GString *json, const char *key, gboolean value)
{
  begin (json, key);
  g_string_append (json, value ? "true" : "false");
}

void
sumi_json_out_open (GString *json, const char *key, char bracket)
{
  begin (json, key);
  g_string_append_c (json, bracket);
}

void
sumi_json_out_close (GString *json, char bracket)
{
  g_string_append_c (json, bracket);
}
