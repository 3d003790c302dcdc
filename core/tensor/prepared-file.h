/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prepared forms in a file of the user's cache: mapped, shared by all processes, never changed but replaced as a whole.
 * Private to prepared.c and its test. The layout is the machine's own: the file is not meant to leave it. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Of a key: what the form is of and what it is; longer ones are not kept. */
#define SUMI_PREPARED_KEY 176

typedef struct
{
  char key[SUMI_PREPARED_KEY]; /* 0-ended */
  guint64 offset, size;        /* of the form: a multiple of 64, bytes */
} SumiPreparedEntry;

typedef struct SumiPreparedFile SumiPreparedFile;

/* Maps @path if it holds forms of @identity (any text: what they were made from and by). Returns: (nullable): NULL when
 * it does not, is damaged or is not there. */
SumiPreparedFile *sumi_prepared_file_open (const char *path, const char *identity);
void sumi_prepared_file_free (SumiPreparedFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiPreparedFile, sumi_prepared_file_free)

/* Returns: (nullable): the form called @key, if it has @size bytes. */
gconstpointer sumi_prepared_file_find (const SumiPreparedFile *file, const char *key, gsize size);
/* All entries. */
const SumiPreparedEntry *sumi_prepared_file_get_entries (const SumiPreparedFile *file, int *n);
gconstpointer sumi_prepared_file_get_data (const SumiPreparedFile *file, const SumiPreparedEntry *entry);

/* Replaces @path by one with @n forms; @entries: their keys and sizes (offsets are filled in); @forms: their bytes.
 * Makes the folder. Fails with a GFileError. */
gboolean sumi_prepared_file_write (const char *path,
                                   const char *identity,
                                   SumiPreparedEntry *entries,
                                   const gconstpointer *forms,
                                   int n,
                                   GError **error);

G_END_DECLS
