/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Going back in time (Lugmayr et al. 2022, algorithm 1 and the schedule of its code; "time travel" in Wang et al.
 * 2023): whenever a multiple of `jump` steps remains before the last level above 0, back by `jump` steps, `resample` −
 * 1 times each. */
#pragma once

#include "core/diffusion/method.h"

G_BEGIN_DECLS

typedef struct
{
  int jump, resample; /* ≥ 1; resample = 1: never back */
} SumiJumps;

/* SumiMethod.data for sumi_jumps_next(): how often each place was jumped from. */
int *sumi_jumps_new (const SumiMethod *self);
/* For SumiMethodClass.next and count. */
int sumi_jumps_next (SumiMethod *self, const SumiJumps *jumps, int index);
int sumi_jumps_count (const SumiMethod *self, const SumiJumps *jumps);

G_END_DECLS
