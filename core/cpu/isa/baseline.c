/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every processor of the architecture has: 128-bit vectors, which the compiler splits up where there are none. */
#define LANES   4
#define ROWS    4
#define VECTORS 3

#include "core/cpu/attention.h"
#include "core/cpu/isa/kernels.inc"

static gboolean
usable (void)
{
  return TRUE;
}

const SumiCpuIsa sumi_isa_baseline = {
  .key = "baseline",
  .label = "baseline",
  .usable = usable,
  KERNELS,
  .attention = &sumi_attention_baseline,
};
