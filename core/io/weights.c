/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/io/weights.h"

#include <string.h>

#include "core/base/error.h"
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
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  g_autoptr (SumiWeights) self = NULL;
  const guint8 *data;
  gsize size;

  if (! file)
    return NULL;
  data = (const guint8 *) g_mapped_file_get_contents (file);
  size = g_mapped_file_get_length (file);

  self = g_new0 (SumiWeights, 1);
  g_atomic_ref_count_init (&self->refs);
  self->path = g_strdup (path);
  self->file = g_steal_pointer (&file);
  self->tensors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->names = g_ptr_array_new ();
  self->meta = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->meta_keys = g_ptr_array_new ();
  self->copies = g_ptr_array_new_with_free_func (g_free);

  for (int i = 0; formats[i]; i++)
    if (formats[i]->probe (data, size))
      {
        if (! formats[i]->read (self, data, size, error))
          {
            g_prefix_error (error, "%s: ", path);
            return NULL;
          }
        g_ptr_array_add (self->names, NULL);
        g_ptr_array_add (self->meta_keys, NULL);
        return g_steal_pointer (&self);
      }
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT,
               "%s is no model file that Sumi knows (safetensors), or it is damaged", path);
  return NULL;
}

SumiWeights *
sumi_weights_ref (SumiWeights *weights)
{
  g_atomic_ref_count_inc (&weights->refs);
  return weights;
}

void
sumi_weights_unref (SumiWeights *weights)
{
  if (! weights || ! g_atomic_ref_count_dec (&weights->refs))
    return;
  g_free (weights->path);
  g_mapped_file_unref (weights->file);
  g_hash_table_unref (weights->tensors);
  g_ptr_array_unref (weights->names);
  g_hash_table_unref (weights->meta);
  g_ptr_array_unref (weights->meta_keys);
  g_ptr_array_unref (weights->copies);
  g_free (weights);
}

gboolean
sumi_weights_add (SumiWeights *self, const char *name, const SumiTensor *shape, const guint8 *data, GError **error)
{
  const gsize bytes = sumi_tensor_count (shape) * sumi_dtype_size (shape->dtype);
  SumiTensor *t;
  char *key;

  if (g_hash_table_contains (self->tensors, name))
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT, "the tensor “%s” comes twice; the file is damaged", name);
      return FALSE;
    }
  t = g_memdup2 (shape, sizeof *shape);
  key = g_strdup (name);
  if ((gsize) data % sumi_dtype_size (shape->dtype))
    {
      t->data = g_try_malloc (MAX (bytes, 1));
      if (! t->data)
        {
          g_free (t);
          g_free (key);
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory for the tensor “%s”", name);
          return FALSE;
        }
      memcpy (t->data, data, bytes);
      g_ptr_array_add (self->copies, t->data);
    }
  else
    t->data = (gpointer) data;
  g_hash_table_insert (self->tensors, key, t);
  g_ptr_array_add (self->names, key);
  return TRUE;
}

void
sumi_weights_add_meta (SumiWeights *self, const char *key, const char *value)
{
  if (g_hash_table_contains (self->meta, key))
    return;
  g_ptr_array_add (self->meta_keys, g_strdup (key));
  g_hash_table_insert (self->meta, g_ptr_array_index (self->meta_keys, self->meta_keys->len - 1), g_strdup (value));
}

const SumiTensor *
sumi_weights_find (SumiWeights *weights, const char *name)
{
  return g_hash_table_lookup (weights->tensors, name);
}

const char *const *
sumi_weights_get_names (SumiWeights *weights)
{
  return (const char *const *) weights->names->pdata;
}

const char *
sumi_weights_get_meta (SumiWeights *weights, const char *key)
{
  return g_hash_table_lookup (weights->meta, key);
}

const char *const *
sumi_weights_get_meta_keys (SumiWeights *weights)
{
  return (const char *const *) weights->meta_keys->pdata;
}

const char *
sumi_weights_get_path (SumiWeights *weights)
{
  return weights->path;
}

char *
sumi_weights_dup_hash (SumiWeights *weights)
{
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) g_mapped_file_get_contents (weights->file),
                                      g_mapped_file_get_length (weights->file));
}
