/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The subcommands. Each takes the arguments after its name and returns the exit status. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

enum
{
  SUMI_EXIT_FAILURE = 1,
  SUMI_EXIT_USAGE = 2,
};

/* One generic command for every task. */
int sumi_command_task (const SumiTaskClass *task, int argc, char **argv);
char *sumi_command_task_dup_help (const SumiTaskClass *task);

int sumi_command_bench (int argc, char **argv);
int sumi_command_inspect (int argc, char **argv);
int sumi_command_list (int argc, char **argv);
int sumi_command_simulate (int argc, char **argv);
int sumi_command_tune (int argc, char **argv);

/* Prints "sumi: message" to standard error. @where: (nullable): in front of the message.
 * Returns: the exit status that @error means; frees it. */
int sumi_command_fail (const char *where, GError *error);

/* Appends what help pages have in common. */
void sumi_command_append_notes (GString *text);

G_END_DECLS
