/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many processors this process may use. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* The least of: processors of the machine, the scheduler's affinity, the limits of control groups. Returns: ≥ 1 */
int sumi_cpus_usable (void);

/* CPU time that the process's control groups and all groups around them allow, in whole processors rounded up:
 * cpu.max of version 2, cpu.cfs_quota_us and cpu.cfs_period_us of version 1 (Linux,
 * Documentation/admin-guide/cgroup-v2.rst and cgroup-v1).
 * @root: "" or the folder that stands for "/", with proc/self/cgroup and sys/fs/cgroup in it
 * Returns: 0: no limit */
int sumi_cpus_group_limit (const char *root);

G_END_DECLS
