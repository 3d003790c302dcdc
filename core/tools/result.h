/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One result on its way to a file: takes the task's rows, mixes them with the photo, and is saved at the end. Rows
 * wait in a nameless file beside the output, so that memory does not grow with the picture. */
#pragma once

#include "core/sumi.h"
#include "core/tools/format.h"
#include "core/tools/output.h"

G_BEGIN_DECLS

typedef struct SumiResultFile SumiResultFile;

/* Takes over @output. @photo and @base must outlive the result.
 * @base: (nullable): the photo in the form @pixels; only asked for where sumi_result_needs_base(). */
SumiResultFile *sumi_result_file_new (SumiOutput *output,
                                      const SumiFileFormat *format,
                                      const SumiPicture *photo,
                                      const SumiPicture *base,
                                      const SumiPixels *pixels,
                                      const SumiResult *about,
                                      GError **error);
void sumi_result_file_free (SumiResultFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiResultFile, sumi_result_file_free)

/* Whether some of the photo shows in the result. */
gboolean sumi_result_needs_base (const SumiResult *about);

SumiSink *sumi_result_file_get_sink (SumiResultFile *self);
const SumiResult *sumi_result_file_get_about (const SumiResultFile *self);
const char *sumi_result_file_get_path (const SumiResultFile *self);

/* Encodes the finished picture into the output's temporary file. */
gboolean sumi_result_file_save (SumiResultFile *self, GCancellable *cancellable, GError **error);
/* Gives it its name. */
gboolean sumi_result_file_commit (SumiResultFile *self, GError **error);

G_END_DECLS
