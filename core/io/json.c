/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 8259, strict: no comments, no trailing commas, no leading zeros. Depth is limited, so skipping may recurse. */
#include "core/io/json.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"

void
sumi_json_init (SumiJson *json, const char *text, gsize length)
{
  const char *bad = NULL;

  *json = (SumiJson){ .start = text, .at = text, .end = text + length };
  if (! g_utf8_validate_len (text, length, &bad))
    {
      json->at = bad;
      sumi_json_fail (json, "not UTF-8");
    }
}

gboolean
sumi_json_ok (const SumiJson *json)
{
  return ! json->message;
}

void
sumi_json_fail (SumiJson *json, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  if (json->message)
    return;
  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  json->message = g_strdup_printf ("%s at byte %" G_GSIZE_FORMAT, what, (gsize) (json->at - json->start));
}

static void
skip_space (SumiJson *json)
{
  while (json->at < json->end && strchr (" \t\r\n", *json->at) && *json->at)
    json->at++;
}

gboolean
sumi_json_finish (SumiJson *json, GError **error)
{
  g_autofree char *message = NULL;

  skip_space (json);
  if (json->depth > 0)
    sumi_json_fail (json, "the text ends too early");
  else if (json->at < json->end)
    sumi_json_fail (json, "unexpected text");
  message = g_steal_pointer (&json->message);
  if (! message)
    return TRUE;
  g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_FORMAT, message);
  return FALSE;
}

char
sumi_json_peek (SumiJson *json)
{
  if (json->message)
    return 0;
  skip_space (json);
  return json->at < json->end ? *json->at : 0;
}

/* Takes the character @c. */
static gboolean
take (SumiJson *json, char c)
{
  if (json->message)
    return FALSE;
  if (sumi_json_peek (json) == c && json->at < json->end)
    {
      json->at++;
      return TRUE;
    }
  if (json->at == json->end)
    sumi_json_fail (json, "the text ends where “%c” was expected", c);
  else
    sumi_json_fail (json, "“%c” was expected", c);
  return FALSE;
}

static void
enter (SumiJson *json, char c)
{
  if (! take (json, c))
    return;
  if (json->depth + 1 >= SUMI_JSON_MAX_DEPTH)
    {
      sumi_json_fail (json, "nested more than %d deep", SUMI_JSON_MAX_DEPTH);
      return;
    }
  json->depth++;
  json->begun &= ~(1u << json->depth);
}

/* Steps over the comma. Returns: FALSE when the container closed or on a failure. */
static gboolean
next (SumiJson *json, char close)
{
  if (json->message)
    return FALSE;
  if (sumi_json_peek (json) == close)
    {
      json->at++;
      json->depth--;
      return FALSE;
    }
  if (json->begun >> json->depth & 1 && ! take (json, ','))
    return FALSE;
  json->begun |= 1u << json->depth;
  return TRUE;
}

void
sumi_json_enter_object (SumiJson *json)
{
  enter (json, '{');
}

void
sumi_json_enter_array (SumiJson *json)
{
  enter (json, '[');
}

char *
sumi_json_next_member (SumiJson *json)
{
  g_autofree char *key = NULL;

  if (! next (json, '}'))
    return NULL;
  key = sumi_json_string (json);
  return take (json, ':') ? g_steal_pointer (&key) : NULL;
}

gboolean
sumi_json_next_element (SumiJson *json)
{
  return next (json, ']');
}

/* Four hex digits after "\u". Returns: −1 after a failure. */
static int
hex4 (SumiJson *json)
{
  int value = 0;

  for (int i = 0; i < 4; i++)
    {
      const int digit = json->at < json->end ? g_ascii_xdigit_value (*json->at) : -1;

      if (digit < 0)
        {
          sumi_json_fail (json, "four hex digits were expected");
          return -1;
        }
      value = value << 4 | digit;
      json->at++;
    }
  return value;
}

/* A "\u" escape, with its second half when it is a surrogate. */
static gboolean
unicode_escape (SumiJson *json, GString *s)
{
  int code = hex4 (json), low;

  if (code >= 0xD800 && code < 0xDC00)
    {
      if (json->end - json->at < 2 || json->at[0] != '\\' || json->at[1] != 'u')
        code = -1;
      else
        {
          json->at += 2;
          low = hex4 (json);
          code = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : -1;
        }
    }
  if (code <= 0 || (code >= 0xDC00 && code < 0xE000))
    {
      sumi_json_fail (json, "bad \\u escape");
      return FALSE;
    }
  g_string_append_unichar (s, (gunichar) code);
  return TRUE;
}

