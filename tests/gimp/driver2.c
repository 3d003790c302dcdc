/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cases inside GIMP 2.10: (plug-in-sumi-test RUN-NONINTERACTIVE "group") writes its findings to
 * $SUMI_TEST_RESULT. */
#include <libgimp/gimp.h>
#include <string.h>

#include "plugin/procedures.h"
#include "tests/gimp/driver.h"

#define MAX_PARAMS 64

static void query (void);
static void run (const char *name, int n_params, const GimpParam *params, int *n_values, GimpParam **values);

const GimpPlugInInfo PLUG_IN_INFO = { NULL, NULL, query, run };
const gboolean driver_takes_many = FALSE;

MAIN ()

static void
query (void)
{
  static const GimpParamDef params[] = { { GIMP_PDB_INT32, (char *) "run-mode", (char *) "Run mode" },
                                         { GIMP_PDB_STRING, (char *) "group", (char *) "Group of cases" } };

  gimp_install_procedure ("plug-in-sumi-test", "Sumi tests", "", "", "", "", NULL, NULL, GIMP_PLUGIN,
                          G_N_ELEMENTS (params), 0, params, NULL);
}

static void
run (const char *name, int n_params, const GimpParam *params, int *n_values, GimpParam **values)
{
  static GimpParam status = { GIMP_PDB_STATUS, { .d_status = GIMP_PDB_SUCCESS } };

  gegl_init (NULL, NULL);
  gimp_plugin_set_pdb_error_handler (GIMP_PDB_ERROR_HANDLER_PLUGIN);
  cases_run (params[1].data.d_string);
  *n_values = 1;
  *values = &status;
}

/* ---- making images ------------------------------------------------------- */

int
driver_image_new (int width, int height, int base, int precision)
{
  return gimp_image_new_with_precision (width, height, base, precision);
}

int
driver_image_dup (int image)
{
  return gimp_image_duplicate (image);
}

void
driver_image_delete (int image)
{
  gimp_image_delete (image);
}

int
driver_layer_new (int image, int parent, int x, int y, int width, int height, gboolean alpha)
{
  const gboolean grey = gimp_image_base_type (image) == GIMP_GRAY;
  const GimpImageType type = grey  ? alpha ? GIMP_GRAYA_IMAGE : GIMP_GRAY_IMAGE :
                             alpha ? GIMP_RGBA_IMAGE :
                                     GIMP_RGB_IMAGE;
  const int layer = gimp_layer_new (image, "layer", width, height, type, 100, GIMP_LAYER_MODE_NORMAL);

  gimp_image_insert_layer (image, layer, MAX (0, parent), 0);
  gimp_layer_set_offsets (layer, x, y);
  return layer;
}

int
driver_group_new (int image)
{
  const int group = gimp_layer_group_new (image);

  gimp_image_insert_layer (image, group, 0, 0);
  return group;
}

int
driver_channel_new (int image)
{
  const GimpRGB black = { 0, 0, 0, 1 };
  const int channel =
      gimp_channel_new (image, "channel", gimp_image_width (image), gimp_image_height (image), 50, &black);

  gimp_image_insert_channel (image, channel, 0, 0);
  return channel;
}

int
driver_mask_new (int layer)
{
  const int mask = gimp_layer_create_mask (layer, GIMP_ADD_MASK_WHITE);

  gimp_layer_add_mask (layer, mask);
  return mask;
}

void
driver_set_locked (int layer)
{
  gimp_item_set_lock_content (layer, TRUE);
  gimp_item_set_lock_position (layer, TRUE);
  gimp_item_set_visible (layer, FALSE);
}

void
driver_select (int image, int x, int y, int width, int height)
{
  gimp_context_set_feather (FALSE);
  gimp_image_select_rectangle (image, GIMP_CHANNEL_OP_REPLACE, x, y, width, height);
}

void
driver_select_nothing (int image)
{
  gimp_selection_none (image);
}

void
driver_feather (int image, double radius)
{
  gimp_selection_feather (image, radius);
}

void
driver_to_indexed (int image)
{
  gimp_image_convert_indexed (image, GIMP_CONVERT_DITHER_NONE, GIMP_CONVERT_PALETTE_GENERATE, 16, FALSE, FALSE, "");
}

gboolean
driver_set_profile (int image, const guint8 *icc, gsize length)
{
  GimpColorProfile *profile = gimp_color_profile_new_from_icc_profile (icc, length, NULL);

  return profile && gimp_image_set_color_profile (image, profile);
}

