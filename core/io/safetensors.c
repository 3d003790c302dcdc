/* SPDX-License-Identifier: GPL-3.0-or-later */
/* safetensors (https://github.com/huggingface/safetensors, "Format"): 8 bytes little-endian length n of the header, n
 * bytes of JSON { name: { dtype, shape, data_offsets: [begin, end] }, "__metadata__": { key: string } }, then the data.
 * Offsets count from the end of the header; tensors cover the data without gaps or overlaps (checked, as the
 * format's own reader does). f32, f16, bf16 and 8-bit floats of up to 4 dimensions are offered; other element types and
 * more dimensions are checked and left out. Data that the header's length leaves unaligned is copied. */
#include <string.h>

#include "core/base/error.h"
#include "core/io/format.h"
#include "core/io/json.h"

/* the limit of the format's own reader */
#define MAX_HEADER 100000000

typedef struct
{
  const char *name;
  int size;  /* bytes */
  int dtype; /* SumiDType, or −1: not offered */
} ElementType;

static const ElementType types[] = {
  { "F32", 4, SUMI_DTYPE_F32 },
  { "F16", 2, SUMI_DTYPE_F16 },
  { "BF16", 2, SUMI_DTYPE_BF16 },
  { "F8_E4M3", 1, SUMI_DTYPE_F8_E4M3 },
  { "F8_E5M2", 1, SUMI_DTYPE_F8_E5M2 },
  { "F64", 8, -1 },
  { "I64", 8, -1 },
  { "U64", 8, -1 },
  { "I32", 4, -1 },
  { "U32", 4, -1 },
  { "I16", 2, -1 },
  { "U16", 2, -1 },
  { "I8", 1, -1 },
  { "U8", 1, -1 },
  { "BOOL", 1, -1 },
};

/* One tensor's entry in the header. */
typedef struct
{
  char *name;
  const ElementType *type;
  SumiTensor shape;
  gboolean too_many_dims;
  guint64 count; /* elements */
  guint64 begin, end;
} Entry;

static void
entry_clear (gpointer data)
{
  g_free (((Entry *) data)->name);
}

static guint64
header_length (const guint8 *bytes)
{
  guint64 n = 0;

  for (int i = 7; i >= 0; i--)
    n = n << 8 | bytes[i];
  return n;
}

/* A file cut short is still told from another format, for a better message. */
static gboolean
safetensors_probe (const guint8 *bytes, gsize length)
{
  return length >= 9 && bytes[8] == '{' && header_length (bytes) <= MAX_HEADER;
}

static void
read_shape (SumiJson *json, Entry *e)
{
  e->count = 1;
  e->shape.n_dims = 0;
  sumi_json_enter_array (json);
  while (sumi_json_next_element (json))
    {
      const guint64 size = sumi_json_whole (json, G_MAXINT);

      if (! g_uint64_checked_mul (&e->count, e->count, size))
        sumi_json_fail (json, "“%s” has more elements than can be counted", e->name);
      if (e->shape.n_dims == SUMI_MAX_DIMS)
        e->too_many_dims = TRUE;
      else
        e->shape.shape[e->shape.n_dims++] = (int) size;
    }
}

static void
read_offsets (SumiJson *json, Entry *e, guint64 length)
{
  int n = 0;

  sumi_json_enter_array (json);
  while (sumi_json_next_element (json))
    {
      const guint64 offset = sumi_json_whole (json, G_MAXINT64);

      if (offset > length)
        sumi_json_fail (json,
                        "“%s” reaches to byte %" G_GUINT64_FORMAT " of data, but there are %" G_GUINT64_FORMAT
                        " (cut short?)",
                        e->name, offset, length);
      if (n == 0)
        e->begin = offset;
      else
        e->end = offset;
      n++;
    }
  if (n != 2)
    sumi_json_fail (json, "“%s” has %d data offsets, expected 2", e->name, n);
  else if (e->end < e->begin)
    sumi_json_fail (json, "the data of “%s” ends before it begins", e->name);
}

static void
read_type (SumiJson *json, Entry *e)
{
  g_autofree char *text = sumi_json_string (json);

  for (guint i = 0; text && i < G_N_ELEMENTS (types); i++)
    if (! strcmp (types[i].name, text))
      e->type = types + i;
  if (text && ! e->type)
    sumi_json_fail (json, "“%s” has the unknown element type “%s”", e->name, text);
}

