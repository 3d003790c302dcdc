/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AVX without FMA: 16 registers, 12 sums. */
#define LANES   8
#define ROWS    4
#define VECTORS 3

#include "core/cpu/attention.h"
#include "core/cpu/isa/kernels.inc"

static gboolean
usable (void)
{
  return __builtin_cpu_supports ("avx");
}

const SumiCpuIsa sumi_isa_avx = {
  .key = "avx",
  .label = "AVX",
  .usable = usable,
  KERNELS,
  .attention = &sumi_attention_avx,
};
