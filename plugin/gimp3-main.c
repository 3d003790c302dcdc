/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registration in GIMP 3: a procedure per task, every option a named argument. Returns the new layer (or the group of
 * candidates) and the array of all new layers. */
#include <glib/gi18n-lib.h>
#include <libgimp/gimp.h>

#include "plugin/procedures.h"
#include "plugin/run.h"

#define SUMI_TYPE_PLUGIN (sumi_plugin_get_type ())
G_DECLARE_FINAL_TYPE (SumiPlugin, sumi_plugin, SUMI, PLUGIN, GimpPlugIn)

struct _SumiPlugin
{
  GimpPlugIn parent_instance;
};

G_DEFINE_TYPE (SumiPlugin, sumi_plugin, GIMP_TYPE_PLUG_IN)

/* ---- arguments ----------------------------------------------------------- */

static GimpChoice *
new_choice (const SumiOption *option)
{
  GimpChoice *choice = gimp_choice_new ();
  int id = 0;

  for (const SumiChoice *c = sumi_option_get_choices (option); c && c->key; c++)
    gimp_choice_add (choice, c->key, id++, _ (c->label), NULL);
  return choice;
}

static void
add_argument (GimpProcedure *p, const SumiOption *o)
{
  g_autofree char *range = sumi_option_dup_range (o);
  g_autofree char *blurb = g_strdup_printf ("%s (%s)", _ (o->blurb), range);
  const char *nick = _ (o->label);

  switch (o->type)
    {
    case SUMI_OPTION_BOOL:
      gimp_procedure_add_boolean_argument (p, o->key, nick, blurb, o->value != 0, G_PARAM_READWRITE);
      break;
    case SUMI_OPTION_INT:
      gimp_procedure_add_int_argument (p, o->key, nick, blurb, (int) o->min, (int) o->max, (int) o->value,
                                       G_PARAM_READWRITE);
      break;
    case SUMI_OPTION_DOUBLE:
      gimp_procedure_add_double_argument (p, o->key, nick, blurb, o->min, o->max, o->value, G_PARAM_READWRITE);
      break;
    case SUMI_OPTION_CHOICE:
      gimp_procedure_add_choice_argument (p, o->key, nick, blurb, new_choice (o), o->text, G_PARAM_READWRITE);
      break;
    case SUMI_OPTION_STRING:
      gimp_procedure_add_string_argument (p, o->key, nick, blurb, o->text, G_PARAM_READWRITE);
      break;
    case SUMI_OPTION_SIZE:
      {
        g_autofree char *bytes = g_strdup_printf ("%.0f", o->value);

        gimp_procedure_add_string_argument (p, o->key, nick, blurb, bytes, G_PARAM_READWRITE);
        break;
      }
    }
}

static gboolean
read_argument (GimpProcedureConfig *config, const SumiOption *o, gpointer options, GError **error)
{
  g_autofree char *text = NULL;
  int integer = 0;
  double number = 0;

  switch (o->type)
    {
    case SUMI_OPTION_BOOL:
    case SUMI_OPTION_INT:
      g_object_get (config, o->key, &integer, NULL);
      return sumi_option_set_number (o, options, integer, error);
    case SUMI_OPTION_DOUBLE:
      g_object_get (config, o->key, &number, NULL);
      return sumi_option_set_number (o, options, number, error);
    case SUMI_OPTION_CHOICE:
    case SUMI_OPTION_STRING:
    case SUMI_OPTION_SIZE:
      break;
    }
  g_object_get (config, o->key, &text, NULL);
  return sumi_option_set_text (o, options, text ? text : "", error);
}

static void
write_argument (GimpProcedureConfig *config, const SumiOption *o, gconstpointer options)
{
  g_autofree char *text = NULL;

  switch (o->type)
    {
    case SUMI_OPTION_BOOL:
    case SUMI_OPTION_INT:
      g_object_set (config, o->key, (int) sumi_option_get_number (o, options), NULL);
      return;
    case SUMI_OPTION_DOUBLE:
      g_object_set (config, o->key, sumi_option_get_number (o, options), NULL);
      return;
    case SUMI_OPTION_CHOICE:
    case SUMI_OPTION_STRING:
    case SUMI_OPTION_SIZE:
      break;
    }
  text = sumi_option_dup_text (o, options);
  g_object_set (config, o->key, text, NULL);
}

static gboolean
read_arguments (SumiCall *call, GimpProcedureConfig *config, GError **error)
{
  for (const SumiOption *o = call->task->options; o->key; o++)
    if (! read_argument (config, o, call->options, error))
      return FALSE;
  if (call->task->flags & SUMI_TASK_HINTS)
    {
      g_autoptr (GimpDrawable) hints = NULL;

      g_object_get (config, SUMI_PLUGIN_HINTS_KEY, &hints, NULL);
      /* the last values may speak of another image */
      if (hints &&
          (! call->show || gimp_item_get_id (GIMP_ITEM (gimp_item_get_image (GIMP_ITEM (hints)))) == call->image))
        call->hints = gimp_item_get_id (GIMP_ITEM (hints));
    }
  return TRUE;
}

/* The values that are kept for the next call. */
static void
write_arguments (const SumiCall *call, GimpProcedureConfig *config)
{
  for (const SumiOption *o = call->task->options; o->key; o++)
    write_argument (config, o, call->options);
  if (call->task->flags & SUMI_TASK_HINTS)
    g_object_set (config, SUMI_PLUGIN_HINTS_KEY, call->hints > 0 ? gimp_drawable_get_by_id (call->hints) : NULL, NULL);
}

