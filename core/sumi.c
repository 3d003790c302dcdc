/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ties the core together: the only file that may name a backend. */
#include "core/sumi.h"
#include "core/cpu/backend.h"

const SumiBackend *
sumi_backend_default (void)
{
  return sumi_backend_cpu ();
}
