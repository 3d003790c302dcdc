/* SPDX-License-Identifier: GPL-3.0-or-later */
/* host.h for GIMP 2.10. Never gimpui-2.0: it is GTK 2, our dialogs are GTK 3. */
#include <glib/gi18n-lib.h>
#include <gtk/gtk.h>
#include <libgimp/gimp.h>
#include <string.h>
#ifdef GDK_WINDOWING_X11
#include <gdk/gdkx.h>
#endif

#include "plugin/host.h"
#include "plugin/pixels.h"
#include "plugin/procedures.h"

/* ---- reading ------------------------------------------------------------- */

gboolean
sumi_host_find_target (int image, int drawable, SumiTarget *target, GError **error)
{
  int n_children = 0;

  if (drawable > 0 && gimp_item_is_valid (drawable) && gimp_item_is_layer_mask (drawable))
    drawable = gimp_layer_from_mask (drawable);
  if (drawable <= 0 || ! gimp_item_is_valid (drawable) || ! gimp_item_is_layer (drawable) ||
      gimp_item_get_image (drawable) != image)
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                           _ ("The selected item is not a layer of the image: select a layer"));
      return FALSE;
    }
  if (gimp_image_base_type (image) == GIMP_INDEXED)
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                           _ ("The image has indexed colours: convert it with Image ▸ Mode ▸ RGB, then try again"));
      return FALSE;
    }
  if (gimp_item_is_group (drawable))
    {
      g_free (gimp_item_get_children (drawable, &n_children));
      if (n_children == 0)
        {
          g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_INPUT,
                               _ ("The layer group is empty: select a layer, or a group that holds one"));
          return FALSE;
        }
    }
  *target = (SumiTarget){
    .image = image,
    .layer = drawable,
    .width = gimp_drawable_width (drawable),
    .height = gimp_drawable_height (drawable),
    .canvas_width = gimp_image_width (image),
    .canvas_height = gimp_image_height (image),
    .is_grey = gimp_image_base_type (image) == GIMP_GRAY,
  };
  gimp_drawable_offsets (drawable, &target->x, &target->y);
  return TRUE;
}

GeglBuffer *
sumi_host_get_buffer (int drawable)
{
  return gimp_drawable_get_buffer (drawable);
}

GeglBuffer *
sumi_host_get_selection (int image)
{
  return gimp_selection_is_empty (image) ? NULL : gimp_drawable_get_buffer (gimp_image_get_selection (image));
}

gboolean
sumi_host_selection_meets (int layer, SumiRect *where)
{
  return gimp_drawable_mask_intersect (layer, &where->x, &where->y, &where->width, &where->height);
}

GimpColorProfile *
sumi_host_get_profile (int image)
{
  return gimp_image_get_effective_color_profile (image);
}

static void
add_layers (GArray *all, const int *layers, int n_layers)
{
  for (int i = 0; i < n_layers; i++)
    {
      g_array_append_val (all, layers[i]);
      if (gimp_item_is_group (layers[i]))
        {
          int n = 0;
          g_autofree int *children = gimp_item_get_children (layers[i], &n);

          add_layers (all, children, n);
        }
    }
}

int *
sumi_host_list_layers (int image)
{
  const int end = SUMI_HOST_NONE;
  GArray *all = g_array_new (FALSE, FALSE, sizeof (int));
  int n = 0;
  g_autofree int *layers = gimp_image_get_layers (image, &n);

  add_layers (all, layers, n);
  g_array_append_val (all, end);
  return (int *) (void *) g_array_free (all, FALSE);
}

char *
sumi_host_dup_name (int item)
{
  return gimp_item_get_name (item);
}

/* ---- progress, windows --------------------------------------------------- */

void
sumi_host_progress_start (const char *text)
{
  gimp_progress_init (text);
}

void
sumi_host_progress (double fraction, const char *text)
{
  if (text)
    gimp_progress_set_text (text);
  gimp_progress_update (fraction);
}

void
sumi_host_progress_end (void)
{
  gimp_progress_end ();
}

