/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the plug-in asks of GIMP, the same for every GIMP: gimp2.c and gimp3.c implement it, exactly one of them is
 * linked. Images and items are known by their id, which both GIMPs have; -1 is none. Call it from the main thread
 * only: every call is a round trip to GIMP. */
#pragma once

#include <cairo.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gegl.h>
#include <libgimpbase/gimpbase.h>
#include <libgimpcolor/gimpcolor.h>

#include "core/sumi.h"

G_BEGIN_DECLS

#define SUMI_HOST_NONE (-1)

/* A layer and where it lies. */
typedef struct
{
  int image, layer;
  int x, y, width, height; /* on the canvas; may stick out */
  int canvas_width, canvas_height;
  gboolean is_grey; /* the image's mode */
} SumiTarget;

/* Resolves @drawable to a layer that a task can read: a layer mask gives its layer. Fails with %SUMI_ERROR_OPTION for
 * what is no layer, %SUMI_ERROR_UNSUPPORTED for an indexed image, %SUMI_ERROR_INPUT for an empty group. */
gboolean sumi_host_find_target (int image, int drawable, SumiTarget *target, GError **error);

/* Returns: (transfer full): the pixels, in the drawable's own coordinates and precision. */
GeglBuffer *sumi_host_get_buffer (int drawable);

/* Returns: (transfer full) (nullable): coverage in canvas coordinates, linear "Y"; NULL when nothing is selected. */
GeglBuffer *sumi_host_get_selection (int image);

/* Whether a part of the selection lies on @layer and on the canvas. @where: that part, in the layer's coordinates. */
gboolean sumi_host_selection_meets (int layer, SumiRect *where);

/* Returns: (transfer full) (nullable): the profile that the image's numbers are in. */
GimpColorProfile *sumi_host_get_profile (int image);

/* Returns: (transfer full): the image's layers from top to bottom, groups followed by their children; -1 ends. */
int *sumi_host_list_layers (int image);

/* Returns: (transfer full) */
char *sumi_host_dup_name (int item);

/* ---- progress ---- */
void sumi_host_progress_start (const char *text);
void sumi_host_progress (double fraction, const char *text); /* @text: NULL when unchanged */
void sumi_host_progress_end (void);

/* Puts a dialog above GIMP's window and gives it GIMP's looks, as far as this GIMP can. @window: a GtkWindow, not yet
 * shown; NULL: called once when GTK runs. */
void sumi_host_prepare_window (gpointer window);

/* ---- making layers: nothing shows before sumi_host_insert() ---- */

/* Returns: a layer with alpha in the image's precision; or -1. @format: of its pixels: it blends in their own encoding,
 * so that what its mask hides comes through bit for bit. */
int sumi_host_new_layer (int image, const char *name, int width, int height, gboolean is_grey, const Babl *format);
int sumi_host_new_group (int image, const char *name, const Babl *format);
/* Returns: a mask of @layer's size, not added yet; or -1. */
int sumi_host_new_mask (int layer);
/* Adds it; the layer's pixels, not its mask, stay what is edited. */
gboolean sumi_host_add_mask (int layer, int mask);
/* Returns: the mask that @layer has, or -1. */
int sumi_host_get_mask (int layer);
void sumi_host_set_offsets (int layer, int x, int y);
void sumi_host_set_visible (int layer, gboolean visible);
void sumi_host_set_recipe (int layer, const char *recipe);
void sumi_host_delete (int item);

/* ---- changing the image ---- */
void sumi_host_undo_start (int image);
void sumi_host_undo_end (int image);
gboolean sumi_host_convert_rgb (int image);
/* Scales the whole image, cubic. */
gboolean sumi_host_scale (int image, int width, int height);
/* Moves everything by (@dx, @dy) on a canvas of a new size. */
gboolean sumi_host_resize (int image, int width, int height, int dx, int dy);
/* @parent: a group, or -1 = the image's top level */
gboolean sumi_host_insert (int image, int layer, int parent, int position);
/* Inserts beside (just above) @sibling, in its group. */
gboolean sumi_host_insert_above (int image, int layer, int sibling);
void sumi_host_select_layer (int image, int layer);
void sumi_host_flush (void);

/* Returns: (transfer full): what GIMP said about the call that failed last. */
char *sumi_host_dup_error (void);

G_END_DECLS
