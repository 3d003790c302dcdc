/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AVX-512: 32 registers, 24 sums. Eight rows of A also fit the eight ways of a first-level cache when they are a
 * multiple of 4 KB apart. */
#define LANES   16
#define ROWS    8
#define VECTORS 3

#include "core/cpu/attention.h"
#include "core/cpu/isa/kernels.inc"

static gboolean
usable (void)
{
  return __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512dq") &&
         __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512vl");
}

const SumiCpuIsa sumi_isa_avx512 = {
  .key = "avx512",
  .label = "AVX-512",
  .usable = usable,
  KERNELS,
  .attention = &sumi_attention_avx512,
};
