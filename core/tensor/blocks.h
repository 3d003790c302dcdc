/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory for values that come and go in any order, which an arena cannot hold: blocks that are used again, as every
 * call of a network takes the same ones. Private to the tape. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef struct SumiBlocks SumiBlocks;

SumiBlocks *sumi_blocks_new (void);
void sumi_blocks_free (SumiBlocks *self);

/* Returns: (nullable): @count floats, not cleared; NULL after sumi_eval_fail(), and after any error. */
float *sumi_blocks_take (SumiBlocks *self, SumiEval *ev, gsize count);
/* @data: (nullable): what was taken, or anything else, which is left alone. */
void sumi_blocks_give_back (SumiBlocks *self, const float *data);
void sumi_blocks_give_back_all (SumiBlocks *self);
/* Bytes at the most so far. */
gsize sumi_blocks_get_peak (const SumiBlocks *self);

G_END_DECLS
