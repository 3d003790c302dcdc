/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef __x86_64__
#include <immintrin.h>

#define LANES         8
#define VECTORS       2
#define BLOCK_TARGET  __attribute__ ((target ("avx2,fma")))
#define MAXIMUM(a, b) ((Vector) _mm256_max_ps ((__m256) (a), (__m256) (b)))
#include "core/cpu/attention-block.h"

static gboolean
usable (void)
{
  return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
}

const SumiAttentionVariant sumi_attention_avx2 = { "avx2", QUERIES, FALSE, usable, attention_block };
#endif
