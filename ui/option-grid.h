/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of widgets made from an option table: label, widget, unit; the blurb is the tooltip. */
#pragma once

#include <gtk/gtk.h>

#include "core/sumi.h"

G_BEGIN_DECLS

/* Rows for the options of @table whose ADVANCED flag equals @advanced. Changes go straight into @values, which must
 * outlive the grid. Returns: (transfer floating) */
GtkWidget *sumi_option_grid_new (const SumiOption *table, gpointer values, gboolean advanced);

/* Number of rows. */
int sumi_option_grid_get_n_rows (GtkWidget *grid);

/* Shows @values again after they were changed elsewhere. */
void sumi_option_grid_refresh (GtkWidget *grid);

/* Adds a row at the end: @widget gets the mnemonic of @label. */
void sumi_option_grid_add_row (GtkWidget *grid, const char *label, const char *blurb, GtkWidget *widget);

G_END_DECLS
