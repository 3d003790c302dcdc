/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One call of a procedure, from its arguments to new layers. */
#pragma once

#include "plugin/host.h"

G_BEGIN_DECLS

typedef struct
{
  const SumiTaskClass *task;
  int image;
  const int *drawables; /* ids */
  int n_drawables;
  int hints;        /* drawable, or SUMI_HOST_NONE */
  gpointer options; /* the task's struct */
  gboolean ask;     /* show the dialog first; it changes @options and @hints */
  gboolean show;    /* the user is looking: refresh the displays at the end */

  /* results; clear with sumi_call_clear() */
  int layer;      /* the new layer, or the group of the candidates */
  GArray *layers; /* (nullable) int: every new layer */
} SumiCall;

/* Computes everything first, then changes the image in one undo group. On failure, the user's cancel included
 * (%G_IO_ERROR_CANCELLED), the image is as it was. */
gboolean sumi_call_run (SumiCall *call, GError **error);
void sumi_call_clear (SumiCall *call);

/* To be called first when a procedure runs: ends the process when GIMP ends, and prepares GEGL. */
void sumi_plugin_start (void);

/* Returns: (transfer full): @name beside the plug-in's own file. */
char *sumi_plugin_dup_folder (const char *name);

/* Whether @error means wrong arguments rather than a failed run. */
gboolean sumi_error_is_calling (const GError *error);

G_END_DECLS
