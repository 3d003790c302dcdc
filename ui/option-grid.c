/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/option-grid.h"

#include <glib/gi18n-lib.h>
#include <math.h>

typedef struct
{
  gpointer values;
  GPtrArray *rows; /* Row */
  int n_rows;
  gboolean quiet; /* being refreshed */
} Grid;

typedef struct
{
  Grid *grid;
  const SumiOption *option;
  GtkWidget *widget;
  GtkWidget *about; /* (nullable): says what the choice is for */
} Row;

static Grid *
get_grid (GtkWidget *widget)
{
  return g_object_get_data (G_OBJECT (widget), "sumi-option-grid");
}

static void
grid_free (gpointer data)
{
  Grid *self = data;

  g_ptr_array_unref (self->rows);
  g_free (self);
}

/* What the choice is for, below it; nothing while there is nothing to say. */
static void
show_about (Row *row)
{
  g_autofree char *key = row->about ? sumi_option_dup_text (row->option, row->grid->values) : NULL;
  const char *blurb = NULL;

  if (! row->about)
    return;
  for (const SumiChoice *c = sumi_option_get_choices (row->option); c && c->key; c++)
    if (! g_strcmp0 (c->key, key))
      blurb = c->blurb;
  gtk_label_set_text (GTK_LABEL (row->about), blurb ? _ (blurb) : "");
  gtk_widget_set_visible (row->about, blurb != NULL);
}

/* ---- widgets to values --------------------------------------------------- */

static void
set_valid (GtkWidget *entry, const GError *error)
{
  gtk_entry_set_icon_from_icon_name (GTK_ENTRY (entry), GTK_ENTRY_ICON_SECONDARY, error ? "dialog-warning" : NULL);
  gtk_entry_set_icon_tooltip_text (GTK_ENTRY (entry), GTK_ENTRY_ICON_SECONDARY, error ? error->message : NULL);
}

static void
row_changed (Row *row)
{
  const SumiOption *o = row->option;
  g_autoptr (GError) error = NULL;

  if (row->grid->quiet)
    return;
  switch (o->type)
    {
    case SUMI_OPTION_BOOL:
      sumi_option_set_number (o, row->grid->values, gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (row->widget)),
                              NULL);
      break;
    case SUMI_OPTION_INT:
    case SUMI_OPTION_DOUBLE:
      sumi_option_set_number (o, row->grid->values, gtk_spin_button_get_value (GTK_SPIN_BUTTON (row->widget)), NULL);
      break;
    case SUMI_OPTION_CHOICE:
      {
        const char *key = gtk_combo_box_get_active_id (GTK_COMBO_BOX (row->widget));

        if (key)
          sumi_option_set_text (o, row->grid->values, key, NULL);
        show_about (row);
        break;
      }
    case SUMI_OPTION_STRING:
    case SUMI_OPTION_SIZE:
      sumi_option_set_text (o, row->grid->values, gtk_entry_get_text (GTK_ENTRY (row->widget)), &error);
      set_valid (row->widget, error);
      break;
    }
}

/* ---- values to widgets --------------------------------------------------- */

static void
row_show (Row *row)
{
  const SumiOption *o = row->option;
  g_autofree char *text = NULL;

  switch (o->type)
    {
    case SUMI_OPTION_BOOL:
      gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (row->widget),
                                    sumi_option_get_number (o, row->grid->values) != 0);
      break;
    case SUMI_OPTION_INT:
    case SUMI_OPTION_DOUBLE:
      gtk_spin_button_set_value (GTK_SPIN_BUTTON (row->widget), sumi_option_get_number (o, row->grid->values));
      break;
    case SUMI_OPTION_CHOICE:
      text = sumi_option_dup_text (o, row->grid->values);
      gtk_combo_box_set_active_id (GTK_COMBO_BOX (row->widget), text);
      show_about (row);
      break;
    case SUMI_OPTION_STRING:
    case SUMI_OPTION_SIZE:
      text = sumi_option_dup_text (o, row->grid->values);
      gtk_entry_set_text (GTK_ENTRY (row->widget), text);
      set_valid (row->widget, NULL);
      break;
    }
}

void
sumi_option_grid_refresh (GtkWidget *widget)
{
  Grid *self = get_grid (widget);

  self->quiet = TRUE;
  for (guint i = 0; i < self->rows->len; i++)
    row_show (g_ptr_array_index (self->rows, i));
  self->quiet = FALSE;
}

/* ---- making -------------------------------------------------------------- */

static GtkWidget *
new_spin (const SumiOption *o)
{
  const double range = o->max - o->min;
  const double step = o->type == SUMI_OPTION_INT ? 1 : range <= 2 ? 0.05 : range <= 20 ? 0.1 : 1;
  GtkWidget *spin = gtk_spin_button_new_with_range (o->min, o->max, step);

  gtk_spin_button_set_digits (GTK_SPIN_BUTTON (spin), o->type == SUMI_OPTION_INT ? 0 : range <= 20 ? 2 : 1);
  gtk_entry_set_activates_default (GTK_ENTRY (spin), TRUE);
  return spin;
}

