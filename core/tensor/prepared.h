/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Derived forms of constant tensors: weights packed, transformed or converted for a kernel, made at the first use and
 * kept as long as the tensors are. The owner of the tensors owns the store and points every tensor's `prepared` to it;
 * tensors without one are prepared anew in scratch for each call. Thread-safe. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

SumiPrepared *sumi_prepared_new (void);
/* Keeps the forms of tensors that have names in the file @path too, where the next process finds them ready; @identity:
 * of what the tensors come from, such as a hash. Once, before the first form is made. */
void sumi_prepared_keep (SumiPrepared *self, const char *path, const char *identity);
/* The tensor whose elements are at @data is called @name. */
void sumi_prepared_name (SumiPrepared *self, gconstpointer data, const char *name);
/* Writes the file if there are new forms; no harm is done if that fails. */
void sumi_prepared_free (SumiPrepared *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiPrepared, sumi_prepared_free)
/* Bytes of all forms that were made so far. */
gsize sumi_prepared_get_bytes (SumiPrepared *self);

/* Writes the form of @t. */
typedef void (*SumiPrepare) (SumiEval *ev, const SumiTensor *t, gpointer form, gconstpointer data);

/* The form of @t that @kind (two static texts: what it is, and for which instruction set) stands for: @size bytes,
 * 64-byte aligned. Returns: (nullable): NULL after sumi_eval_fail() when there is no memory. */
gconstpointer sumi_prepared_get (SumiEval *ev,
                                 const SumiTensor *t,
                                 const char *const kind[2],
                                 gsize size,
                                 SumiPrepare prepare,
                                 gconstpointer data);

G_END_DECLS
