/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Model files made by tests. */
#pragma once

#include <glib/gstdio.h>
#include <string.h>

#include "core/tensor/tensor.h"

/* A safetensors file in the making. */
typedef struct
{
  GString *header; /* without the closing brace */
  GByteArray *data;
} File;

static inline File
file_new (void)
{
  return (File){ g_string_new ("{"), g_byte_array_new () };
}

static inline void
file_meta (File *f, const char *json)
{
  g_string_append_printf (f->header, "\"__metadata__\":%s,", json);
}

static inline void
file_add (File *f, const char *name, const char *dtype, int n_dims, const int *shape, gconstpointer data, gsize bytes)
{
  g_string_append_printf (f->header, "\"%s\":{\"dtype\":\"%s\",\"shape\":[", name, dtype);
  for (int i = 0; i < n_dims; i++)
    g_string_append_printf (f->header, "%s%d", i ? "," : "", shape[i]);
  g_string_append_printf (f->header, "],\"data_offsets\":[%u,", f->data->len);
  g_byte_array_append (f->data, data, (guint) bytes);
  g_string_append_printf (f->header, "%u]},", f->data->len);
}

/* Returns: (transfer full): the bytes; frees @f. */
static inline GByteArray *
file_finish (File *f)
{
  GByteArray *out = g_byte_array_new ();
  guint64 n;

  if (f->header->str[f->header->len - 1] == ',')
    g_string_truncate (f->header, f->header->len - 1);
  g_string_append_c (f->header, '}');
  n = GUINT64_TO_LE (f->header->len);
  g_byte_array_append (out, (const guint8 *) &n, 8);
  g_byte_array_append (out, (const guint8 *) f->header->str, (guint) f->header->len);
  g_byte_array_append (out, f->data->data, f->data->len);
  g_string_free (f->header, TRUE);
  g_byte_array_unref (f->data);
  return out;
}

/* Not g_file_set_contents(), and always a new file: some file systems flush a file that is replaced. */
static inline void
file_write (const char *path, const guint8 *bytes, gsize n)
{
  FILE *out;

  g_remove (path);
  out = g_fopen (path, "wb");
  g_assert_nonnull (out);
  g_assert_true (fwrite (bytes, 1, n, out) == n);
  g_assert_true (fclose (out) == 0);
}
