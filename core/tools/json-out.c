/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/json-out.h"

#include <math.h>
#include <string.h>

static void
begin (GString *json, const char *key)
{
  if (json->len && ! strchr ("{[\n", json->str[json->len - 1]))
    g_string_append (json, ", ");
  if (! key)
    return;
  sumi_json_append_string (json, key);
  g_string_append (json, ": ");
}

void
sumi_json_out_string (GString *json, const char *key, const char *value)
{
  begin (json, key);
  if (value)
    sumi_json_append_string (json, value);
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
