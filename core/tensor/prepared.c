/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tensor/prepared.h"

#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

typedef struct
{
  gconstpointer data, kind[2]; /* the key */
  gpointer form;
} Entry;

#define ALIGN 64
/* of huge pages: most forms are smaller, and page by page their first use would take as long as making them */
#define CHUNK ((gsize) 8 << 20)

struct SumiPrepared
{
  GMutex mutex;        /* held while a form is made: others wait for it instead of making it too */
  GHashTable *entries; /* (element-type Entry Entry): its own key */
  GPtrArray *chunks;   /* memory of the forms */
  char *next;          /* free memory of the last chunk, @left bytes */
  gsize left;
  gsize bytes;
};

static guint
entry_hash (gconstpointer key)
{
  const Entry *e = key;

  return g_direct_hash (e->data) ^ g_direct_hash (e->kind[0]) * 31 ^ g_direct_hash (e->kind[1]) * 61;
}

static gboolean
entry_equal (gconstpointer a, gconstpointer b)
{
  const Entry *x = a, *y = b;

  return x->data == y->data && x->kind[0] == y->kind[0] && x->kind[1] == y->kind[1];
}

/* Returns: (nullable): NULL when there is no memory. */
static gpointer
take (SumiPrepared *self, gsize size)
{
  const gsize rounded = (size + ALIGN - 1) / ALIGN * ALIGN;
  gpointer p;

  if (rounded > self->left)
    {
      const gsize chunk = MAX (rounded, CHUNK);

      p = sumi_memory_alloc (chunk);
      if (! p)
        return NULL;
      g_ptr_array_add (self->chunks, p);
      if (rounded == chunk)
        return p;
      self->next = p;
      self->left = chunk;
    }
  p = self->next;
  self->next += rounded;
  self->left -= rounded;
  return p;
}

SumiPrepared *
sumi_prepared_new (void)
{
  SumiPrepared *self = g_new0 (SumiPrepared, 1);

  g_mutex_init (&self->mutex);
  self->entries = g_hash_table_new_full (entry_hash, entry_equal, g_free, NULL);
  self->chunks = g_ptr_array_new_with_free_func (free);
  return self;
}

void
sumi_prepared_free (SumiPrepared *self)
{
  if (! self)
    return;
  g_hash_table_unref (self->entries);
  g_ptr_array_unref (self->chunks);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

gsize
sumi_prepared_get_bytes (SumiPrepared *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return self->bytes;
}

gconstpointer
sumi_prepared_get (SumiEval *ev,
                   const SumiTensor *t,
                   const gconstpointer kind[2],
                   gsize size,
                   SumiPrepare prepare,
                   gconstpointer data)
{
  SumiPrepared *self = t->prepared;
  const Entry wanted = { t->data, { kind[0], kind[1] }, NULL };
  g_autoptr (GMutexLocker) locker = NULL;
  Entry *entry;
  gpointer form;

  if (self)
    {
      locker = g_mutex_locker_new (&self->mutex);
      entry = g_hash_table_lookup (self->entries, &wanted);
      if (entry)
        return entry->form;
    }
  form = self ? take (self, size) : sumi_arena_alloc (ev->scratch, size);
  if (! form)
    {
      sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "no memory for %.0f MB of prepared weights; close other programs",
                      (double) size * 1e-6);
      return NULL;
    }
  prepare (ev, t, form, data);
  if (! self)
    return form;
  if (ev->error)
    return NULL;
  entry = g_new (Entry, 1);
  *entry = wanted;
  entry->form = form;
  g_hash_table_add (self->entries, entry);
  self->bytes += size;
  return form;
}
