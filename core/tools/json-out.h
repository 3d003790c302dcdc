/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Just enough JSON to print: members of an object on one line. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

/* Each appends ", " unless at the start of an object or list, then "key": (if @key is not NULL) and the value. */
void sumi_json_out_string (GString *json,
                           const char *key,
                           const char *value); /* NULL: null; bytes that are no UTF-8 are replaced */
void sumi_json_out_int (GString *json, const char *key, gint64 value);
void sumi_json_out_double (GString *json, const char *key, double value);
void sumi_json_out_bool (GString *json, const char *key, gboolean value);
/* @bracket: '{' or '[' */
void sumi_json_out_open (GString *json, const char *key, char bracket);
void sumi_json_out_close (GString *json, char bracket);

G_END_DECLS
