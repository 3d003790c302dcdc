/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a file format provides; private to io. */
#pragma once

#include "core/base/types.h"
#include "core/tensor/tensor.h"

G_BEGIN_DECLS

struct SumiWeights
{
  char *path;
  GMappedFile *file;
  GHashTable *tensors; /* name → SumiTensor, owned */
  GPtrArray *names;    /* borrowed from the table, NULL-ended once read */
  GHashTable *meta;    /* key → string */
  GPtrArray *meta_keys;
  GPtrArray *copies; /* data of tensors that lay unaligned in the file */
  gatomicrefcount refs;
};

typedef struct
{
  const char *key;
  /* Whether the file's first bytes look like it. */
  gboolean (*probe) (const guint8 *data, gsize size);
  /* Adds every tensor and metadata string of the mapping. */
  gboolean (*read) (SumiWeights *self, const guint8 *data, gsize size, GError **error);
} SumiFormatClass;

/* Adds a view of @bytes at @data under @name (copied), after the format checked that they lie in the mapping. Fails
 * when the name is taken. */
gboolean
sumi_weights_add (SumiWeights *self, const char *name, const SumiTensor *shape, const guint8 *data, GError **error);
void sumi_weights_add_meta (SumiWeights *self, const char *key, const char *value);

G_END_DECLS
