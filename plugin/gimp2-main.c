/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registration in GIMP 2.10: a procedure per task. Arguments by position: run-mode, image, drawable, hints (tasks that
 * take colour strokes), then the task's options in table order. Returns the new layer (or the group of candidates),
 * and the number and array of all new layers. */
#include <glib/gi18n-lib.h>
#include <libgimp/gimp.h>
#include <libintl.h>
#include <string.h>

#include "plugin/procedures.h"
#include "plugin/run.h"

#define FIRST_ARGUMENTS 3

static void query (void);
static void run (const char *name, int n_params, const GimpParam *params, int *n_values, GimpParam **values);

const GimpPlugInInfo PLUG_IN_INFO = { NULL, NULL, query, run };

MAIN ()

static void
start_translations (void)
{
  g_autofree char *locale = sumi_plugin_dup_folder ("locale");

  bindtextdomain (GETTEXT_PACKAGE, locale);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
}

/* ---- registration -------------------------------------------------------- */

static GimpPDBArgType
argument_type (const SumiOption *option)
{
  switch (option->type)
    {
    case SUMI_OPTION_BOOL:
    case SUMI_OPTION_INT:
      return GIMP_PDB_INT32;
    case SUMI_OPTION_DOUBLE:
      return GIMP_PDB_FLOAT;
    case SUMI_OPTION_CHOICE:
    case SUMI_OPTION_STRING:
    case SUMI_OPTION_SIZE:
      break;
    }
  return GIMP_PDB_STRING;
}

static void
add_param (GArray *params, GimpPDBArgType type, const char *name, const char *help)
{
  GimpParamDef def = { type, g_strdup (name), g_strdup (help) };

  g_array_append_val (params, def);
}

static GArray *
list_params (const SumiTaskClass *task)
{
  GArray *params = g_array_new (FALSE, FALSE, sizeof (GimpParamDef));

  add_param (params, GIMP_PDB_INT32, "run-mode", "RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1), RUN-WITH-LAST-VALS (2)");
  add_param (params, GIMP_PDB_IMAGE, "image", "Image");
  add_param (params, GIMP_PDB_DRAWABLE, "drawable", "The layer to read");
  if (task->flags & SUMI_TASK_HINTS)
    add_param (params, GIMP_PDB_DRAWABLE, SUMI_PLUGIN_HINTS_KEY,
               "Layer with strokes of colour; where it is opaque the result takes its colour; -1 is none");
  for (const SumiOption *o = task->options; o->key; o++)
    {
      g_autofree char *help = sumi_argument_dup_help (o);

      add_param (params, argument_type (o), o->key, help);
    }
  return params;
}

static void
install (const SumiTaskClass *task)
{
  static const GimpParamDef returns[] = {
    { GIMP_PDB_LAYER, (char *) "layer", (char *) "The new layer, or the group of the candidates" },
    { GIMP_PDB_INT32, (char *) "n-layers", (char *) "Number of new layers" },
    { GIMP_PDB_INT32ARRAY, (char *) "layers", (char *) "The new layers, best first" },
  };
  g_autofree char *name = sumi_procedure_dup_name (task);
  g_autofree char *help = sumi_procedure_dup_help (task);
  g_autoptr (GArray) params = list_params (task);

  /* GIMP translates label and blurb itself, with our domain */
  gimp_install_procedure (name, task->blurb, help, SUMI_PLUGIN_AUTHOR, SUMI_PLUGIN_AUTHOR, SUMI_PLUGIN_YEAR,
                          task->label, SUMI_PLUGIN_TYPES, GIMP_PLUGIN, (int) params->len, G_N_ELEMENTS (returns),
                          (GimpParamDef *) (void *) params->data, returns);
  gimp_plugin_menu_register (name, SUMI_PLUGIN_MENU);
  for (guint i = 0; i < params->len; i++)
    {
      g_free (g_array_index (params, GimpParamDef, i).name);
      g_free (g_array_index (params, GimpParamDef, i).description);
    }
}

static void
query (void)
{
  g_autofree char *locale = sumi_plugin_dup_folder ("locale");

  gimp_plugin_domain_register (GETTEXT_PACKAGE, locale);
  for (const SumiTaskClass *const *task = sumi_tasks (); *task; task++)
    install (*task);
}

/* ---- arguments ----------------------------------------------------------- */

