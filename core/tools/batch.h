/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs one task on photos, one after the other. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

typedef struct
{
  char *output, *mask, *hints; /* "" is unset */
  gboolean json, dry_run, quiet, help;
} SumiBatchOptions;

/* @photos: NULL-ended, at least one. Prints errors, and JSON if asked for.
 * Returns: the exit status. */
int
sumi_batch_run (const SumiTaskClass *task, gpointer options, const SumiBatchOptions *own, const char *const *photos);

/* Returns: (transfer full): where each photo's result goes, NULL-ended; fails with %SUMI_ERROR_OPTION (unknown
 * extension, two photos of one name, a photo that would be replaced) or a GFileError. Makes the folder. */
GStrv sumi_batch_plan (const char *output, const char *const *photos, GError **error);

G_END_DECLS
