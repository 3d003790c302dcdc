/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A head of HEAD bytes, the forms, then the table of entries. Everything is checked on opening: a file may have been
 * cut short, or be of another version. */
#include "core/tensor/prepared-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGN 64
#define HEAD  256
/* raise it whenever a kernel changes how it lays out a form */
#define MAGIC "sumi-prepared-1"

typedef struct
{
  char magic[16];
  guint64 table, n; /* offset of the entries, number */
  char identity[HEAD - 32];
} Head;

struct SumiPreparedFile
{
  const guint8 *bytes;
  gsize length;
  const Head *head;
};

static gboolean
is_good (const SumiPreparedFile *file, const char *identity)
{
  const Head *head = file->head;

  if (file->length < HEAD || memcmp (head->magic, MAGIC, sizeof MAGIC) ||
      strncmp (head->identity, identity, sizeof head->identity) || head->table % ALIGN || head->table > file->length ||
      head->n > (file->length - head->table) / sizeof (SumiPreparedEntry) ||
      head->table + head->n * sizeof (SumiPreparedEntry) != file->length)
    return FALSE;
  for (guint64 i = 0; i < head->n; i++)
    {
      const SumiPreparedEntry *e = (const SumiPreparedEntry *) (file->bytes + head->table) + i;

      if (! memchr (e->key, 0, sizeof e->key) || e->offset % ALIGN || e->offset < HEAD || e->offset > head->table ||
          e->size > head->table - e->offset)
        return FALSE;
    }
  return TRUE;
}

SumiPreparedFile *
sumi_prepared_file_open (const char *path, const char *identity)
{
  g_autoptr (SumiPreparedFile) file = g_new0 (SumiPreparedFile, 1);
  const int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status;
  gpointer bytes = MAP_FAILED;

  if (fd < 0)
    return NULL;
  /* only what this user wrote */
  if (! fstat (fd, &status) && S_ISREG (status.st_mode) && status.st_uid == geteuid () && status.st_size >= HEAD)
    bytes = mmap (NULL, (gsize) status.st_size, PROT_READ, MAP_SHARED, fd, 0);
  close (fd);
  if (bytes == MAP_FAILED)
    return NULL;
  file->bytes = bytes;
  file->length = (gsize) status.st_size;
  file->head = bytes;
  return is_good (file, identity) ? g_steal_pointer (&file) : NULL;
}

void
sumi_prepared_file_free (SumiPreparedFile *file)
{
  if (! file)
    return;
  if (file->bytes)
    munmap ((gpointer) file->bytes, file->length);
  g_free (file);
}

const SumiPreparedEntry *
sumi_prepared_file_get_entries (const SumiPreparedFile *file, int *n)
{
  *n = (int) file->head->n;
  return (const SumiPreparedEntry *) (file->bytes + file->head->table);
}

gconstpointer
sumi_prepared_file_get_data (const SumiPreparedFile *file, const SumiPreparedEntry *entry)
{
  return file->bytes + entry->offset;
}

gconstpointer
sumi_prepared_file_find (const SumiPreparedFile *file, const char *key, gsize size)
{
  int n;
  const SumiPreparedEntry *entries = sumi_prepared_file_get_entries (file, &n);

  for (int i = 0; i < n; i++)
    if (! strcmp (entries[i].key, key) && entries[i].size == size)
      return sumi_prepared_file_get_data (file, entries + i);
  return NULL;
}

static gboolean
put (int fd, gconstpointer data, gsize size)
{
  const char *from = data;

  while (size > 0)
    {
      const gssize n = write (fd, from, MIN (size, 1 << 30));

      if (n < 0 && errno != EINTR)
        return FALSE;
      from += MAX (n, 0);
      size -= (gsize) MAX (n, 0);
    }
  return TRUE;
}

static gboolean
write_all (int fd, const char *identity, SumiPreparedEntry *entries, const gconstpointer *forms, int n)
{
  static const char zeros[ALIGN];
  Head head = { .magic = MAGIC, .table = HEAD, .n = (guint64) n };

  g_strlcpy (head.identity, identity, sizeof head.identity);
  for (int i = 0; i < n; i++)
    {
      entries[i].offset = head.table;
      head.table += (entries[i].size + ALIGN - 1) / ALIGN * ALIGN;
    }
  if (! put (fd, &head, sizeof head))
    return FALSE;
  for (int i = 0; i < n; i++)
    if (! put (fd, forms[i], entries[i].size) || ! put (fd, zeros, (gsize) (-entries[i].size % ALIGN)))
      return FALSE;
  return put (fd, entries, sizeof *entries * (gsize) n);
}

gboolean
sumi_prepared_file_write (const char *path,
                          const char *identity,
                          SumiPreparedEntry *entries,
                          const gconstpointer *forms,
                          int n,
                          GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path), *temporary = g_strconcat (path, ".XXXXXX", NULL);
  int fd = -1;
  gboolean ok;

  if (! g_mkdir_with_parents (folder, 0700))
    fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0600);
  ok = fd >= 0 && write_all (fd, identity, entries, forms, n);
  if (fd >= 0)
    ok = ! close (fd) && ok;
  if (ok && ! g_rename (temporary, path))
    return TRUE;
  g_set_error (error, G_FILE_ERROR, (int) g_file_error_from_errno (errno), "“%s” cannot be written: %s", path,
               g_strerror (errno));
  if (fd >= 0)
    g_unlink (temporary);
  return FALSE;
}
