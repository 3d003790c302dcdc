/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The CPU backend: fast twins of ops, named like them; an op without one runs its reference. */
#pragma once

#include "core/tensor/backend.h"

G_BEGIN_DECLS

/* A row of the table: kernel for the op of that key. */
typedef struct
{
  const char *op;
  SumiKernel run;
} SumiCpuKernel;

const SumiBackend *sumi_backend_cpu (void);

G_END_DECLS
