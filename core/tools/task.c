/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One command for every task: sumi TASK PHOTO... -o OUT. All that differs between tasks is in their tables. */
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>

#include "core/sumi.h"
#include "core/tools/batch.h"
#include "core/tools/cli.h"
#include "core/tools/command.h"
#include "core/tools/interrupt.h"

/* The command's own options; a text row's unit is its name in the help. */
static const SumiOption own_options[] = {
  { .key = "output",
    .blurb = N_ ("File to write; with several photos, or ending in “/”, a folder that keeps their names"),
    .unit = N_ ("OUT"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (SumiBatchOptions, output) },
  { .key = "mask",
    .blurb = N_ ("Picture of the photo's size: white is to be filled, black is kept, "
                 "grey is filled in part; or a folder with one of the same name for each photo"),
    .unit = N_ ("MASK"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (SumiBatchOptions, mask) },
  { .key = "hints",
    .blurb = N_ ("Picture of the photo's size: transparent but for strokes in the colour that "
                 "belongs there; or a folder with one of the same name for each photo"),
    .unit = N_ ("PNG"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (SumiBatchOptions, hints) },
  { .key = "json",
    .blurb = N_ ("Print one line of JSON a photo: files written, size, seconds, recipe"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (SumiBatchOptions, json),
    .max = 1 },
  { .key = "dry-run",
    .blurb = N_ ("Say how much memory each photo will take, and change nothing"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (SumiBatchOptions, dry_run),
    .max = 1 },
  { .key = "quiet",
    .blurb = N_ ("No progress; only errors are printed"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (SumiBatchOptions, quiet),
    .max = 1 },
  { .key = "help",
    .blurb = N_ ("Print this page"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (SumiBatchOptions, help),
    .max = 1 },
  { NULL },
};

static gboolean
takes_mask (const SumiTaskClass *task)
{
  return (task->flags & (SUMI_TASK_MASK_NEEDED | SUMI_TASK_MASK_OPTIONAL)) != 0;
}

/* @table: [G_N_ELEMENTS (own_options)], receives the rows that @task has a use for. */
static void
own_table (const SumiTaskClass *task, SumiOption *table)
{
  for (gsize i = 0; i < G_N_ELEMENTS (own_options); i++)
    {
      const char *key = own_options[i].key;

      if ((! g_strcmp0 (key, "mask") && ! takes_mask (task)) ||
          (! g_strcmp0 (key, "hints") && ! (task->flags & SUMI_TASK_HINTS)))
        continue;
      *table++ = own_options[i];
    }
}

/* ---- help ------------------------------------------------------------- */

static void
append_examples (GString *text, const SumiTaskClass *task)
{
  const gboolean needs_mask = task->flags & SUMI_TASK_MASK_NEEDED;
  const char *mask = needs_mask ? " --mask mask.png" : "";
  g_autofree char *base = task->example ? g_strconcat (" ", task->example, NULL) : g_strdup ("");
  const SumiOption *first = task->options;

  g_string_append_printf (text, "\n%s\n  sumi %s photo.jpg%s%s -o result.png\n", _ ("Examples:"), task->key, mask,
                          base);
  if (takes_mask (task) && ! needs_mask)
    g_string_append_printf (text, "  sumi %s photo.jpg --mask mask.png -o result.png\n", task->key);
  if (task->flags & SUMI_TASK_HINTS)
    g_string_append_printf (text, "  sumi %s photo.jpg%s --hints strokes.png -o result.png\n", task->key, base);
  /* the first thing to turn: at its second choice, or its largest value */
  if (first->key && (first->type == SUMI_OPTION_INT || first->type == SUMI_OPTION_DOUBLE) && first->max <= 1000)
    g_string_append_printf (text, "  sumi %s photo.jpg%s --%s %.10g -o result.tif\n", task->key, mask, first->key,
                            first->max);
  else if (first->key && first->type == SUMI_OPTION_CHOICE && sumi_option_get_choices (first)->key &&
           sumi_option_get_choices (first)[1].key)
    g_string_append_printf (text, "  sumi %s photo.jpg%s --%s %s -o result.tif\n", task->key, mask, first->key,
                            sumi_option_get_choices (first)[1].key);
  g_string_append_printf (text, "  sumi %s *.jpg%s%s -o folder --json\n", task->key, needs_mask ? " --mask masks/" : "",
                          base);
}

char *
sumi_command_task_dup_help (const SumiTaskClass *task)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GString) advanced = g_string_new (NULL);
  g_autofree char *about = g_strconcat (_ (task->blurb), ".", NULL);
  SumiOption own[G_N_ELEMENTS (own_options)];

  own_table (task, own);
  g_string_append_printf (text, _ ("Usage: sumi %s PHOTO... %s-o OUT [OPTION...]\n\n"), task->key,
                          task->flags & SUMI_TASK_MASK_NEEDED ? "--mask MASK " : "");
  sumi_cli_append_paragraph (text, about);
  g_string_append_printf (text, "\n%s\n", _ ("Options:"));
  sumi_cli_describe (text, own, 0);
  sumi_cli_describe (text, task->options, 0);
  if (sumi_cli_describe (advanced, task->options, SUMI_OPTION_ADVANCED))
    g_string_append_printf (text, "\n%s\n%s", _ ("Advanced options:"), advanced->str);
  sumi_cli_append_row (text, "  --KEY VALUE",
                       _ ("Any setting of the sampler, schedule or method in use, such as --eta 0.5: short for "
                          "--settings KEY=VALUE"));
  append_examples (text, task);
  g_string_append_printf (text, "\n%s\n", _ ("Files:"));
  sumi_cli_append_row (
      text, "  in",
      _ ("PNG, JPEG, WebP, TIFF and what else libvips reads; RGB or grey, 8 bits, 16 bits or float. The EXIF "
         "orientation of photo, mask and hints is applied. Float without a profile is linear light."));
  sumi_cli_append_row (
      text, "  out",
      _ ("PNG, JPEG, WebP or TIFF, by the name's ending, in the photo's own precision where the format has it, with "
         "its profile, EXIF, XMP and resolution. PNG and TIFF keep untouched pixels bit for bit, WebP those that can "
         "be seen; JPEG (quality "
         "95, 4:4:4) compresses the whole picture again."));
  if (sumi_option_find (task->options, "candidates"))
    sumi_cli_append_row (text, "  candidates", _ ("More than one go to OUT-1.png, OUT-2.png and so on."));
  sumi_command_append_notes (text);
  return g_string_free (text, FALSE);
}

/* ---- run -------------------------------------------------------------- */

static gboolean
check_use (const SumiTaskClass *task, const SumiBatchOptions *own, GPtrArray *photos, GError **error)
{
  const char *missing = NULL;

  if (! photos->len)
    missing = _ ("PHOTO");
  else if (! *own->output)
    missing = "-o OUT";
  else if ((task->flags & SUMI_TASK_MASK_NEEDED) && ! *own->mask)
    missing = "--mask MASK";
  if (! missing)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("%s is missing; “sumi %s --help” shows how"), missing,
               task->key);
  return FALSE;
}

int
sumi_command_task (const SumiTaskClass *task, int argc, char **argv)
{
  SumiOption own[G_N_ELEMENTS (own_options)];
  SumiBatchOptions values;
  gpointer options = sumi_task_new_options (task);
  g_autoptr (GPtrArray) photos = g_ptr_array_new ();
  SumiCliGroup groups[] = { { own, &values }, { task->options, options }, { NULL, NULL } };
  GError *error = NULL;
  int status = 0;

  own_table (task, own);
  sumi_options_init (own_options, &values);
  if (sumi_cli_wants_help (argc, argv))
    {
      g_autofree char *help = sumi_command_task_dup_help (task);

      fputs (help, stdout);
    }
  else if (! sumi_cli_parse (argc, argv, groups, photos, &error) || ! check_use (task, &values, photos, &error))
    status = sumi_command_fail (task->key, error);
  else
    {
      g_ptr_array_add (photos, NULL);
      status = sumi_batch_run (task, options, &values, (const char *const *) photos->pdata);
    }
  sumi_options_clear (own_options, &values);
  sumi_task_free_options (task, options);
  return status;
}
