/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/cpu/backend.h"

#include <string.h>

#include "core/ops/op.h"

#define SUMI_ROW(name) extern const SumiCpuKernel sumi_cpu_##name;
#include "core/cpu/kernel-rows.h"
#undef SUMI_ROW

static const SumiCpuKernel *const kernels[] = {
#define SUMI_ROW(name) &sumi_cpu_##name,
#include "core/cpu/kernel-rows.h"
#undef SUMI_ROW
  NULL
};

static SumiKernel
find (const SumiOpClass *op)
{
  for (int i = 0; kernels[i]; i++)
    if (! strcmp (kernels[i]->op, op->key))
      return kernels[i]->run;
  return NULL;
}

static const SumiBackend cpu = { .key = "cpu", .label = "CPU", .find = find };

const SumiBackend *
sumi_backend_cpu (void)
{
  return &cpu;
}
