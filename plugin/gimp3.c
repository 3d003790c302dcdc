/* SPDX-License-Identifier: GPL-3.0-or-later */
/* host.h for GIMP 3. */
#include <glib/gi18n-lib.h>
#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>
#include <string.h>

#include "plugin/host.h"
#include "plugin/pixels.h"
#include "plugin/procedures.h"

#define IMAGE(id)    gimp_image_get_by_id (id)
#define LAYER(id)    gimp_layer_get_by_id (id)
#define DRAWABLE(id) gimp_drawable_get_by_id (id)
#define ITEM(id)     gimp_item_get_by_id (id)

static int
id_of (gpointer item)
{
  return item ? gimp_item_get_id (GIMP_ITEM (item)) : SUMI_HOST_NONE;
}

/* ---- reading ------------------------------------------------------------- */

gboolean
sumi_host_find_target (int image, int drawable, SumiTarget *target, GError **error)
{
  GimpItem *item = drawable > 0 ? ITEM (drawable) : NULL;
  GimpImage *owner = IMAGE (image);

  if (item && GIMP_IS_LAYER_MASK (item))
    item = GIMP_ITEM (gimp_layer_from_mask (GIMP_LAYER_MASK (item)));
  if (! item || ! GIMP_IS_LAYER (item) || gimp_item_get_image (item) != owner)
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                           _ ("The selected item is not a layer of the image: select a layer"));
      return FALSE;
    }
  if (gimp_image_get_base_type (owner) == GIMP_INDEXED)
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                           _ ("The image has indexed colours: convert it with Image ▸ Mode ▸ RGB, then try again"));
      return FALSE;
    }
  if (gimp_item_is_group (item))
    {
      g_autofree GimpItem **children = gimp_item_get_children (item);

      if (! children || ! *children)
        {
          g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_INPUT,
                               _ ("The layer group is empty: select a layer, or a group that holds one"));
          return FALSE;
        }
    }
  *target = (SumiTarget){
    .image = image,
    .layer = gimp_item_get_id (item),
    .width = gimp_drawable_get_width (GIMP_DRAWABLE (item)),
    .height = gimp_drawable_get_height (GIMP_DRAWABLE (item)),
    .canvas_width = gimp_image_get_width (owner),
    .canvas_height = gimp_image_get_height (owner),
    .is_grey = gimp_image_get_base_type (owner) == GIMP_GRAY,
  };
  gimp_drawable_get_offsets (GIMP_DRAWABLE (item), &target->x, &target->y);
  return TRUE;
}

GeglBuffer *
sumi_host_get_buffer (int drawable)
{
  return gimp_drawable_get_buffer (DRAWABLE (drawable));
}

GeglBuffer *
sumi_host_get_selection (int image)
{
  if (gimp_selection_is_empty (IMAGE (image)))
    return NULL;
  return gimp_drawable_get_buffer (GIMP_DRAWABLE (gimp_image_get_selection (IMAGE (image))));
}

gboolean
sumi_host_selection_meets (int layer, SumiRect *where)
{
  return gimp_drawable_mask_intersect (DRAWABLE (layer), &where->x, &where->y, &where->width, &where->height);
}

GimpColorProfile *
sumi_host_get_profile (int image)
{
  return gimp_image_get_effective_color_profile (IMAGE (image));
}

static void
add_layers (GArray *all, GimpItem **items)
{
  for (int i = 0; items && items[i]; i++)
    {
      const int id = gimp_item_get_id (items[i]);

      g_array_append_val (all, id);
      if (gimp_item_is_group (items[i]))
        {
          g_autofree GimpItem **children = gimp_item_get_children (items[i]);

          add_layers (all, children);
        }
    }
}

int *
sumi_host_list_layers (int image)
{
  const int end = SUMI_HOST_NONE;
  GArray *all = g_array_new (FALSE, FALSE, sizeof (int));
  g_autofree GimpLayer **layers = gimp_image_get_layers (IMAGE (image));

  add_layers (all, (GimpItem **) layers);
  g_array_append_val (all, end);
  return (int *) (void *) g_array_free (all, FALSE);
}

char *
sumi_host_dup_name (int item)
{
  return gimp_item_get_name (ITEM (item));
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
    gimp_ui_init ("sumi");
  else
    gimp_window_set_transient (GTK_WINDOW (window));
}

/* ---- making layers ------------------------------------------------------- */

