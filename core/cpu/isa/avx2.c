/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AVX2 with FMA: 16 registers, 12 sums. */
#define LANES   8
#define ROWS    4
#define VECTORS 3

#include "core/cpu/attention.h"
#include "core/cpu/isa/kernels.inc"

static gboolean
usable (void)
{
  return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
}

const SumiCpuIsa sumi_isa_avx2 = {
  .key = "avx2",
  .label = "AVX2 + FMA",
  .usable = usable,
  KERNELS,
  .attention = &sumi_attention_avx2,
};