static gboolean
read_params (SumiCall *call, int n_params, const GimpParam *params, GError **error)
{
  int i = FIRST_ARGUMENTS;
  int needed = i + ((call->task->flags & SUMI_TASK_HINTS) != 0);

  for (const SumiOption *o = call->task->options; o->key; o++)
    needed++;
  if (n_params != needed)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("%d arguments came, %d are needed"), n_params, needed);
      return FALSE;
    }
  if (call->task->flags & SUMI_TASK_HINTS)
    call->hints = params[i++].data.d_drawable;
  for (const SumiOption *o = call->task->options; o->key; o++, i++)
    {
      const GimpPDBArgType type = argument_type (o);

      if (type == GIMP_PDB_STRING)
        {
          if (! sumi_option_set_text (o, call->options, params[i].data.d_string ? params[i].data.d_string : "", error))
            return FALSE;
        }
      else if (! sumi_option_set_number (
                   o, call->options, type == GIMP_PDB_FLOAT ? params[i].data.d_float : params[i].data.d_int32, error))
        return FALSE;
    }
  return TRUE;
}

static void
load_last_values (SumiCall *call, const char *name)
{
  const int size = gimp_get_data_size (name);
  g_autofree char *text = size > 0 ? g_malloc0 ((gsize) size + 1) : NULL;

  if (text && gimp_get_data (name, text))
    sumi_arguments_load_text (call->task, call->options, &call->hints, text);
  /* a layer of an image that is gone */
  if (! (call->hints > 0 && gimp_item_is_valid (call->hints) && gimp_item_get_image (call->hints) == call->image))
    call->hints = SUMI_HOST_NONE;
}

static void
save_last_values (const SumiCall *call, const char *name)
{
  g_autofree char *text = sumi_arguments_dup_text (call->task, call->options, call->hints);

  gimp_set_data (name, text, (guint32) strlen (text));
}

/* ---- running ------------------------------------------------------------- */

static gboolean
run_call (SumiCall *call, const char *name, GimpRunMode mode, int n_params, const GimpParam *params, GError **error)
{
  if (mode == GIMP_RUN_NONINTERACTIVE)
    {
      if (! read_params (call, n_params, params, error))
        return FALSE;
    }
  else
    load_last_values (call, name);
  if (! sumi_call_run (call, error))
    return FALSE;
  if (mode == GIMP_RUN_INTERACTIVE)
    save_last_values (call, name);
  return TRUE;
}

static void
fill_values (GimpParam *values, int *n_values, const SumiCall *call, const GError *error)
{
  values[0].type = GIMP_PDB_STATUS;
  if (! error)
    {
      values[0].data.d_status = GIMP_PDB_SUCCESS;
      values[1].type = GIMP_PDB_LAYER;
      values[1].data.d_layer = call->layer;
      values[2].type = GIMP_PDB_INT32;
      values[2].data.d_int32 = (int) call->layers->len;
      values[3].type = GIMP_PDB_INT32ARRAY;
      values[3].data.d_int32array = (int *) (void *) call->layers->data;
      *n_values = 4;
      return;
    }
  *n_values = 1;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      values[0].data.d_status = GIMP_PDB_CANCEL;
      return;
    }
  values[0].data.d_status = sumi_error_is_calling (error) ? GIMP_PDB_CALLING_ERROR : GIMP_PDB_EXECUTION_ERROR;
  values[1].type = GIMP_PDB_STRING;
  values[1].data.d_string = error->message;
  *n_values = 2;
}

/* GIMP reads the values after run() has returned, so what they point to stays. */
static void
run (const char *name, int n_params, const GimpParam *params, int *n_values, GimpParam **values)
{
  static GimpParam list[4];
  static SumiCall call;
  static GError *error;
  static int drawable;
  const GimpRunMode mode = n_params > 0 ? params[0].data.d_int32 : GIMP_RUN_NONINTERACTIVE;

  sumi_plugin_start ();
  start_translations ();
  *values = list;
  drawable = n_params >= FIRST_ARGUMENTS ? params[2].data.d_drawable : SUMI_HOST_NONE;
  call = (SumiCall){
    .task = sumi_procedure_find_task (name),
    .image = n_params >= FIRST_ARGUMENTS ? params[1].data.d_image : SUMI_HOST_NONE,
    .drawables = &drawable,
    .n_drawables = drawable > 0,
    .hints = SUMI_HOST_NONE,
    .ask = mode == GIMP_RUN_INTERACTIVE,
    .show = mode != GIMP_RUN_NONINTERACTIVE,
  };
  if (! call.task)
    g_set_error (&error, SUMI_ERROR, SUMI_ERROR_OPTION, "there is no task for “%s”", name);
  else
    {
      call.options = sumi_task_new_options (call.task);
      run_call (&call, name, mode, n_params, params, &error);
      sumi_task_free_options (call.task, call.options);
    }
  fill_values (list, n_values, &call, error);
}
