/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a file format is: a registry of readers behind sumi_weights_open(). */
#pragma once

#include "core/io/weights.h"
#include "core/tensor/tensor.h"

G_BEGIN_DECLS

/* A file on its way in. Readers call sumi_weights_add_*(), which check everything that is common to formats. */
struct SumiWeights
{
  char *path;
  GMappedFile *file;
  const guint8 *bytes; /* the whole file */
  gsize length;
  GHashTable *tensors; /* name (owned by @names) → SumiTensor, owned */
  GPtrArray *names;    /* owned strings, NULL-ended once open */
  GHashTable *meta;    /* key (owned by @meta_keys) → value, owned */
  GPtrArray *meta_keys;
  GPtrArray *copies; /* (element-type gpointer) of data that was not aligned in the file */
  GMutex mutex;      /* guards hash */
  char *hash;
  gatomicrefcount refs;
};

typedef struct
{
  const char *key, *label;
  /* Whether the file looks like this format; sees the whole file, must be cheap. */
  gboolean (*probe) (const guint8 *bytes, gsize length);
  /* Reads the directory into @weights. */
  gboolean (*read) (SumiWeights *weights, GError **error);
} SumiFormatClass;

/* Adds a tensor whose elements are @size bytes at @offset of the file (inside: checked by the reader); takes @name.
 * Data that is not aligned for its type is copied. Fails on a name that is there already, and without memory. */
gboolean sumi_weights_add_tensor (SumiWeights *weights,
                                  char *name,
                                  const SumiTensor *shape,
                                  gsize offset,
                                  gsize size,
                                  GError **error);
/* Takes both strings. */
gboolean sumi_weights_add_meta (SumiWeights *weights, char *key, char *value, GError **error);

G_END_DECLS
