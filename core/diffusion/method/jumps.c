/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/method/jumps.h"

int *
sumi_jumps_new (const SumiMethod *self)
{
  return g_new0 (int, self->n_steps + 1);
}

/* Whether there is a jump from state @at, that at sigmas[@at]. */
static gboolean
is_place (const SumiMethod *self, const SumiJumps *jumps, int at)
{
  const int left = self->n_steps - 1 - at;

  return left >= 0 && left % jumps->jump == 0 && at >= jumps->jump;
}

int
sumi_jumps_next (SumiMethod *self, const SumiJumps *jumps, int index)
{
  int *used = self->data;
  const int at = index + 1;

  if (! used || ! is_place (self, jumps, at) || used[at] >= jumps->resample - 1)
    return at;
  used[at]++;
  return at - jumps->jump;
}

int
sumi_jumps_count (const SumiMethod *self, const SumiJumps *jumps)
{
  int places = 0;

  for (int at = 0; at < self->n_steps; at++)
    places += is_place (self, jumps, at);
  return self->n_steps + places * (jumps->resample - 1) * jumps->jump;
}
