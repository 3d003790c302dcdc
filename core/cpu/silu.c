/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/fast.h"
#include "core/cpu/backend.h"
#include "core/cpu/pointwise.h"

SUMI_CLONES static void
span (const float *x, float *y, int n)
{
  for (int i = 0; i < n; i++)
    y[i] = sumi_fast_silu (x[i]);
}

static void
silu_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  sumi_cpu_pointwise (ev, in[0], out, span);
}

const SumiCpuKernel sumi_cpu_silu = { "silu", silu_run };
