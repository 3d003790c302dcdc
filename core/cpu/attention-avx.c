/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <immintrin.h>

#define LANES         8
#define VECTORS       2
#define BLOCK_TARGET  __attribute__ ((target ("avx")))
#define MAXIMUM(a, b) ((Vector) _mm256_max_ps ((__m256) (a), (__m256) (b)))
#include "core/cpu/attention-block.h"

const SumiCpuAttention sumi_attention_avx = { QUERIES, FALSE, attention_block };
