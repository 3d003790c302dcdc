/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cases inside GIMP 3: a batch interpreter, --batch-interpreter=plug-in-sumi-test --batch=GROUP; writes its
 * findings to $SUMI_TEST_RESULT. */
#include <libgimp/gimp.h>
#include <string.h>

#include "plugin/procedures.h"
#include "tests/gimp/driver.h"

G_DECLARE_FINAL_TYPE (Driver, driver, SUMI, DRIVER, GimpPlugIn)

struct _Driver
{
  GimpPlugIn parent_instance;
};

G_DEFINE_TYPE (Driver, driver, GIMP_TYPE_PLUG_IN)

const gboolean driver_takes_many = TRUE;

#define IMAGE(id) gimp_image_get_by_id (id)
#define LAYER(id) gimp_layer_get_by_id (id)
#define ITEM(id)  gimp_item_get_by_id (id)

static int
id_of (gpointer item)
{
  return item ? gimp_item_get_id (GIMP_ITEM (item)) : SUMI_HOST_NONE;
}

static GimpValueArray *
run (GimpProcedure *procedure, GimpRunMode mode, const char *command, GimpProcedureConfig *config, gpointer data)
{
  gegl_init (NULL, NULL);
  gimp_plug_in_set_pdb_error_handler (gimp_get_plug_in (), GIMP_PDB_ERROR_HANDLER_PLUGIN);
  if (cases_run (command) == 0)
    return gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
  return gimp_procedure_new_return_values (procedure, GIMP_PDB_EXECUTION_ERROR,
                                           g_error_new_literal (GIMP_PLUG_IN_ERROR, 0, "some checks failed"));
}

static GList *
query (GimpPlugIn *plug_in)
{
  return g_list_append (NULL, g_strdup ("plug-in-sumi-test"));
}

static GimpProcedure *
create (GimpPlugIn *plug_in, const char *name)
{
  return gimp_batch_procedure_new (plug_in, name, "Sumi tests", GIMP_PDB_PROC_TYPE_PLUGIN, run, NULL, NULL);
}

static void
driver_class_init (DriverClass *klass)
{
  GIMP_PLUG_IN_CLASS (klass)->query_procedures = query;
  GIMP_PLUG_IN_CLASS (klass)->create_procedure = create;
  GIMP_PLUG_IN_CLASS (klass)->set_i18n = NULL;
}

static void
driver_init (Driver *self)
{
}

GIMP_MAIN (driver_get_type ())

/* ---- making images ------------------------------------------------------- */

int
driver_image_new (int width, int height, int base, int precision)
{
  return gimp_image_get_id (gimp_image_new_with_precision (width, height, base, precision));
}

int
driver_image_dup (int image)
{
  return gimp_image_get_id (gimp_image_duplicate (IMAGE (image)));
}

void
driver_image_delete (int image)
{
  gimp_image_delete (IMAGE (image));
}

int
driver_layer_new (int image, int parent, int x, int y, int width, int height, gboolean alpha)
{
  const gboolean grey = gimp_image_get_base_type (IMAGE (image)) == GIMP_GRAY;
  const GimpImageType type = grey  ? alpha ? GIMP_GRAYA_IMAGE : GIMP_GRAY_IMAGE :
                             alpha ? GIMP_RGBA_IMAGE :
                                     GIMP_RGB_IMAGE;
  GimpLayer *layer = gimp_layer_new (IMAGE (image), "layer", width, height, type, 100, GIMP_LAYER_MODE_NORMAL);

  gimp_image_insert_layer (IMAGE (image), layer, parent > 0 ? LAYER (parent) : NULL, 0);
  gimp_layer_set_offsets (layer, x, y);
  return id_of (layer);
}

int
driver_group_new (int image)
{
  GimpLayer *group = GIMP_LAYER (gimp_group_layer_new (IMAGE (image), "group"));

  gimp_image_insert_layer (IMAGE (image), group, NULL, 0);
  return id_of (group);
}

int
driver_channel_new (int image)
{
  GeglColor *black = gegl_color_new ("black");
  GimpChannel *channel = gimp_channel_new (IMAGE (image), "channel", gimp_image_get_width (IMAGE (image)),
                                           gimp_image_get_height (IMAGE (image)), 50, black);

  gimp_image_insert_channel (IMAGE (image), channel, NULL, 0);
  g_object_unref (black);
  return id_of (channel);
}

int
driver_mask_new (int layer)
{
  GimpLayerMask *mask = gimp_layer_create_mask (LAYER (layer), GIMP_ADD_MASK_WHITE);

  gimp_layer_add_mask (LAYER (layer), mask);
  return id_of (mask);
}

void
driver_set_locked (int layer)
{
  gimp_item_set_lock_content (ITEM (layer), TRUE);
  gimp_item_set_lock_position (ITEM (layer), TRUE);
  gimp_item_set_visible (ITEM (layer), FALSE);
}

void
driver_select (int image, int x, int y, int width, int height)
{
  gimp_context_set_feather (FALSE);
  gimp_image_select_rectangle (IMAGE (image), GIMP_CHANNEL_OP_REPLACE, x, y, width, height);
}

void
driver_select_nothing (int image)
{
  gimp_selection_none (IMAGE (image));
}

void
driver_feather (int image, double radius)
{
  gimp_selection_feather (IMAGE (image), radius);
}

