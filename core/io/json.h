/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A strict JSON reader (RFC 8259) for hostile text: it walks the text once and builds nothing, so memory does not grow
 * with the text. The first failure sticks: later calls do nothing and return nothing, and sumi_json_finish() hands the
 * error out.
 *
 *   sumi_json_enter_object (&json);
 *   while ((key = sumi_json_next_member (&json)))
 *     { ... read one value or skip it ...; g_free (key); } */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

#define SUMI_JSON_MAX_DEPTH 32

typedef struct
{
  const char *start, *at, *end;
  int depth;
  guint32 begun; /* bit d: the container at depth d has had a member */
  char *message; /* (nullable): the first failure */
} SumiJson;

/* @text: [@length] bytes, not necessarily ended by NUL; borrowed. Text that is not UTF-8 fails at once. */
void sumi_json_init (SumiJson *json, const char *text, gsize length);
gboolean sumi_json_ok (const SumiJson *json);
/* Sets the sticky error, with the byte where reading is, unless there is one. */
void sumi_json_fail (SumiJson *json, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Checks that only white space is left, and frees what @json holds.
 * Returns: FALSE with %SUMI_ERROR_FORMAT after any failure. */
gboolean sumi_json_finish (SumiJson *json, GError **error);

/* Returns: the first character of the value that comes next, '{' '[' '"' 't' 'f' 'n' '-' or a digit; 0 at the end. */
char sumi_json_peek (SumiJson *json);

void sumi_json_enter_object (SumiJson *json);
/* Returns: (transfer full) (nullable): the next key; NULL when the object is over. */
char *sumi_json_next_member (SumiJson *json);
void sumi_json_enter_array (SumiJson *json);
/* Returns: whether there is one more element; FALSE when the array is over. */
gboolean sumi_json_next_element (SumiJson *json);

/* Returns: (transfer full) (nullable): NULL only after a failure. A string with a NUL in it is a failure. */
char *sumi_json_string (SumiJson *json);
/* Finite; 0 after a failure. */
double sumi_json_number (SumiJson *json);
/* A whole number of [0, @max] written without fraction and exponent. */
guint64 sumi_json_whole (SumiJson *json, guint64 max);
gboolean sumi_json_bool (SumiJson *json);
void sumi_json_skip (SumiJson *json);

/* Writes @value in quotes, as this reader takes it. Bytes that are no UTF-8 are replaced. */
void sumi_json_append_string (GString *text, const char *value);

G_END_DECLS
