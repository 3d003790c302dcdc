/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Derived forms of constant tensors: weights packed, transformed or converted for a kernel, made at the first use and
 * kept as long as the tensors are. The owner of the tensors owns the store and points every tensor's `prepared` to it;
 * tensors without one are prepared anew in scratch for each call. Thread-safe. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

SumiPrepared *sumi_prepared_new (void);
void sumi_prepared_free (SumiPrepared *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiPrepared, sumi_prepared_free)
/* Bytes of all forms that were made so far. */
gsize sumi_prepared_get_bytes (SumiPrepared *self);

/* Writes the form of @t. */
typedef void (*SumiPrepare) (SumiEval *ev, const SumiTensor *t, gpointer form, gconstpointer data);

/* The form of @t that @kind (two addresses, of static things) stands for: @size bytes, 64-byte aligned. Returns:
 * (nullable): NULL after sumi_eval_fail() when there is no memory. */
gconstpointer sumi_prepared_get (SumiEval *ev,
                                 const SumiTensor *t,
                                 const gconstpointer kind[2],
                                 gsize size,
                                 SumiPrepare prepare,
                                 gconstpointer data);

G_END_DECLS