void
driver_to_indexed (int image)
{
  gimp_image_convert_indexed (IMAGE (image), GIMP_CONVERT_DITHER_NONE, GIMP_CONVERT_PALETTE_GENERATE, 16, FALSE, FALSE,
                              "");
}

gboolean
driver_set_profile (int image, const guint8 *icc, gsize length)
{
  GimpColorProfile *profile = gimp_color_profile_new_from_icc_profile (icc, length, NULL);

  return profile && gimp_image_set_color_profile (IMAGE (image), profile);
}

int
driver_flatten (int image, gboolean keep_alpha)
{
  return id_of (keep_alpha ? gimp_image_merge_visible_layers (IMAGE (image), GIMP_CLIP_TO_IMAGE) :
                             gimp_image_flatten (IMAGE (image)));
}

/* ---- looking ------------------------------------------------------------- */

void
driver_show (int image)
{
  gimp_display_new (IMAGE (image));
}

void
driver_clean (int image)
{
  gimp_image_clean_all (IMAGE (image));
}

gboolean
driver_is_dirty (int image)
{
  return gimp_image_is_dirty (IMAGE (image));
}

int
driver_get_parent (int layer)
{
  return id_of (gimp_item_get_parent (ITEM (layer)));
}

int
driver_get_position (int image, int layer)
{
  return gimp_image_get_item_position (IMAGE (image), ITEM (layer));
}

gboolean
driver_get_visible (int layer)
{
  return gimp_item_get_visible (ITEM (layer));
}

gboolean
driver_is_mask_edited (int layer)
{
  return gimp_layer_get_edit_mask (LAYER (layer));
}

int
driver_get_selected (int image)
{
  g_autofree GimpLayer **layers = gimp_image_get_selected_layers (IMAGE (image));

  return layers ? id_of (layers[0]) : SUMI_HOST_NONE;
}

gboolean
driver_is_grey (int image)
{
  return gimp_image_get_base_type (IMAGE (image)) == GIMP_GRAY;
}

char *
driver_dup_recipe (int layer)
{
  GimpParasite *parasite = gimp_item_get_parasite (ITEM (layer), SUMI_PLUGIN_PARASITE);
  guint32 length = 0;
  const char *data = parasite ? gimp_parasite_get_data (parasite, &length) : NULL;
  char *text = data ? g_strndup (data, length) : NULL;

  if (parasite)
    gimp_parasite_free (parasite);
  return text;
}

/* ---- calling ------------------------------------------------------------- */

static void
set_argument (GimpProcedureConfig *config, const SumiOption *o, gconstpointer values)
{
  g_autofree char *text = sumi_option_dup_text (o, values);

  if (o->type == SUMI_OPTION_DOUBLE)
    g_object_set (config, o->key, sumi_option_get_number (o, values), NULL);
  else if (o->type == SUMI_OPTION_INT || o->type == SUMI_OPTION_BOOL)
    g_object_set (config, o->key, (int) sumi_option_get_number (o, values), NULL);
  else
    g_object_set (config, o->key, text, NULL);
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
  GimpProcedure *procedure = gimp_pdb_lookup_procedure (gimp_get_pdb (), name);
  GimpProcedureConfig *config = gimp_procedure_create_config (procedure);
  g_autofree GimpDrawable **list = g_new0 (GimpDrawable *, n_drawables + 1);
  gpointer values = sumi_task_new_options (task);
  GimpValueArray *returned;
  int unused = SUMI_HOST_NONE;

  sumi_arguments_load_text (task, values, &unused, options ? options : "");
  for (int i = 0; i < n_drawables; i++)
    list[i] = gimp_drawable_get_by_id (drawables[i]);
  g_object_set (config, "run-mode", mode, "image", IMAGE (image), NULL);
  gimp_procedure_config_set_core_object_array (config, "drawables", (GObject **) list, (gsize) n_drawables);
  for (const SumiOption *o = task->options; o->key; o++)
    set_argument (config, o, values);
  if (task->flags & SUMI_TASK_HINTS)
    g_object_set (config, SUMI_PLUGIN_HINTS_KEY, hints > 0 ? gimp_drawable_get_by_id (hints) : NULL, NULL);
  if (strstr (options ? options : "", "memory=!")) /* a text that the table refuses */
    g_object_set (config, "memory", "much", NULL);

  returned = gimp_procedure_run_config (procedure, config);
  *result = (DriverResult){ .status = GIMP_VALUES_GET_ENUM (returned, 0), .layer = SUMI_HOST_NONE };
  result->layers = g_array_new (FALSE, FALSE, sizeof (int));
  if (result->status == GIMP_PDB_SUCCESS)
    {
      GObject **layers = g_value_get_boxed (gimp_value_array_index (returned, 2));

      result->layer = id_of (GIMP_VALUES_GET_LAYER (returned, 1));
      for (int i = 0; layers && layers[i]; i++)
        {
          const int id = id_of (layers[i]);

          g_array_append_val (result->layers, id);
        }
    }
  else
    result->message = g_strdup (gimp_pdb_get_last_error (gimp_get_pdb ()));
  gimp_value_array_unref (returned);
  g_object_unref (config);
  sumi_task_free_options (task, values);
}

gboolean
driver_store_last_values (const char *key, const char *options)
{
  return FALSE;
}

char *
driver_dup_menu_label (const char *key)
{
  g_autofree char *name = g_strconcat ("plug-in-sumi-", key, NULL);

  return g_strdup (gimp_procedure_get_menu_label (gimp_pdb_lookup_procedure (gimp_get_pdb (), name)));
}
