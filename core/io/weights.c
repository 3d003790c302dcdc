/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats are tried in the registry's order. The mapping is read-only and private; a file that another program
 * shortens while it is open cannot be guarded against: model files are replaced by renaming. */
#include "core/io/weights.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/io/format.h"

#define SUMI_ROW(name) extern const SumiFormatClass sumi_format_##name;
#include "core/io/format-rows.h"
#undef SUMI_ROW

static const SumiFormatClass *const formats[] = {
#define SUMI_ROW(name) &sumi_format_##name,
#include "core/io/format-rows.h"
#undef SUMI_ROW
  NULL
};

SumiWeights *
sumi_weights_open (const char *path, GError **error)
{
  g_autoptr (SumiWeights) w = g_new0 (SumiWeights, 1);
  const SumiFormatClass *format = NULL;

  g_atomic_ref_count_init (&w->refs);
  g_mutex_init (&w->mutex);
  w->path = g_strdup (path);
  w->tensors = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  w->names = g_ptr_array_new_with_free_func (g_free);
  w->meta = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  w->meta_keys = g_ptr_array_new_with_free_func (g_free);
  w->copies = g_ptr_array_new_with_free_func (g_free);

  /* opening a pipe would wait for its other end */
  if (g_file_test (path, G_FILE_TEST_EXISTS) && ! g_file_test (path, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "“%s” is not a file; give a model file", path);
      return NULL;
    }
  w->file = g_mapped_file_new (path, FALSE, error);
  if (! w->file)
    return NULL;
  w->bytes = (const guint8 *) g_mapped_file_get_contents (w->file);
  w->length = g_mapped_file_get_length (w->file);
  for (int i = 0; formats[i] && ! format; i++)
    if (w->length > 0 && formats[i]->probe (w->bytes, w->length))
      format = formats[i];
  if (! format)
    {
      GString *known = g_string_new (NULL);

      for (int i = 0; formats[i]; i++)
        g_string_append_printf (known, "%s%s", i ? ", " : "", formats[i]->label);
      g_set_error (error, SUMI_ERROR, w->length > 0 ? SUMI_ERROR_UNSUPPORTED : SUMI_ERROR_FORMAT,
                   "“%s” is %s; model files that can be read here: %s", path,
                   w->length > 0 ? "not a model file" : "empty", known->str);
      g_string_free (known, TRUE);
      return NULL;
    }
  if (! format->read (w, error))
    {
      g_prefix_error (error, "“%s” is damaged or not a %s file, get it again: ", path, format->label);
      return NULL;
    }
  g_ptr_array_add (w->names, NULL);
  g_ptr_array_add (w->meta_keys, NULL);
  return g_steal_pointer (&w);
}

gboolean
sumi_weights_add_tensor (SumiWeights *w, char *name, const SumiTensor *shape, gsize offset, gsize size, GError **error)
{
  g_autofree char *owned_name = name;
  g_autofree SumiTensor *t = g_memdup2 (shape, sizeof *shape);

  g_return_val_if_fail (offset <= w->length && size <= w->length - offset, FALSE);
  if (g_hash_table_contains (w->tensors, name))
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT, "the tensor “%s” is there twice", name);
      return FALSE;
    }
  t->data = (gpointer) (w->bytes + offset);
  if ((gsize) t->data % sumi_dtype_size (t->dtype))
    {
      gpointer copy = g_try_malloc (MAX (size, 1));

      if (! copy)
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory for the %" G_GSIZE_FORMAT " bytes of “%s”",
                       size, name);
          return FALSE;
        }
      memcpy (copy, t->data, size);
      t->data = copy;
      g_ptr_array_add (w->copies, copy);
    }
  g_hash_table_insert (w->tensors, name, g_steal_pointer (&t));
  g_ptr_array_add (w->names, g_steal_pointer (&owned_name));
  return TRUE;
}

gboolean
sumi_weights_add_meta (SumiWeights *w, char *key, char *value, GError **error)
{
  g_autofree char *owned_key = key, *owned_value = value;

  if (g_hash_table_contains (w->meta, key))
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT, "the metadata “%s” is there twice", key);
      return FALSE;
    }
  g_hash_table_insert (w->meta, key, g_steal_pointer (&owned_value));
  g_ptr_array_add (w->meta_keys, g_steal_pointer (&owned_key));
  return TRUE;
}

SumiWeights *
sumi_weights_ref (SumiWeights *w)
{
  g_atomic_ref_count_inc (&w->refs);
  return w;
}

void
sumi_weights_unref (SumiWeights *w)
{
  if (! g_atomic_ref_count_dec (&w->refs))
    return;
  g_hash_table_unref (w->tensors);
  g_hash_table_unref (w->meta);
  g_ptr_array_unref (w->names);
  g_ptr_array_unref (w->meta_keys);
  g_ptr_array_unref (w->copies);
  g_clear_pointer (&w->file, g_mapped_file_unref);
  g_mutex_clear (&w->mutex);
  g_free (w->hash);
  g_free (w->path);
  g_free (w);
}

const SumiTensor *
sumi_weights_find (SumiWeights *w, const char *name)
{
  return g_hash_table_lookup (w->tensors, name);
}

const char *const *
sumi_weights_get_names (SumiWeights *w)
{
  return (const char *const *) w->names->pdata;
}

const char *
sumi_weights_get_meta (SumiWeights *w, const char *key)
{
  return g_hash_table_lookup (w->meta, key);
}

const char *const *
sumi_weights_get_meta_keys (SumiWeights *w)
{
  return (const char *const *) w->meta_keys->pdata;
}

const char *
sumi_weights_get_path (SumiWeights *w)
{
  return w->path;
}

char *
sumi_weights_dup_hash (SumiWeights *w)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&w->mutex);

  if (! w->hash)
    w->hash = sumi_sha256_dup_hex (w->bytes, w->length);
  return g_strdup (w->hash);
}
