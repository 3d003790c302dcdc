/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints every choice that the tasks' dialogs offer, read from the widgets: "task key", one a line. */
#include <gtk/gtk.h>

#include "core/sumi.h"
#include "ui/option-grid.h"

static void
print_choices (GtkWidget *widget, gpointer task)
{
  if (GTK_IS_COMBO_BOX (widget))
    {
      GtkTreeModel *model = gtk_combo_box_get_model (GTK_COMBO_BOX (widget));
      const int column = gtk_combo_box_get_id_column (GTK_COMBO_BOX (widget));
      GtkTreeIter iter;

      for (gboolean ok = gtk_tree_model_get_iter_first (model, &iter); ok; ok = gtk_tree_model_iter_next (model, &iter))
        {
          g_autofree char *key = NULL;

          gtk_tree_model_get (model, &iter, column, &key, -1);
          g_print ("%s %s\n", (const char *) task, key);
        }
    }
  else if (GTK_IS_CONTAINER (widget))
    gtk_container_foreach (GTK_CONTAINER (widget), print_choices, task);
}

int
main (int argc, char **argv)
{
  if (! gtk_init_check (&argc, &argv))
    return 77;
  for (const SumiTaskClass *const *t = sumi_tasks (); *t; t++)
    for (int advanced = 0; advanced < 2; advanced++)
      {
        gpointer options = sumi_task_new_options (*t);
        GtkWidget *grid = g_object_ref_sink (sumi_option_grid_new ((*t)->options, options, advanced));

        print_choices (grid, (gpointer) (*t)->key);
        gtk_widget_destroy (grid);
        g_object_unref (grid);
        sumi_task_free_options (*t, options);
      }
  return 0;
}
