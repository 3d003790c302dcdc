/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters as tables: a block's struct holds tensors, the table says their names and shapes; loading walks it. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* One tensor member of a block's struct. */
typedef struct
{
  const char *name;    /* after the block's prefix: "c1.weight" */
  const char *pattern; /* shape for sumi_expect(): "Co Ci 3 3" */
  gsize offset;        /* of the SumiTensor * member */
  gboolean optional;
} SumiParam;

#define SUMI_PARAM(Struct, member, file_name, shape)                                                                   \
  {                                                                                                                    \
    file_name, shape, G_STRUCT_OFFSET (Struct, member), FALSE                                                          \
  }
#define SUMI_PARAM_OPTIONAL(Struct, member, file_name, shape)                                                          \
  {                                                                                                                    \
    file_name, shape, G_STRUCT_OFFSET (Struct, member), TRUE                                                           \
  }

/* Where parameters come from and where they live: vectors as f32 copies in @arena, weights of two and more dimensions
 * as they lie in the file, which stays open as long as the block is used; kernels prepare what they need of them.
 * Blocks do not know files, so the family hands over the reader's own functions: { .weights = w, .find =
 * sumi_weights_find, .path = sumi_weights_get_path (w), ... } */
typedef struct
{
  SumiWeights *weights;
  const SumiTensor *(*find) (SumiWeights *weights, const char *name);
  const char *path; /* for messages */
  SumiArena *arena;
  SumiPrepared *prepared; /* where prepared weights are kept */
  GHashTable *used;       /* (nullable): set of names that were read */
} SumiLoader;

/* Fills the @n members of @block from "@prefix.NAME". Shape letters bind across the block's tensors; those already
 * bound in a block's meaning are checked by @sizes, pairs of (letter, size) ended by NULL, e.g. "Ci", 48, "Co", 96,
 * NULL. Fails with %SUMI_ERROR_FORMAT naming the tensor, both shapes and the file. */
gboolean sumi_params_load (SumiLoader *loader,
                           const SumiParam *params,
                           int n,
                           const char *prefix,
                           gpointer block,
                           GError **error,
                           ...) G_GNUC_NULL_TERMINATED;

G_END_DECLS
