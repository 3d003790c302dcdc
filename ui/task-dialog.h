/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dialog of a task, made from its option table. Knows no GIMP. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

/* Something of the host's that can be chosen: a layer. */
typedef struct
{
  int id;
  char *name;
} SumiDialogItem;

typedef struct
{
  const SumiTaskClass *task;
  gpointer options;            /* the task's struct: shown, and changed when the dialog succeeds */
  const SumiDialogItem *items; /* (nullable) ended by a NULL name: adds a row to choose one, or none */
  const char *items_label, *items_blurb;
  int item;                          /* the chosen one's id, or -1 */
  void (*prepare) (gpointer window); /* (nullable) the host's touch on the GtkWindow; called with NULL once GTK runs */
} SumiTaskDialog;

/* Returns: FALSE with %G_IO_ERROR_CANCELLED when the user cancelled, or another error without a display. */
gboolean sumi_task_dialog_run (SumiTaskDialog *self, GError **error);

G_END_DECLS