int
driver_flatten (int image, gboolean keep_alpha)
{
  return keep_alpha ? gimp_image_merge_visible_layers (image, GIMP_CLIP_TO_IMAGE) : gimp_image_flatten (image);
}

/* ---- looking ------------------------------------------------------------- */

void
driver_show (int image)
{
  gimp_display_new (image);
}

void
driver_clean (int image)
{
  gimp_image_clean_all (image);
}

gboolean
driver_is_dirty (int image)
{
  return gimp_image_is_dirty (image);
}

int
driver_get_parent (int layer)
{
  return gimp_item_get_parent (layer);
}

int
driver_get_position (int image, int layer)
{
  return gimp_image_get_item_position (image, layer);
}

gboolean
driver_get_visible (int layer)
{
  return gimp_item_get_visible (layer);
}

gboolean
driver_is_mask_edited (int layer)
{
  return gimp_layer_get_edit_mask (layer);
}

int
driver_get_selected (int image)
{
  return gimp_image_get_active_layer (image);
}

gboolean
driver_is_grey (int image)
{
  return gimp_image_base_type (image) == GIMP_GRAY;
}

char *
driver_dup_recipe (int layer)
{
  GimpParasite *parasite = gimp_item_get_parasite (layer, SUMI_PLUGIN_PARASITE);
  char *text = parasite ? g_strndup (gimp_parasite_data (parasite), (gsize) gimp_parasite_data_size (parasite)) : NULL;

  if (parasite)
    gimp_parasite_free (parasite);
  return text;
}

/* ---- calling ------------------------------------------------------------- */

static void
fill_param (GimpParam *param, const SumiOption *o, gconstpointer values)
{
  if (o->type == SUMI_OPTION_DOUBLE)
    *param = (GimpParam){ GIMP_PDB_FLOAT, { .d_float = sumi_option_get_number (o, values) } };
  else if (o->type == SUMI_OPTION_INT || o->type == SUMI_OPTION_BOOL)
    *param = (GimpParam){ GIMP_PDB_INT32, { .d_int32 = (int) sumi_option_get_number (o, values) } };
  else
    *param = (GimpParam){ GIMP_PDB_STRING, { .d_string = sumi_option_dup_text (o, values) } };
}

void
driver_call (const char *key,
             int image,
             const int *drawables,
             int n_drawables,
             int mode,
             int hints,
             const char *options,
             DriverResult *result)
{
  const SumiTaskClass *task = sumi_task_find (key);
  g_autofree char *name = sumi_procedure_dup_name (task);
  gpointer values = sumi_task_new_options (task);
  GimpParam params[MAX_PARAMS], *returned;
  int n = 0, n_returned = 0, unused = SUMI_HOST_NONE;

  sumi_arguments_load_text (task, values, &unused, options ? options : "");
  params[n++] = (GimpParam){ GIMP_PDB_INT32, { .d_int32 = mode } };
  params[n++] = (GimpParam){ GIMP_PDB_IMAGE, { .d_image = image } };
  params[n++] = (GimpParam){ GIMP_PDB_DRAWABLE, { .d_drawable = drawables[0] } };
  if (task->flags & SUMI_TASK_HINTS)
    params[n++] = (GimpParam){ GIMP_PDB_DRAWABLE, { .d_drawable = hints } };
  for (const SumiOption *o = task->options; o->key; o++)
    {
      fill_param (&params[n++], o, values);
      if (! strcmp (o->key, "memory") &&
          strstr (options ? options : "", "memory=!")) /* a text that the table refuses */
        params[n - 1].data.d_string = g_strdup ("much");
    }

  returned = gimp_run_procedure2 (name, &n_returned, n, params);
  *result = (DriverResult){ .status = returned[0].data.d_status, .layer = SUMI_HOST_NONE };
  result->layers = g_array_new (FALSE, FALSE, sizeof (int));
  if (result->status == GIMP_PDB_SUCCESS)
    {
      result->layer = returned[1].data.d_layer;
      g_array_append_vals (result->layers, returned[3].data.d_int32array, (guint) returned[2].data.d_int32);
    }
  else if (n_returned > 1)
    result->message = g_strdup (returned[1].data.d_string);
  gimp_destroy_params (returned, n_returned);
  sumi_task_free_options (task, values);
}

gboolean
driver_store_last_values (const char *key, const char *options)
{
  g_autofree char *name = g_strconcat ("plug-in-sumi-", key, NULL);

  return gimp_set_data (name, options, (guint32) strlen (options));
}

char *
driver_dup_menu_label (const char *key)
{
  return NULL;
}
