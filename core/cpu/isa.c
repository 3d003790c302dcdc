/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/cpu/isa.h"

#define SUMI_ROW(name) extern const SumiCpuIsa sumi_isa_##name;
#include "core/cpu/isa-rows.h"
#undef SUMI_ROW

static const SumiCpuIsa *const isas[] = {
#define SUMI_ROW(name) &sumi_isa_##name,
#include "core/cpu/isa-rows.h"
#undef SUMI_ROW
  NULL
};

static const SumiCpuIsa *in_use;

/* $SUMI_CPU may only ask for what the processor can run. */
static const SumiCpuIsa *
choose (void)
{
  const char *wanted = g_getenv ("SUMI_CPU");
  const SumiCpuIsa *best = NULL;

  for (int i = 0; isas[i]; i++)
    if (isas[i]->usable ())
      {
        if (! g_strcmp0 (wanted, isas[i]->key))
          return isas[i];
        if (! best)
          best = isas[i];
      }
  return best;
}

const SumiCpuIsa *
sumi_cpu_isa (void)
{
  const SumiCpuIsa *isa = g_atomic_pointer_get (&in_use);

  if (! isa)
    {
      isa = choose ();
      g_atomic_pointer_set (&in_use, isa);
    }
  return isa;
}

const SumiCpuIsa *const *
sumi_cpu_isas (void)
{
  return isas;
}

void
sumi_cpu_isa_use (const SumiCpuIsa *isa)
{
  g_atomic_pointer_set (&in_use, isa);
}

int
sumi_pieces_wanted (int n_threads)
{
  return n_threads > 1 ? 4 * n_threads : 1;
}

int
sumi_panel_group (int panels, int least, int blocks, int n_threads)
{
  const int wanted = sumi_pieces_wanted (n_threads);
  int group = panels;

  while (group > least && blocks * ((panels + group - 1) / group) < wanted)
    group--;
  return group;
}
