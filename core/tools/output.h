/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file to be: written under another name in the same folder and renamed when it is whole. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

typedef struct SumiOutput SumiOutput;

/* Makes an empty file beside @path, with @path's extension: fails now, with a GFileError that says why, if nothing
 * can be written there. An existing @path stays as it is until sumi_output_commit(). */
SumiOutput *sumi_output_new (const char *path, GError **error);
/* Removes the file unless it was committed. */
void sumi_output_free (SumiOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiOutput, sumi_output_free)

const char *sumi_output_get_path (const SumiOutput *output); /* as it will be */
const char *sumi_output_get_temporary (const SumiOutput *output);
gboolean sumi_output_commit (SumiOutput *output, GError **error);

/* For a hard exit: removes what is not committed, from any thread. */
void sumi_output_remove_all (void);

/* A file without a name in the folder of @path, of @size bytes. Returns: its descriptor; −1: no room, or no right. */
int sumi_output_open_scratch (const char *path, gint64 size, GError **error);

G_END_DECLS
