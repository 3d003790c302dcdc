/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/cpus.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* Returns: whether the file says two positive numbers; "max 100000" does not. */
static gboolean
read_max (const char *folder, double *quota, double *period)
{
  g_autofree char *file = g_build_filename (folder, "cpu.max", NULL), *text = NULL;

  return g_file_get_contents (file, &text, NULL, NULL) && sscanf (text, "%lf %lf", quota, period) == 2;
}

static gboolean
read_number (const char *folder, const char *name, double *number)
{
  g_autofree char *file = g_build_filename (folder, name, NULL), *text = NULL;

  return g_file_get_contents (file, &text, NULL, NULL) && sscanf (text, "%lf", number) == 1;
}

static int
folder_limit (const char *folder)
{
  double quota = 0, period = 0;

  if (! read_max (folder, &quota, &period) &&
      ! (read_number (folder, "cpu.cfs_quota_us", &quota) && read_number (folder, "cpu.cfs_period_us", &period)))
    return 0;
  /* version 1 says −1 for no limit */
  return quota > 0 && period > 0 && quota / period < G_MAXINT ? (int) ceil (quota / period) : 0;
}

static int
least (int a, int b)
{
  return ! a ? b : ! b ? a : MIN (a, b);
}

/* The limits of the group @path below @mount and of all around it. In a container the path may be the host's, and the
 * mount shows the container's part only: what is not there is passed over. */
static int
path_limit (const char *mount, const char *path)
{
  g_autofree char *rest = g_strdup (strstr (path, "..") ? "" : path);
  int limit = folder_limit (mount);

  for (char *slash; (slash = strrchr (rest, '/')); *slash = 0)
    {
      g_autofree char *folder = g_build_filename (mount, rest, NULL);

      limit = least (limit, folder_limit (folder));
    }
  return limit;
}

int
sumi_cpus_group_limit (const char *root)
{
  g_autofree char *file = g_strconcat (root, "/proc/self/cgroup", NULL), *text = NULL;
  g_auto (GStrv) lines = NULL;
  int limit = 0;

  if (! g_file_get_contents (file, &text, NULL, NULL))
    return 0;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line; line++)
    {
      /* number:controllers:path; version 2 has no controllers */
      g_auto (GStrv) parts = g_strsplit (*line, ":", 3);
      g_auto (GStrv) controllers = NULL;
      g_autofree char *mount = NULL;

      if (g_strv_length (parts) != 3)
        continue;
      controllers = g_strsplit (parts[1], ",", -1);
      if (g_strv_contains ((const char *const *) controllers, "cpu"))
        {
          g_autofree char *own = g_strconcat (root, "/sys/fs/cgroup/cpu", NULL);

          mount = g_strconcat (root, "/sys/fs/cgroup/", parts[1], NULL);
          limit = least (limit, path_limit (own, parts[2]));
        }
      else if (! *parts[1])
        mount = g_strconcat (root, "/sys/fs/cgroup", NULL);
      else
        continue;
      limit = least (limit, path_limit (mount, parts[2]));
    }
  return limit;
}

int
sumi_cpus_usable (void)
{
  cpu_set_t set;
  int n = (int) g_get_num_processors (), limit = sumi_cpus_group_limit ("");

  if (! sched_getaffinity (0, sizeof set, &set) && CPU_COUNT (&set) > 0)
    n = CPU_COUNT (&set);
  return MAX (least (limit, n), 1);
}
