/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/cpu/attention-block.h"

const SumiCpuAttention sumi_attention_baseline = { QUERIES, FALSE, attention_block };
