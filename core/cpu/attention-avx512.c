/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef __x86_64__
#include <immintrin.h>

#define LANES         16
#define VECTORS       4
#define BLOCK_TARGET  __attribute__ ((target ("avx512f,avx512vl,avx512bw,avx512dq,fma")))
#define MAXIMUM(a, b) ((Vector) _mm512_max_ps ((__m512) (a), (__m512) (b)))
#include "core/cpu/attention-block.h"

static gboolean
usable (void)
{
  return __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512vl") &&
         __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512dq");
}

const SumiAttentionVariant sumi_attention_avx512 = { "avx512", QUERIES, FALSE, usable, attention_block };
#endif
