/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both products of bf16 pairs with f32 sums; softmax in f32. */
#include <immintrin.h>
#include <string.h>

#include "core/cpu/attention.h"

#define LANES         16
#define VECTORS       4
#define BLOCK_TARGET  __attribute__ ((target ("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,fma")))
#define MAXIMUM(a, b) ((Vector) _mm512_max_ps ((__m512) (a), (__m512) (b)))
#define BLOCK_BF16
#define DOT(sum, a, word)                                                                                              \
  ((Vector) _mm512_dpbf16_ps ((__m512) (sum), (__m512bh) (a), (__m512bh) _mm512_set1_epi32 ((int) *(word))))
#include "core/cpu/attention-block.h"

const SumiCpuAttention sumi_attention_avx512_bf16 = { QUERIES, TRUE, attention_block };
