/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/memory.h"

#include <string.h>
#include <sys/resource.h>

gsize
sumi_memory_get_resident (void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (! g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return 0;
  line = strstr (text, "VmRSS:");
  return line ? 1024 * (gsize) g_ascii_strtoull (line + strlen ("VmRSS:"), NULL, 10) : 0;
}

gsize
sumi_memory_get_peak (void)
{
  struct rusage usage;

  return getrusage (RUSAGE_SELF, &usage) ? 0 : 1024 * (gsize) usage.ru_maxrss;
}
