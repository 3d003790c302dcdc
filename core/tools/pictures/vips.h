/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the module share about libvips. */
#pragma once

#include <vips/vips.h>

#include "core/tools/pictures/module.h"

G_BEGIN_DECLS

/* libvips 8.14 has no autoptr of its own, newer ones may: so under another name. */
typedef VipsImage SumiVipsImage;
typedef VipsSource SumiVipsSource;
typedef VipsOperation SumiVipsOperation;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiVipsImage, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiVipsSource, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiVipsOperation, g_object_unref)

/* Starts libvips without the plug-ins for rare formats. Returns: whether it did. */
gboolean sumi_vips_start (void);
/* Opens them. */
void sumi_vips_open_formats (void);

/* Makes work on @image stop when @cancellable (nullable, must outlive it) is cancelled. */
void sumi_vips_watch (VipsImage *image, GCancellable *cancellable);

/* Returns: (transfer full): the first line of what libvips says, which may be many; forgets the rest. */
char *sumi_vips_take_message (void);

/* The module's functions, one file each; see SumiPictures. */
gboolean sumi_vips_load (const char *path, GCancellable *cancellable, SumiPixmap *pixmap, GError **error);
void sumi_vips_unload (gpointer file);
gboolean sumi_vips_save (const SumiPictureSave *what, GCancellable *cancellable, GError **error);

G_END_DECLS
