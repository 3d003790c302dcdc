/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Model files as named tensors, memory-mapped and read-only. Files are hostile: everything is checked on opening,
 * and nothing in a file is executed. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Maps @path and reads its directory. Fails with %SUMI_ERROR_FORMAT (damaged), %SUMI_ERROR_UNSUPPORTED or a GFileError.
 * Returns: (transfer full) */
SumiWeights *sumi_weights_open (const char *path, GError **error);
SumiWeights *sumi_weights_ref (SumiWeights *weights);
void sumi_weights_unref (SumiWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiWeights, sumi_weights_unref)

/* Returns: (nullable) (transfer none): the tensor, a view into the mapping, alive as long as @weights. */
const SumiTensor *sumi_weights_find (SumiWeights *weights, const char *name);
/* In the file's order of names, NULL-ended, borrowed. */
const char *const *sumi_weights_get_names (SumiWeights *weights);
/* Returns: (nullable): a metadata string. */
const char *sumi_weights_get_meta (SumiWeights *weights, const char *key);
const char *const *sumi_weights_get_meta_keys (SumiWeights *weights);
const char *sumi_weights_get_path (SumiWeights *weights);
/* Returns: (transfer full): SHA-256 of the file in hex, read through the whole file each time. */
char *sumi_weights_dup_hash (SumiWeights *weights);

G_END_DECLS