static GtkWidget *
new_widget (const SumiOption *o)
{
  GtkWidget *widget = NULL;

  switch (o->type)
    {
    case SUMI_OPTION_BOOL:
      return gtk_check_button_new_with_mnemonic (_ (o->label));
    case SUMI_OPTION_INT:
    case SUMI_OPTION_DOUBLE:
      return new_spin (o);
    case SUMI_OPTION_CHOICE:
      widget = gtk_combo_box_text_new ();
      for (const SumiChoice *c = sumi_option_get_choices (o); c && c->key; c++)
        gtk_combo_box_text_append (GTK_COMBO_BOX_TEXT (widget), c->key, _ (c->label));
      return widget;
    case SUMI_OPTION_STRING:
    case SUMI_OPTION_SIZE:
      widget = gtk_entry_new ();
      gtk_entry_set_activates_default (GTK_ENTRY (widget), TRUE);
      return widget;
    }
  return NULL;
}

static void
roll_seed (GtkWidget *button, GtkSpinButton *spin)
{
  gtk_spin_button_set_value (spin, g_random_int_range (0, 1000000));
}

/* Whole numbers over the full range of an int are seeds: nobody wants to step through them. */
static gboolean
is_seed (const SumiOption *o)
{
  return o->type == SUMI_OPTION_INT && o->min == 0 && o->max >= G_MAXINT;
}

static GtkWidget *
decorate (const SumiOption *o, GtkWidget *widget)
{
  GtkWidget *box = NULL, *extra = NULL;

  if (is_seed (o))
    {
      extra = gtk_button_new_with_label (_ ("New"));
      gtk_widget_set_tooltip_text (extra, _ ("Take another seed by chance"));
      g_signal_connect (extra, "clicked", G_CALLBACK (roll_seed), widget);
    }
  else if (o->unit)
    extra = gtk_label_new (_ (o->unit));
  if (! extra)
    return widget;
  box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gtk_box_pack_start (GTK_BOX (box), widget, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (box), extra, FALSE, FALSE, 0);
  return box;
}

static void
attach (GtkWidget *grid, const char *label, const char *blurb, GtkWidget *target, GtkWidget *shown)
{
  Grid *self = get_grid (grid);

  gtk_widget_set_tooltip_text (target, blurb);
  gtk_widget_set_hexpand (shown, TRUE);
  if (label)
    {
      GtkWidget *name = gtk_label_new_with_mnemonic (label);

      gtk_label_set_xalign (GTK_LABEL (name), 0);
      gtk_label_set_mnemonic_widget (GTK_LABEL (name), target);
      gtk_widget_set_tooltip_text (name, blurb);
      gtk_grid_attach (GTK_GRID (grid), name, 0, self->n_rows, 1, 1);
    }
  gtk_grid_attach (GTK_GRID (grid), shown, label ? 1 : 0, self->n_rows, label ? 1 : 2, 1);
  self->n_rows++;
}

/* Returns: (nullable): an empty line for what @o's choice is for, where its choices say that. */
static GtkWidget *
attach_about (GtkWidget *grid, const SumiOption *o)
{
  Grid *self = get_grid (grid);
  gboolean any = FALSE;
  GtkWidget *about;

  if (o->type != SUMI_OPTION_CHOICE)
    return NULL;
  for (const SumiChoice *c = sumi_option_get_choices (o); c && c->key; c++)
    any |= c->blurb != NULL;
  if (! any)
    return NULL;
  about = gtk_label_new ("");
  gtk_label_set_xalign (GTK_LABEL (about), 0);
  gtk_label_set_line_wrap (GTK_LABEL (about), TRUE);
  gtk_label_set_width_chars (GTK_LABEL (about), 32);
  gtk_label_set_max_width_chars (GTK_LABEL (about), 32);
  gtk_style_context_add_class (gtk_widget_get_style_context (about), "dim-label");
  gtk_widget_set_no_show_all (about, TRUE);
  gtk_grid_attach (GTK_GRID (grid), about, 1, self->n_rows++, 1, 1);
  return about;
}

static void
add_option (GtkWidget *grid, const SumiOption *o)
{
  static const char *const signals[] = {
    [SUMI_OPTION_BOOL] = "toggled",   [SUMI_OPTION_INT] = "value-changed", [SUMI_OPTION_DOUBLE] = "value-changed",
    [SUMI_OPTION_CHOICE] = "changed", [SUMI_OPTION_STRING] = "changed",    [SUMI_OPTION_SIZE] = "changed",
  };
  Grid *self = get_grid (grid);
  Row *row = g_new0 (Row, 1);

  row->grid = self;
  row->option = o;
  row->widget = new_widget (o);
  gtk_widget_set_name (row->widget, o->key);
  g_ptr_array_add (self->rows, row);
  attach (grid, o->type == SUMI_OPTION_BOOL ? NULL : _ (o->label), _ (o->blurb), row->widget,
          decorate (o, row->widget));
  row->about = attach_about (grid, o);
  row_show (row);
  g_signal_connect_swapped (row->widget, signals[o->type], G_CALLBACK (row_changed), row);
}

GtkWidget *
sumi_option_grid_new (const SumiOption *table, gpointer values, gboolean advanced)
{
  GtkWidget *grid = gtk_grid_new ();
  Grid *self = g_new0 (Grid, 1);

  self->values = values;
  self->rows = g_ptr_array_new_with_free_func (g_free);
  g_object_set_data_full (G_OBJECT (grid), "sumi-option-grid", self, grid_free);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  for (const SumiOption *o = table; o->key; o++)
    if (! ! (o->flags & SUMI_OPTION_ADVANCED) == ! ! advanced)
      add_option (grid, o);
  return grid;
}

int
sumi_option_grid_get_n_rows (GtkWidget *grid)
{
  return get_grid (grid)->n_rows;
}

void
sumi_option_grid_add_row (GtkWidget *grid, const char *label, const char *blurb, GtkWidget *widget)
{
  attach (grid, label, blurb, widget, widget);
}
