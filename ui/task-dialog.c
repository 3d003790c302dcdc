/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/task-dialog.h"

#include <glib/gi18n-lib.h>
#include <gtk/gtk.h>

#include "ui/option-grid.h"

enum
{
  RESPONSE_RESET = 1
};

typedef struct
{
  SumiTaskDialog *about;
  gpointer values; /* a copy that Cancel throws away */
  GtkWidget *window, *plain, *advanced;
  GtkWidget *items; /* (nullable) */
} Dialog;

/* "_Fill selection…" -> "Fill selection" */
static char *
dup_title (const char *label)
{
  GString *s = g_string_new (label);

  for (gsize i = 0; i < s->len; i++)
    if (s->str[i] == '_')
      g_string_erase (s, (gssize) i, 1);
  if (g_str_has_suffix (s->str, "…"))
    g_string_truncate (s, s->len - sizeof "…" + 1);
  else if (g_str_has_suffix (s->str, "..."))
    g_string_truncate (s, s->len - 3);
  return g_string_free (s, FALSE);
}

static void
copy_values (const SumiOption *table, gconstpointer from, gpointer to)
{
  for (const SumiOption *o = table; o->key; o++)
    {
      g_autofree char *text = sumi_option_dup_text (o, from);

      sumi_option_set_text (o, to, text, NULL);
    }
}

static void
reset (Dialog *self)
{
  const SumiTaskClass *task = self->about->task;
  gpointer defaults = sumi_task_new_options (task);

  copy_values (task->options, defaults, self->values);
  sumi_task_free_options (task, defaults);
  sumi_option_grid_refresh (self->plain);
  sumi_option_grid_refresh (self->advanced);
  if (self->items)
    gtk_combo_box_set_active (GTK_COMBO_BOX (self->items), 0);
}

static GtkWidget *
new_item_chooser (const SumiTaskDialog *about)
{
  GtkWidget *combo = gtk_combo_box_text_new ();
  g_autofree char *wanted = g_strdup_printf ("%d", about->item);

  gtk_combo_box_text_append (GTK_COMBO_BOX_TEXT (combo), "-1", _ ("None"));
  for (const SumiDialogItem *i = about->items; i->name; i++)
    {
      g_autofree char *id = g_strdup_printf ("%d", i->id);

      gtk_combo_box_text_append (GTK_COMBO_BOX_TEXT (combo), id, i->name);
    }
  if (! gtk_combo_box_set_active_id (GTK_COMBO_BOX (combo), wanted))
    gtk_combo_box_set_active (GTK_COMBO_BOX (combo), 0);
  return combo;
}

static void
build (Dialog *self)
{
  const SumiTaskClass *task = self->about->task;
  g_autofree char *title = dup_title (_ (task->label));
  GtkWidget *box, *blurb, *expander;

  self->window = gtk_dialog_new_with_buttons (title, NULL, 0, _ ("_Reset"), RESPONSE_RESET, _ ("_Cancel"),
                                              GTK_RESPONSE_CANCEL, _ ("_OK"), GTK_RESPONSE_OK, NULL);
  gtk_dialog_set_default_response (GTK_DIALOG (self->window), GTK_RESPONSE_OK);
  gtk_window_set_role (GTK_WINDOW (self->window), "sumi-task");
  gtk_window_set_resizable (GTK_WINDOW (self->window), FALSE);
  gtk_window_set_position (GTK_WINDOW (self->window), GTK_WIN_POS_CENTER);

  box = gtk_dialog_get_content_area (GTK_DIALOG (self->window));
  gtk_box_set_spacing (GTK_BOX (box), 12);
  gtk_container_set_border_width (GTK_CONTAINER (box), 12);
  blurb = gtk_label_new (_ (task->blurb));
  gtk_label_set_xalign (GTK_LABEL (blurb), 0);
  gtk_label_set_line_wrap (GTK_LABEL (blurb), TRUE);
  gtk_label_set_max_width_chars (GTK_LABEL (blurb), 48);
  gtk_box_pack_start (GTK_BOX (box), blurb, FALSE, FALSE, 0);

  self->plain = sumi_option_grid_new (task->options, self->values, FALSE);
  if (self->about->items)
    {
      self->items = new_item_chooser (self->about);
      sumi_option_grid_add_row (self->plain, self->about->items_label, self->about->items_blurb, self->items);
    }
  gtk_box_pack_start (GTK_BOX (box), self->plain, FALSE, FALSE, 0);

  self->advanced = sumi_option_grid_new (task->options, self->values, TRUE);
  if (sumi_option_grid_get_n_rows (self->advanced) > 0)
    {
      expander = gtk_expander_new_with_mnemonic (_ ("_Advanced"));
      gtk_widget_set_margin_top (self->advanced, 6);
      gtk_container_add (GTK_CONTAINER (expander), self->advanced);
      gtk_expander_set_resize_toplevel (GTK_EXPANDER (expander), TRUE);
      gtk_box_pack_start (GTK_BOX (box), expander, FALSE, FALSE, 0);
    }
  else
    g_object_ref_sink (self->advanced);
  gtk_widget_show_all (box);
  gtk_widget_grab_focus (gtk_dialog_get_widget_for_response (GTK_DIALOG (self->window), GTK_RESPONSE_OK));
}

gboolean
sumi_task_dialog_run (SumiTaskDialog *about, GError **error)
{
  Dialog self = { .about = about };
  int response;

  if (! gtk_init_check (NULL, NULL))
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_DEVICE,
                           _ ("There is no display to show the dialog on: call the procedure non-interactively"));
      return FALSE;
    }
  if (about->prepare)
    about->prepare (NULL);
  self.values = sumi_task_new_options (about->task);
  copy_values (about->task->options, about->options, self.values);
  build (&self);
  if (about->prepare)
    about->prepare (self.window);

  while ((response = gtk_dialog_run (GTK_DIALOG (self.window))) == RESPONSE_RESET)
    reset (&self);
  if (response == GTK_RESPONSE_OK)
    {
      copy_values (about->task->options, self.values, about->options);
      if (self.items)
        about->item = (int) g_ascii_strtoll (gtk_combo_box_get_active_id (GTK_COMBO_BOX (self.items)), NULL, 10);
    }
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("Cancelled"));
  gtk_widget_destroy (self.window);
  sumi_task_free_options (about->task, self.values);
  /* the window goes before the work begins */
  while (gtk_events_pending ())
    gtk_main_iteration ();
  return response == GTK_RESPONSE_OK;
}
