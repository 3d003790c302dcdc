/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/cpu/attention-block.h"

static gboolean
usable (void)
{
  return TRUE;
}

const SumiAttentionVariant sumi_attention_plain = { "plain", QUERIES, FALSE, usable, attention_block };