/* ---- running ------------------------------------------------------------- */

static GimpValueArray *
return_error (GimpProcedure *procedure, GError *error)
{
  GimpPDBStatusType status = sumi_error_is_calling (error) ? GIMP_PDB_CALLING_ERROR : GIMP_PDB_EXECUTION_ERROR;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_error_free (error);
      return gimp_procedure_new_return_values (procedure, GIMP_PDB_CANCEL, NULL);
    }
  return gimp_procedure_new_return_values (procedure, status, error);
}

static GimpValueArray *
return_layers (GimpProcedure *procedure, const SumiCall *call)
{
  GimpValueArray *values = gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
  GObject **layers = g_new0 (GObject *, call->layers->len + 1);

  for (guint i = 0; i < call->layers->len; i++)
    layers[i] = G_OBJECT (gimp_layer_get_by_id (g_array_index (call->layers, int, i)));
  GIMP_VALUES_SET_LAYER (values, 1, gimp_layer_get_by_id (call->layer));
  g_value_take_boxed (gimp_value_array_index (values, 2), layers);
  return values;
}

static GimpValueArray *
sumi_plugin_run (GimpProcedure *procedure,
                 GimpRunMode mode,
                 GimpImage *image,
                 GimpDrawable **drawables,
                 GimpProcedureConfig *config,
                 gpointer data)
{
  const SumiTaskClass *task = sumi_procedure_find_task (gimp_procedure_get_name (procedure));
  const int n = drawables ? gimp_core_object_array_get_length ((GObject **) drawables) : 0;
  const int drawable = n > 0 ? gimp_item_get_id (GIMP_ITEM (drawables[0])) : SUMI_HOST_NONE;
  GimpValueArray *values;
  GError *error = NULL;
  SumiCall call = {
    .task = task,
    .image = gimp_image_get_id (image),
    .drawables = &drawable,
    .n_drawables = n,
    .hints = SUMI_HOST_NONE,
    .options = sumi_task_new_options (task),
    .ask = mode == GIMP_RUN_INTERACTIVE,
    .show = mode != GIMP_RUN_NONINTERACTIVE,
  };

  sumi_plugin_start ();
  if (read_arguments (&call, config, &error) && sumi_call_run (&call, &error))
    {
      write_arguments (&call, config);
      values = return_layers (procedure, &call);
    }
  else
    values = return_error (procedure, error);
  sumi_task_free_options (task, call.options);
  sumi_call_clear (&call);
  return values;
}

/* ---- registration -------------------------------------------------------- */

static GList *
sumi_plugin_query_procedures (GimpPlugIn *plug_in)
{
  GList *names = NULL;

  for (const SumiTaskClass *const *task = sumi_tasks (); *task; task++)
    names = g_list_append (names, sumi_procedure_dup_name (*task));
  return names;
}

static GimpProcedure *
sumi_plugin_create_procedure (GimpPlugIn *plug_in, const char *name)
{
  const SumiTaskClass *task = sumi_procedure_find_task (name);
  g_autofree char *help = task ? sumi_procedure_dup_help (task) : NULL;
  GimpProcedure *p;

  if (! task)
    return NULL;
  p = gimp_image_procedure_new (plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN, sumi_plugin_run, NULL, NULL);
  gimp_procedure_set_image_types (p, SUMI_PLUGIN_TYPES);
  gimp_procedure_set_sensitivity_mask (p, GIMP_PROCEDURE_SENSITIVE_DRAWABLE);
  gimp_procedure_set_menu_label (p, _ (task->label));
  gimp_procedure_add_menu_path (p, SUMI_PLUGIN_MENU);
  gimp_procedure_set_documentation (p, _ (task->blurb), help, name);
  gimp_procedure_set_attribution (p, SUMI_PLUGIN_AUTHOR, SUMI_PLUGIN_AUTHOR, SUMI_PLUGIN_YEAR);
  if (task->flags & SUMI_TASK_HINTS)
    gimp_procedure_add_drawable_argument (p, SUMI_PLUGIN_HINTS_KEY, _ ("Colour _hints"), _ (SUMI_PLUGIN_HINTS_BLURB),
                                          TRUE, G_PARAM_READWRITE);
  for (const SumiOption *o = task->options; o->key; o++)
    add_argument (p, o);
  gimp_procedure_add_layer_return_value (p, "layer", _ ("Layer"), _ ("The new layer, or the group of the candidates"),
                                         FALSE, G_PARAM_READWRITE);
  gimp_procedure_add_core_object_array_return_value (p, "layers", _ ("Layers"), _ ("The new layers, best first"),
                                                     GIMP_TYPE_LAYER, G_PARAM_READWRITE);
  return p;
}

/* set_i18n is left alone: the domain is the folder's name, the catalogs are in its "locale" */
static void
sumi_plugin_class_init (SumiPluginClass *klass)
{
  GIMP_PLUG_IN_CLASS (klass)->query_procedures = sumi_plugin_query_procedures;
  GIMP_PLUG_IN_CLASS (klass)->create_procedure = sumi_plugin_create_procedure;
}

static void
sumi_plugin_init (SumiPlugin *self)
{
}

GIMP_MAIN (SUMI_TYPE_PLUGIN)
