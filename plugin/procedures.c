/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plugin/procedures.h"

#include <glib/gi18n-lib.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "plug-in-sumi-"

char *
sumi_procedure_dup_name (const SumiTaskClass *task)
{
  return g_strconcat (PREFIX, task->key, NULL);
}

const SumiTaskClass *
sumi_procedure_find_task (const char *name)
{
  return g_str_has_prefix (name, PREFIX) ? sumi_task_find (name + strlen (PREFIX)) : NULL;
}

char *
sumi_procedure_dup_help (const SumiTaskClass *task)
{
  GString *s = g_string_new (NULL);

  g_string_append_printf (s, "%s. ", task->blurb);
  if (task->flags & SUMI_TASK_MASK_NEEDED)
    g_string_append (s, "The selection says where; soft selections act in part. ");
  else if (task->flags & SUMI_TASK_MASK_OPTIONAL)
    g_string_append (s, "The selection, if any, says what is to be filled. ");
  else if (! (task->flags & SUMI_TASK_RESIZES))
    g_string_append (s, "A selection becomes the layer mask of the result. ");
  if (task->flags & SUMI_TASK_HINTS)
    g_string_append (s, "A grey image becomes RGB when the result has colour. ");
  if (task->flags & SUMI_TASK_RESIZES)
    g_string_append (s, "Where the result is larger than the layer, canvas and layers are enlarged with it. ");
  g_string_append (s,
                   "The result is a new layer above the given one, in one undo step; the given layer keeps its pixels. "
                   "The recipe is stored on it as the parasite \"" SUMI_PLUGIN_PARASITE "\".");
  return g_string_free (s, FALSE);
}

char *
sumi_argument_dup_help (const SumiOption *option)
{
  g_autofree char *range = sumi_option_dup_range (option);

  return g_strdup_printf ("%s (%s)", option->blurb, range);
}

char *
sumi_arguments_dup_text (const SumiTaskClass *task, gconstpointer options, int hints)
{
  GString *s = g_string_new (NULL);

  for (const SumiOption *o = task->options; o->key; o++)
    {
      g_autofree char *value = sumi_option_dup_text (o, options);
      g_autofree char *escaped = g_strescape (value, NULL);

      g_string_append_printf (s, "%s=%s\n", o->key, escaped);
    }
  if (task->flags & SUMI_TASK_HINTS)
    g_string_append_printf (s, SUMI_PLUGIN_HINTS_KEY "=%d\n", hints);
  return g_string_free (s, FALSE);
}

void
sumi_arguments_load_text (const SumiTaskClass *task, gpointer options, int *hints, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (char **line = lines; *line; line++)
    {
      char *equals = strchr (*line, '=');
      g_autofree char *value = equals ? g_strcompress (equals + 1) : NULL;
      const SumiOption *o = NULL;

      if (! equals)
        continue;
      *equals = '\0';
      if (! strcmp (*line, SUMI_PLUGIN_HINTS_KEY))
        *hints = atoi (value);
      else if ((o = sumi_option_find (task->options, *line)))
        sumi_option_set_text (o, options, value, NULL);
    }
}