void
sumi_host_prepare_window (gpointer window)
{
  if (! window)
    return;
#ifdef GDK_WINDOWING_X11
  gtk_widget_realize (GTK_WIDGET (window));
  if (GDK_IS_X11_DISPLAY (gtk_widget_get_display (GTK_WIDGET (window))))
    {
      const guint32 id = gimp_progress_get_window_handle ();
      g_autoptr (GdkWindow) parent =
          id ? gdk_x11_window_foreign_new_for_display (gtk_widget_get_display (GTK_WIDGET (window)), id) : NULL;

      if (parent)
        gdk_window_set_transient_for (gtk_widget_get_window (GTK_WIDGET (window)), parent);
    }
#endif
}

/* ---- making layers ------------------------------------------------------- */

static void
set_spaces (int layer, const Babl *format)
{
  const GimpLayerColorSpace space =
      sumi_pixels_get_encoding (format) ? GIMP_LAYER_COLOR_SPACE_RGB_PERCEPTUAL : GIMP_LAYER_COLOR_SPACE_RGB_LINEAR;

  gimp_layer_set_blend_space (layer, space);
  gimp_layer_set_composite_space (layer, space);
}

int
sumi_host_new_layer (int image, const char *name, int width, int height, gboolean is_grey, const Babl *format)
{
  const int layer = gimp_layer_new (image, name, width, height, is_grey ? GIMP_GRAYA_IMAGE : GIMP_RGBA_IMAGE, 100.0,
                                    GIMP_LAYER_MODE_NORMAL);

  if (layer != SUMI_HOST_NONE)
    set_spaces (layer, format);
  return layer;
}

int
sumi_host_new_group (int image, const char *name, const Babl *format)
{
  const int group = gimp_layer_group_new (image);

  if (group != SUMI_HOST_NONE)
    {
      gimp_item_set_name (group, name);
      set_spaces (group, format);
    }
  return group;
}

int
sumi_host_new_mask (int layer)
{
  return gimp_layer_create_mask (layer, GIMP_ADD_MASK_WHITE);
}

gboolean
sumi_host_add_mask (int layer, int mask)
{
  /* the mask would become what is edited, and what a repeated call is given */
  return gimp_layer_add_mask (layer, mask) && gimp_layer_set_edit_mask (layer, FALSE);
}

int
sumi_host_get_mask (int layer)
{
  return gimp_layer_get_mask (layer);
}

void
sumi_host_set_offsets (int layer, int x, int y)
{
  gimp_layer_set_offsets (layer, x, y);
}

void
sumi_host_set_visible (int layer, gboolean visible)
{
  gimp_item_set_visible (layer, visible);
}

void
sumi_host_set_recipe (int layer, const char *recipe)
{
  GimpParasite *parasite = gimp_parasite_new (SUMI_PLUGIN_PARASITE, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE,
                                              (guint32) strlen (recipe) + 1, recipe);

  gimp_item_attach_parasite (layer, parasite);
  gimp_parasite_free (parasite);
}

void
sumi_host_delete (int item)
{
  gimp_item_delete (item);
}

/* ---- changing the image -------------------------------------------------- */

void
sumi_host_undo_start (int image)
{
  gimp_image_undo_group_start (image);
}

void
sumi_host_undo_end (int image)
{
  gimp_image_undo_group_end (image);
}

gboolean
sumi_host_convert_rgb (int image)
{
  return gimp_image_convert_rgb (image);
}

gboolean
sumi_host_scale (int image, int width, int height)
{
  gboolean ok;

  gimp_context_push ();
  gimp_context_set_interpolation (GIMP_INTERPOLATION_CUBIC);
  ok = gimp_image_scale (image, width, height);
  gimp_context_pop ();
  return ok;
}

gboolean
sumi_host_resize (int image, int width, int height, int dx, int dy)
{
  return gimp_image_resize (image, width, height, dx, dy);
}

gboolean
sumi_host_insert (int image, int layer, int parent, int position)
{
  return gimp_image_insert_layer (image, layer, MAX (0, parent), position);
}

gboolean
sumi_host_insert_above (int image, int layer, int sibling)
{
  return sumi_host_insert (image, layer, gimp_item_get_parent (sibling), gimp_image_get_item_position (image, sibling));
}

void
sumi_host_select_layer (int image, int layer)
{
  gimp_image_set_active_layer (image, layer);
}

void
sumi_host_flush (void)
{
  gimp_displays_flush ();
}

char *
sumi_host_dup_error (void)
{
  return g_strdup (gimp_get_pdb_error ());
}
