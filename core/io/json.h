/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small strict JSON reader (RFC 8259) for headers and configs of model files. Hostile input: bounded depth, no
 * recursion beyond it, every byte checked. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef enum
{
  SUMI_JSON_NULL,
  SUMI_JSON_BOOL,
  SUMI_JSON_NUMBER,
  SUMI_JSON_STRING,
  SUMI_JSON_ARRAY,
  SUMI_JSON_OBJECT,
} SumiJsonType;

typedef struct SumiJson SumiJson;
struct SumiJson
{
  SumiJsonType type;
  double number;          /* NUMBER; BOOL: 0 or 1 */
  char *text;             /* STRING: UTF-8, may not hold NUL */
  char *key;              /* (nullable): when it is a member of an object */
  SumiJson *child, *next; /* first element or member; next sibling, in the text's order */
};

/* Parses all of @text [@length]; keys of an object must differ.
 * Returns: (transfer full): NULL and %SUMI_ERROR_FORMAT with the byte where it went wrong. */
SumiJson *sumi_json_parse (const char *text, gsize length, GError **error);
void sumi_json_free (SumiJson *json);
/* Returns: (nullable) (transfer none): the member @key of an object of type @type. */
const SumiJson *sumi_json_get (const SumiJson *object, const char *key, SumiJsonType type);
/* Returns: number of elements or members. */
int sumi_json_count (const SumiJson *json);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiJson, sumi_json_free)

G_END_DECLS
