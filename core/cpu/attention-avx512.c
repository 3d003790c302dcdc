/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <immintrin.h>

#define LANES         16
#define VECTORS       4
#define BLOCK_TARGET  __attribute__ ((target ("avx512f,avx512vl,avx512bw,avx512dq,fma")))
#define MAXIMUM(a, b) ((Vector) _mm512_max_ps ((__m512) (a), (__m512) (b)))
#include "core/cpu/attention-block.h"

const SumiCpuAttention sumi_attention_avx512 = { QUERIES, FALSE, attention_block };