static void
set_spaces (GimpLayer *layer, const Babl *format)
{
  const char encoding = sumi_pixels_get_encoding (format);
  const GimpLayerColorSpace space = encoding == '\'' ? GIMP_LAYER_COLOR_SPACE_RGB_NON_LINEAR :
                                    encoding         ? GIMP_LAYER_COLOR_SPACE_RGB_PERCEPTUAL :
                                                       GIMP_LAYER_COLOR_SPACE_RGB_LINEAR;

  gimp_layer_set_blend_space (layer, space);
  gimp_layer_set_composite_space (layer, space);
}

int
sumi_host_new_layer (int image, const char *name, int width, int height, gboolean is_grey, const Babl *format)
{
  GimpLayer *layer = gimp_layer_new (IMAGE (image), name, width, height, is_grey ? GIMP_GRAYA_IMAGE : GIMP_RGBA_IMAGE,
                                     100.0, GIMP_LAYER_MODE_NORMAL);

  if (layer)
    set_spaces (layer, format);
  return id_of (layer);
}

int
sumi_host_new_group (int image, const char *name, const Babl *format)
{
  GimpGroupLayer *group = gimp_group_layer_new (IMAGE (image), name);

  if (group)
    set_spaces (GIMP_LAYER (group), format);
  return id_of (group);
}

int
sumi_host_new_mask (int layer)
{
  return id_of (gimp_layer_create_mask (LAYER (layer), GIMP_ADD_MASK_WHITE));
}

gboolean
sumi_host_add_mask (int layer, int mask)
{
  /* the mask would become what is edited, and what a repeated call is given */
  return gimp_layer_add_mask (LAYER (layer), GIMP_LAYER_MASK (ITEM (mask))) &&
         gimp_layer_set_edit_mask (LAYER (layer), FALSE);
}

int
sumi_host_get_mask (int layer)
{
  return id_of (gimp_layer_get_mask (LAYER (layer)));
}

void
sumi_host_set_offsets (int layer, int x, int y)
{
  gimp_layer_set_offsets (LAYER (layer), x, y);
}

void
sumi_host_set_visible (int layer, gboolean visible)
{
  gimp_item_set_visible (ITEM (layer), visible);
}

void
sumi_host_set_recipe (int layer, const char *recipe)
{
  GimpParasite *parasite = gimp_parasite_new (SUMI_PLUGIN_PARASITE, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE,
                                              (guint32) strlen (recipe) + 1, recipe);

  gimp_item_attach_parasite (ITEM (layer), parasite);
  gimp_parasite_free (parasite);
}

void
sumi_host_delete (int item)
{
  if (gimp_item_id_is_valid (item))
    gimp_item_delete (ITEM (item));
}

/* ---- changing the image -------------------------------------------------- */

void
sumi_host_undo_start (int image)
{
  gimp_image_undo_group_start (IMAGE (image));
}

void
sumi_host_undo_end (int image)
{
  gimp_image_undo_group_end (IMAGE (image));
}

gboolean
sumi_host_convert_rgb (int image)
{
  return gimp_image_convert_rgb (IMAGE (image));
}

gboolean
sumi_host_scale (int image, int width, int height)
{
  gboolean ok;

  gimp_context_push ();
  gimp_context_set_interpolation (GIMP_INTERPOLATION_CUBIC);
  ok = gimp_image_scale (IMAGE (image), width, height);
  gimp_context_pop ();
  return ok;
}

gboolean
sumi_host_resize (int image, int width, int height, int dx, int dy)
{
  return gimp_image_resize (IMAGE (image), width, height, dx, dy);
}

gboolean
sumi_host_insert (int image, int layer, int parent, int position)
{
  return gimp_image_insert_layer (IMAGE (image), LAYER (layer), parent > 0 ? LAYER (parent) : NULL, position);
}

gboolean
sumi_host_insert_above (int image, int layer, int sibling)
{
  return gimp_image_insert_layer (IMAGE (image), LAYER (layer), (GimpLayer *) gimp_item_get_parent (ITEM (sibling)),
                                  gimp_image_get_item_position (IMAGE (image), ITEM (sibling)));
}

void
sumi_host_select_layer (int image, int layer)
{
  const GimpLayer *layers[] = { LAYER (layer), NULL };

  gimp_image_set_selected_layers (IMAGE (image), layers);
}

void
sumi_host_flush (void)
{
  gimp_displays_flush ();
}

char *
sumi_host_dup_error (void)
{
  return g_strdup (gimp_pdb_get_last_error (gimp_get_pdb ()));
}