/* @length: of the data */
static void
read_entry (SumiJson *json, Entry *e, guint64 length)
{
  guint seen = 0;
  guint64 size;
  char *key;

  e->shape = (SumiTensor){ .shape = { 1, 1, 1, 1 } };
  sumi_json_enter_object (json);
  while ((key = sumi_json_next_member (json)))
    {
      const guint bit = ! strcmp (key, "dtype")        ? 1 :
                        ! strcmp (key, "shape")        ? 2 :
                        ! strcmp (key, "data_offsets") ? 4 :
                                                         0;

      if (bit & seen)
        sumi_json_fail (json, "“%s” has “%s” twice", e->name, key);
      seen |= bit;
      if (bit == 1)
        read_type (json, e);
      else if (bit == 2)
        read_shape (json, e);
      else if (bit == 4)
        read_offsets (json, e, length);
      else
        sumi_json_skip (json);
      g_free (key);
    }
  if (sumi_json_ok (json) && seen != 7)
    sumi_json_fail (json, "“%s” lacks dtype, shape or data_offsets", e->name);
  if (! sumi_json_ok (json))
    return;
  if (! g_uint64_checked_mul (&size, e->count, (guint64) e->type->size) || size != e->end - e->begin)
    sumi_json_fail (json, "“%s” has %" G_GUINT64_FORMAT " bytes of data, which does not fit its shape", e->name,
                    e->end - e->begin);
}

static void
read_meta (SumiJson *json, SumiWeights *w)
{
  char *key;

  sumi_json_enter_object (json);
  while ((key = sumi_json_next_member (json)))
    {
      g_autoptr (GError) error = NULL;
      char *value = sumi_json_string (json);

      if (! value)
        g_free (key);
      else if (! sumi_weights_add_meta (w, key, value, &error))
        sumi_json_fail (json, "%s", error->message);
    }
}

static int
by_begin (gconstpointer a, gconstpointer b)
{
  const Entry *x = a, *y = b;

  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  return x->end < y->end ? -1 : x->end > y->end;
}

/* @entries in the order of their data. */
static gboolean
check_cover (const GArray *entries, guint64 length, GError **error)
{
  guint64 at = 0;

  for (guint i = 0; i < entries->len; i++)
    {
      const Entry *e = &g_array_index (entries, Entry, i);

      if (e->begin != at)
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT, "%s in the data before “%s”",
                       e->begin < at ? "tensors overlap" : "there is a gap", e->name);
          return FALSE;
        }
      at = e->end;
    }
  if (at == length)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT, "%" G_GUINT64_FORMAT " bytes at the end belong to no tensor",
               length - at);
  return FALSE;
}

static gboolean
safetensors_read (SumiWeights *w, GError **error)
{
  g_autoptr (GArray) entries = g_array_new (FALSE, TRUE, sizeof (Entry));
  const guint64 header = header_length (w->bytes), data = 8 + header;
  gboolean has_meta = FALSE;
  SumiJson json;
  char *name;

  g_array_set_clear_func (entries, entry_clear);
  if (w->length < data)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT,
                   "the header says %" G_GUINT64_FORMAT " bytes, but the file has only %" G_GSIZE_FORMAT
                   " (cut short?)",
                   header, w->length);
      return FALSE;
    }
  sumi_json_init (&json, (const char *) w->bytes + 8, (gsize) header);
  sumi_json_enter_object (&json);
  while ((name = sumi_json_next_member (&json)))
    if (! strcmp (name, "__metadata__"))
      {
        g_free (name);
        if (has_meta)
          sumi_json_fail (&json, "“__metadata__” is there twice");
        has_meta = TRUE;
        read_meta (&json, w);
      }
    else
      {
        Entry e = { .name = name };

        read_entry (&json, &e, w->length - data);
        g_array_append_val (entries, e);
      }
  if (! sumi_json_finish (&json, error))
    return FALSE;
  g_array_sort (entries, by_begin);
  if (! check_cover (entries, w->length - data, error))
    return FALSE;
  for (guint i = 0; i < entries->len; i++)
    {
      Entry *e = &g_array_index (entries, Entry, i);

      if (e->type->dtype < 0 || e->too_many_dims)
        continue;
      e->shape.dtype = (SumiDType) e->type->dtype;
      if (! sumi_weights_add_tensor (w, g_steal_pointer (&e->name), &e->shape, (gsize) (data + e->begin),
                                     (gsize) (e->end - e->begin), error))
        return FALSE;
    }
  return TRUE;
}

const SumiFormatClass sumi_format_safetensors = {
  .key = "safetensors",
  .label = "safetensors",
  .probe = safetensors_probe,
  .read = safetensors_read,
};
