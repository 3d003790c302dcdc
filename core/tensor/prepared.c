/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tensor/prepared.h"

#include <sys/mman.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/tensor/eval.h"
#include "core/tensor/prepared-file.h"
#include "core/tensor/tensor.h"

typedef struct
{
  gconstpointer data, kind[2]; /* the key */
  gconstpointer form;
  gsize size;
  gboolean filed; /* it lies in the file */
} Entry;

#define ALIGN     64
/* a file larger than that is not worth its place */
#define MOST_KEPT ((gsize) 512 << 20)
/* of huge pages: most forms are smaller, and page by page their first use would take as long as making them */
#define CHUNK     ((gsize) 8 << 20)
#define HUGE_PAGE ((gsize) 2 << 20)

struct SumiPrepared
{
  GMutex mutex;        /* held while a form is made: others wait for it instead of making it too */
  GHashTable *entries; /* (element-type Entry Entry): its own key */
  GPtrArray *chunks;   /* memory of the forms */
  char *next;          /* free memory of the last chunk, @left bytes */
  gsize left;
  GHashTable *names; /* data of a tensor → its name, owned */
  char *path, *identity;
  SumiPreparedFile *file; /* (nullable) */
  gboolean news;          /* there are forms that the file does not have */
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

typedef struct
{
  gpointer map;
  gsize size;
} Chunk;

static void
chunk_free (gpointer data)
{
  Chunk *c = data;

  munmap (c->map, c->size);
  g_free (c);
}

/* Straight from the system: such long-lived pieces would only make holes in what malloc() keeps. Returns: (nullable):
 * @size bytes that start on a huge page. */
static gpointer
new_chunk (SumiPrepared *self, gsize size)
{
  Chunk c = { .size = size + HUGE_PAGE };
  gpointer p;

  if (size > G_MAXSIZE / 2)
    return NULL;
  c.map = mmap (NULL, c.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (c.map == MAP_FAILED)
    return NULL;
  p = (gpointer) (((gsize) c.map + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
#ifdef MADV_HUGEPAGE
  madvise (p, size, MADV_HUGEPAGE);
#endif
  g_ptr_array_add (self->chunks, g_memdup2 (&c, sizeof c));
  return p;
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

      p = new_chunk (self, chunk);
      if (! p || rounded == chunk)
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
  self->chunks = g_ptr_array_new_with_free_func (chunk_free);
  self->names = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

void
sumi_prepared_keep (SumiPrepared *self, const char *path, const char *identity)
{
  g_return_if_fail (! self->path);
  self->path = g_strdup (path);
  self->identity = g_strdup (identity);
  self->file = sumi_prepared_file_open (path, identity);
}

void
sumi_prepared_name (SumiPrepared *self, gconstpointer data, const char *name)
{
  g_hash_table_insert (self->names, (gpointer) data, g_strdup (name));
}

/* What a form is called in the file. Returns: FALSE when it is not kept. */
static gboolean
file_key (SumiPrepared *self, const Entry *entry, char key[SUMI_PREPARED_KEY])
{
  const char *name = self->path ? g_hash_table_lookup (self->names, entry->data) : NULL;

  return name && g_snprintf (key, SUMI_PREPARED_KEY, "%s/%s/%s", name, (const char *) entry->kind[0],
                             (const char *) entry->kind[1]) < SUMI_PREPARED_KEY;
}

/* What the file has and was not asked for stays: it is for pictures of another size, or another instruction set. */
static void
save (SumiPrepared *self)
{
  g_autoptr (GArray) entries = g_array_new (FALSE, TRUE, sizeof (SumiPreparedEntry));
  g_autoptr (GPtrArray) forms = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer item;
  gsize all = self->bytes;
  int n = 0;
  const SumiPreparedEntry *old = self->file ? sumi_prepared_file_get_entries (self->file, &n) : NULL;

  for (int i = 0; i < n; i++)
    {
      all += old[i].size;
      g_array_append_val (entries, old[i]);
      g_ptr_array_add (forms, (gpointer) sumi_prepared_file_get_data (self->file, old + i));
    }
  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, &item, NULL))
    {
      const Entry *entry = item;
      SumiPreparedEntry kept = { .size = entry->size };

      if (entry->filed || ! file_key (self, entry, kept.key))
        continue;
      g_array_append_val (entries, kept);
      g_ptr_array_add (forms, (gpointer) entry->form);
    }
  if (all <= MOST_KEPT &&
      ! sumi_prepared_file_write (self->path, self->identity, (SumiPreparedEntry *) (gpointer) entries->data,
                                  (const gconstpointer *) forms->pdata, (int) entries->len, &error))
    g_debug ("%s", error->message);
}

void
sumi_prepared_free (SumiPrepared *self)
{
  if (! self)
    return;
  if (self->path && self->news)
    save (self);
  g_hash_table_unref (self->entries);
  g_ptr_array_unref (self->chunks);
  g_hash_table_unref (self->names);
  sumi_prepared_file_free (self->file);
  g_free (self->path);
  g_free (self->identity);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

gsize
sumi_prepared_get_bytes (SumiPrepared *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return self->bytes;
}

/* Returns: a new form of @t, made in scratch if there is no store; NULL after sumi_eval_fail(). */
static gpointer
make (SumiPrepared *self, SumiEval *ev, const SumiTensor *t, gsize size, SumiPrepare prepare, gconstpointer data)
{
  gpointer form = self ? take (self, size) : sumi_arena_alloc (ev->scratch, size);

  if (form)
    prepare (ev, t, form, data);
  else
    sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "no memory for %.0f MB of prepared weights; close other programs",
                    (double) size * 1e-6);
  return ev->error ? NULL : form;
}

gconstpointer
sumi_prepared_get (SumiEval *ev,
                   const SumiTensor *t,
                   const char *const kind[2],
                   gsize size,
                   SumiPrepare prepare,
                   gconstpointer data)
{
  SumiPrepared *self = t->prepared;
  Entry wanted = { t->data, { kind[0], kind[1] }, NULL, size, FALSE };
  g_autoptr (GMutexLocker) locker = NULL;
  char key[SUMI_PREPARED_KEY];
  const Entry *entry;

  if (! self)
    return make (NULL, ev, t, size, prepare, data);
  locker = g_mutex_locker_new (&self->mutex);
  entry = g_hash_table_lookup (self->entries, &wanted);
  if (entry)
    return entry->form;
  if (self->file && file_key (self, &wanted, key))
    wanted.form = sumi_prepared_file_find (self->file, key, size);
  wanted.filed = wanted.form != NULL;
  if (! wanted.filed)
    {
      wanted.form = make (self, ev, t, size, prepare, data);
      if (! wanted.form)
        return NULL;
      self->bytes += size;
      self->news = TRUE;
    }
  g_hash_table_add (self->entries, g_memdup2 (&wanted, sizeof wanted));
  return wanted.form;
}