char *
sumi_json_string (SumiJson *json)
{
  static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  g_autoptr (GString) s = g_string_new (NULL);

  if (! take (json, '"'))
    return NULL;
  while (json->at < json->end && *json->at != '"')
    {
      const char *run = json->at;

      while (json->at < json->end && *json->at != '"' && *json->at != '\\' && (guchar) *json->at >= 0x20)
        json->at++;
      g_string_append_len (s, run, json->at - run);
      if (json->at == json->end || *json->at == '"')
        break;
      if (*json->at != '\\')
        {
          sumi_json_fail (json, "control character in a string");
          return NULL;
        }
      if (++json->at == json->end)
        break;
      if (*json->at == 'u')
        {
          json->at++;
          if (! unicode_escape (json, s))
            return NULL;
        }
      else
        {
          const char *e = *json->at ? strchr (escapes, *json->at) : NULL;

          if (! e)
            {
              sumi_json_fail (json, "unknown escape in a string");
              return NULL;
            }
          g_string_append_c (s, meanings[e - escapes]);
          json->at++;
        }
    }
  if (json->at == json->end)
    {
      sumi_json_fail (json, "the text ends inside a string");
      return NULL;
    }
  json->at++;
  return g_string_free (g_steal_pointer (&s), FALSE);
}

static gboolean
digits (SumiJson *json)
{
  const char *from = json->at;

  while (json->at < json->end && g_ascii_isdigit (*json->at))
    json->at++;
  return json->at > from;
}

/* Steps over a number. Returns: (nullable): where it began. */
static const char *
scan_number (SumiJson *json)
{
  const char c = sumi_json_peek (json), *from = json->at;
  gboolean ok;

  if (json->message)
    return NULL;
  if (c == '-')
    json->at++;
  if (json->at < json->end && *json->at == '0')
    ok = ++json->at == json->end || ! g_ascii_isdigit (*json->at);
  else
    ok = digits (json);
  if (ok && json->at < json->end && *json->at == '.')
    {
      json->at++;
      ok = digits (json);
    }
  if (ok && json->at < json->end && (*json->at == 'e' || *json->at == 'E'))
    {
      json->at++;
      if (json->at < json->end && (*json->at == '+' || *json->at == '-'))
        json->at++;
      ok = digits (json);
    }
  if (ok)
    return from;
  sumi_json_fail (json, "a number was expected");
  return NULL;
}

double
sumi_json_number (SumiJson *json)
{
  const char *from = scan_number (json);
  char text[64];
  double value;

  if (! from)
    return 0;
  if (json->at - from >= (gssize) sizeof text)
    {
      sumi_json_fail (json, "a number of more than %d characters", (int) sizeof text - 1);
      return 0;
    }
  memcpy (text, from, (gsize) (json->at - from));
  text[json->at - from] = 0;
  value = g_ascii_strtod (text, NULL);
  if (! isfinite (value))
    {
      sumi_json_fail (json, "the number %s is too large", text);
      return 0;
    }
  return value;
}

guint64
sumi_json_whole (SumiJson *json, guint64 max)
{
  const char *from = scan_number (json);
  guint64 value = 0;

  for (const char *p = from; p && p < json->at; p++)
    {
      const guint64 digit = g_ascii_isdigit (*p) ? (guint64) g_ascii_digit_value (*p) : G_MAXUINT64;

      if (digit > max || value > (max - digit) / 10)
        {
          sumi_json_fail (json, "a whole number up to %" G_GUINT64_FORMAT " was expected", max);
          return 0;
        }
      value = value * 10 + digit;
    }
  return value;
}

/* Takes the whole word @word. */
static gboolean
take_word (SumiJson *json, const char *word)
{
  const gsize n = strlen (word);

  if ((gsize) (json->end - json->at) < n || memcmp (json->at, word, n))
    {
      sumi_json_fail (json, "a value was expected");
      return FALSE;
    }
  json->at += n;
  return TRUE;
}

gboolean
sumi_json_bool (SumiJson *json)
{
  if (sumi_json_peek (json) == 't')
    return take_word (json, "true");
  if (! json->message)
    take_word (json, "false");
  return FALSE;
}

void
sumi_json_skip (SumiJson *json)
{
  char *text;

  switch (sumi_json_peek (json))
    {
    case '{':
      sumi_json_enter_object (json);
      while ((text = sumi_json_next_member (json)))
        {
          g_free (text);
          sumi_json_skip (json);
        }
      break;
    case '[':
      sumi_json_enter_array (json);
      while (sumi_json_next_element (json))
        sumi_json_skip (json);
      break;
    case '"':
      g_free (sumi_json_string (json));
      break;
    case 't':
    case 'f':
      sumi_json_bool (json);
      break;
    case 'n':
      take_word (json, "null");
      break;
    default:
      scan_number (json);
    }
}

void
sumi_json_append_string (GString *text, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  g_string_append_c (text, '"');
  for (const char *c = valid; *c; c++)
    if (*c == '"' || *c == '\\')
      g_string_append_printf (text, "\\%c", *c);
    else if (*c == '\n')
      g_string_append (text, "\\n");
    else if ((guchar) *c < 0x20 || *c == 0x7f)
      g_string_append_printf (text, "\\u%04x", (guint) (guchar) *c);
    else
      g_string_append_c (text, *c);
  g_string_append_c (text, '"');
}
