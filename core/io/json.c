/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/io/json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/base/error.h"

#define MAX_DEPTH 16

typedef struct
{
  const char *start, *at, *end;
  const char *wrong; /* what was expected, at the first mistake */
} Reader;

void
sumi_json_free (SumiJson *json)
{
  while (json)
    {
      SumiJson *next = json->next;

      sumi_json_free (json->child);
      g_free (json->text);
      g_free (json->key);
      g_free (json);
      json = next;
    }
}

static gboolean
fail (Reader *r, const char *expected)
{
  if (! r->wrong)
    r->wrong = expected;
  return FALSE;
}

static void
skip_space (Reader *r)
{
  while (r->at < r->end && strchr (" \t\r\n", *r->at) && *r->at)
    r->at++;
}

static gboolean
take (Reader *r, char c)
{
  if (r->at < r->end && *r->at == c)
    {
      r->at++;
      return TRUE;
    }
  return FALSE;
}

static gboolean
read_hex (Reader *r, gunichar *out)
{
  gunichar v = 0;

  if (r->end - r->at < 4)
    return fail (r, "four hexadecimal digits");
  for (int i = 0; i < 4; i++)
    {
      const int digit = g_ascii_xdigit_value (*r->at++);

      if (digit < 0)
        return fail (r, "four hexadecimal digits");
      v = v * 16 + (gunichar) digit;
    }
  *out = v;
  return TRUE;
}

static gboolean
read_escape (Reader *r, GString *s)
{
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char *plain;
  gunichar c, low;

  if (r->at == r->end)
    return fail (r, "an escape");
  plain = *r->at ? strchr (from, *r->at) : NULL;
  if (plain)
    {
      r->at++;
      g_string_append_c (s, to[plain - from]);
      return TRUE;
    }
  if (! take (r, 'u'))
    return fail (r, "an escape");
  if (! read_hex (r, &c))
    return FALSE;
  if (c >= 0xd800 && c < 0xdc00)
    {
      if (! take (r, '\\') || ! take (r, 'u') || ! read_hex (r, &low) || low < 0xdc00 || low > 0xdfff)
        return fail (r, "a low surrogate");
      c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
  if (c == 0 || ! g_unichar_validate (c))
    return fail (r, "a character");
  g_string_append_unichar (s, c);
  return TRUE;
}

static char *
read_string (Reader *r)
{
  g_autoptr (GString) s = g_string_new (NULL);

  if (! take (r, '"'))
    {
      fail (r, "a string");
      return NULL;
    }
  while (r->at < r->end && *r->at != '"')
    {
      if ((guchar) *r->at < 0x20)
        {
          fail (r, "no control characters in a string");
          return NULL;
        }
      if (take (r, '\\'))
        {
          if (! read_escape (r, s))
            return NULL;
        }
      else
        g_string_append_c (s, *r->at++);
    }
  if (! take (r, '"') || ! g_utf8_validate (s->str, (gssize) s->len, NULL))
    {
      fail (r, "the end of a UTF-8 string");
      return NULL;
    }
  return g_string_free (g_steal_pointer (&s), FALSE);
}

static gboolean
read_number (Reader *r, double *out)
{
  char text[64];
  gsize n = 0;
  char *end;

  while (r->at + n < r->end && n < sizeof text - 1 &&
         (g_ascii_isdigit (r->at[n]) || (r->at[n] && strchr ("+-.eE", r->at[n]))))
    n++;
  memcpy (text, r->at, n);
  text[n] = 0;
  errno = 0;
  *out = g_ascii_strtod (text, &end);
  if (! n || text[0] == '+' || text[0] == '.' || *end || errno || ! isfinite (*out))
    return fail (r, "a value");
  r->at += n;
  return TRUE;
}

static SumiJson *read_value (Reader *r, int depth);

/* Elements or members up to @close. */
static gboolean
read_children (Reader *r, SumiJson *parent, char close, int depth)
{
  g_autoptr (GHashTable) keys = g_hash_table_new (g_str_hash, g_str_equal);
  SumiJson **tail = &parent->child;

  if (depth >= MAX_DEPTH)
    return fail (r, "less nesting");
  skip_space (r);
  if (take (r, close))
    return TRUE;
  do
    {
      g_autofree char *key = NULL;

      skip_space (r);
      if (close == '}')
        {
          key = read_string (r);
          if (! key)
            return FALSE;
          skip_space (r);
          if (! take (r, ':'))
            return fail (r, "“:”");
        }
      *tail = read_value (r, depth + 1);
      if (! *tail)
        return FALSE;
      if (key && ! g_hash_table_add (keys, key))
        return fail (r, "keys that differ");
      (*tail)->key = g_steal_pointer (&key);
      tail = &(*tail)->next;
      skip_space (r);
    }
  while (take (r, ','));
  return take (r, close) || fail (r, close == '}' ? "“,” or “}”" : "“,” or “]”");
}

static SumiJson *
read_value (Reader *r, int depth)
{
  static const struct
  {
    const char *word;
    SumiJsonType type;
    double number;
  } words[] = { { "true", SUMI_JSON_BOOL, 1 }, { "false", SUMI_JSON_BOOL, 0 }, { "null", SUMI_JSON_NULL, 0 } };
  g_autoptr (SumiJson) json = g_new0 (SumiJson, 1);
  gboolean ok;

  skip_space (r);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if ((gsize) (r->end - r->at) >= strlen (words[i].word) && ! strncmp (r->at, words[i].word, strlen (words[i].word)))
      {
        r->at += strlen (words[i].word);
        json->type = words[i].type;
        json->number = words[i].number;
        return g_steal_pointer (&json);
      }
  if (take (r, '{'))
    {
      json->type = SUMI_JSON_OBJECT;
      ok = read_children (r, json, '}', depth);
    }
  else if (take (r, '['))
    {
      json->type = SUMI_JSON_ARRAY;
      ok = read_children (r, json, ']', depth);
    }
  else if (r->at < r->end && *r->at == '"')
    {
      json->type = SUMI_JSON_STRING;
      json->text = read_string (r);
      ok = json->text != NULL;
    }
  else
    {
      json->type = SUMI_JSON_NUMBER;
      ok = read_number (r, &json->number);
    }
  return ok ? g_steal_pointer (&json) : NULL;
}

SumiJson *
sumi_json_parse (const char *text, gsize length, GError **error)
{
  Reader r = { text, text, text + length, NULL };
  g_autoptr (SumiJson) json = read_value (&r, 0);

  skip_space (&r);
  if (json && r.at < r.end)
    fail (&r, "the end");
  if (! r.wrong)
    return g_steal_pointer (&json);
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT, "broken JSON at byte %ld: expected %s", (long) (r.at - r.start),
               r.wrong);
  return NULL;
}

const SumiJson *
sumi_json_get (const SumiJson *object, const char *key, SumiJsonType type)
{
  if (! object || object->type != SUMI_JSON_OBJECT)
    return NULL;
  for (const SumiJson *c = object->child; c; c = c->next)
    if (! strcmp (c->key, key))
      return c->type == type ? c : NULL;
  return NULL;
}

int
sumi_json_count (const SumiJson *json)
{
  int n = 0;

  for (const SumiJson *c = json->child; c; c = c->next)
    n++;
  return n;
}
