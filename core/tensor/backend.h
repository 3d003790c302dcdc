/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A backend: a table of kernels that may replace the ops' reference kernels. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Computes @out (allocated, right shape) from @in; @params: the op's own struct. Reports failures by
 * sumi_eval_fail(). */
typedef void (*SumiKernel) (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params);

struct SumiBackend
{
  const char *key, *label;
  /* Returns: (nullable): the kernel for @op; NULL: the reference runs. */
  SumiKernel (*find) (const SumiOpClass *op);
};

/* The backend that this machine runs best with; defined in sumi.c, which alone knows them all. */
const SumiBackend *sumi_backend_default (void);

G_END_DECLS
