/* SPDX-License-Identifier: GPL-3.0-or-later */
/* safetensors: 8 bytes little-endian N, N bytes of JSON, then the data. Each member of the JSON is a tensor {dtype,
 * shape, data_offsets: [begin, end)} relative to the data; "__metadata__" maps strings to strings. Tensors of types
 * that no family computes with (integers, f64, f8) are left out; so are those of more than four dimensions. */
#include <string.h>

#include "core/base/error.h"
#include "core/io/format.h"
#include "core/io/json.h"

#define MAX_HEADER (100u << 20)

static guint64
header_size (const guint8 *data)
{
  guint64 n = 0;

  for (int i = 7; i >= 0; i--)
    n = n << 8 | data[i];
  return n;
}

static gboolean
safetensors_probe (const guint8 *data, gsize size)
{
  return size >= 10 && header_size (data) >= 2 && header_size (data) <= MAX_HEADER && data[8] == '{';
}

static gboolean
damaged (const char *name, const char *why, GError **error)
{
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT, "the tensor “%s” has %s; the file is damaged, get it again", name,
               why);
  return FALSE;
}

/* Returns: -1 for types that are left out, -2 for names that do not exist. */
static int
dtype_of (const char *name)
{
  static const char *const others[] = { "F64", "I64", "I32",  "I16",     "I8",      "U64", "U32",
                                        "U16", "U8",  "BOOL", "F8_E4M3", "F8_E5M2", NULL };

  if (! strcmp (name, "F32"))
    return SUMI_DTYPE_F32;
  if (! strcmp (name, "F16"))
    return SUMI_DTYPE_F16;
  if (! strcmp (name, "BF16"))
    return SUMI_DTYPE_BF16;
  return g_strv_contains (others, name) ? -1 : -2;
}

static gboolean
read_index (const SumiJson *json, double max, guint64 *out)
{
  if (json->type != SUMI_JSON_NUMBER || json->number < 0 || json->number > max ||
      json->number != (double) (guint64) json->number)
    return FALSE;
  *out = (guint64) json->number;
  return TRUE;
}

static gboolean
read_tensor (SumiWeights *self, const SumiJson *entry, const guint8 *data, guint64 size, GError **error)
{
  const SumiJson *dtype = sumi_json_get (entry, "dtype", SUMI_JSON_STRING);
  const SumiJson *shape = sumi_json_get (entry, "shape", SUMI_JSON_ARRAY);
  const SumiJson *offsets = sumi_json_get (entry, "data_offsets", SUMI_JSON_ARRAY);
  SumiTensor t = { .shape = { 1, 1, 1, 1 } };
  guint64 begin, end, bytes;
  int type;

  if (! dtype || ! shape || ! offsets || sumi_json_count (offsets) != 2)
    return damaged (entry->key, "no dtype, shape and data_offsets", error);
  if (! read_index (offsets->child, (double) size, &begin) ||
      ! read_index (offsets->child->next, (double) size, &end) || begin > end)
    return damaged (entry->key, "data outside the file", error);
  type = dtype_of (dtype->text);
  if (type == -2)
    return damaged (entry->key, "a type that does not exist", error);
  if (type == -1 || sumi_json_count (shape) > SUMI_MAX_DIMS)
    return TRUE;
  t.dtype = (SumiDType) type;
  bytes = sumi_dtype_size (t.dtype);
  for (const SumiJson *d = shape->child; d; d = d->next)
    {
      guint64 n;

      if (! read_index (d, G_MAXINT, &n) || (n && bytes > G_MAXUINT64 / n))
        return damaged (entry->key, "an impossible shape", error);
      bytes *= n;
      t.shape[t.n_dims++] = (int) n;
    }
  if (bytes != end - begin)
    return damaged (entry->key, "a shape that does not fit its data", error);
  return sumi_weights_add (self, entry->key, &t, data + begin, error);
}

static gboolean
safetensors_read (SumiWeights *self, const guint8 *data, gsize size, GError **error)
{
  const guint64 n = header_size (data);
  g_autoptr (SumiJson) json = NULL;

  if (n > size - 8)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT,
                   "the file ends after %" G_GSIZE_FORMAT " bytes, within its directory; get it again", size);
      return FALSE;
    }
  json = sumi_json_parse ((const char *) data + 8, (gsize) n, error);
  if (! json)
    return FALSE;
  for (const SumiJson *entry = json->child; entry; entry = entry->next)
    if (strcmp (entry->key, "__metadata__"))
      {
        if (! read_tensor (self, entry, data + 8 + n, size - 8 - n, error))
          return FALSE;
      }
    else
      for (const SumiJson *m = entry->type == SUMI_JSON_OBJECT ? entry->child : NULL; m; m = m->next)
        if (m->type == SUMI_JSON_STRING)
          sumi_weights_add_meta (self, m->key, m->text);
  return TRUE;
}

const SumiFormatClass sumi_format_safetensors = {
  .key = "safetensors",
  .probe = safetensors_probe,
  .read = safetensors_read,
};
