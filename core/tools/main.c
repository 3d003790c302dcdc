/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command `sumi`: finds the subcommand. */
#include <glib/gi18n-lib.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "core/sumi.h"
#include "core/tools/cli.h"
#include "core/tools/command.h"

static const struct
{
  const char *key, *blurb; /* blurb N_() */
  int (*run) (int argc, char **argv);
} commands[] = {
  { "bench", N_ ("Measure how fast this machine is, and Sumi on it"), sumi_command_bench },
  { "inspect", N_ ("Say what a model file is"), sumi_command_inspect },
  { "list", N_ ("List tasks, samplers, methods, models, options and what else there is"), sumi_command_list },
  { "simulate", N_ ("Run a sampler on small data whose denoiser is known exactly"), sumi_command_simulate },
  { "tune", N_ ("Measure how well a model denoises, for the schedule dp"), sumi_command_tune },
};

static char *
dup_help (void)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%s\n\n%s\n\n%s\n", _ ("Usage: sumi COMMAND [ARGUMENT...]"),
                          _ ("Sumi fills, upscales and colorizes photos, on this computer and without a network."),
                          _ ("Commands:"));
  for (const SumiTaskClass *const *t = sumi_tasks (); *t; t++)
    {
      g_autofree char *left = g_strdup_printf ("  %s", (*t)->key);

      sumi_cli_append_row (text, left, _ ((*t)->blurb));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      g_autofree char *left = g_strdup_printf ("  %s", commands[i].key);

      sumi_cli_append_row (text, left, _ (commands[i].blurb));
    }
  g_string_append_printf (text, "\n%s\n", _ ("Options:"));
  sumi_cli_append_row (text, "  --version", _ ("Print the version"));
  sumi_cli_append_row (text, "  -h, --help", _ ("Print this page; “sumi COMMAND --help” prints that command's"));
  g_string_append_printf (text, "\n%s\n", _ ("Examples:"));
  for (const SumiTaskClass *const *t = sumi_tasks (); *t; t++)
    g_string_append_printf (text, "  sumi %s photo.jpg%s%s%s -o result.png\n", (*t)->key,
                            (*t)->flags & SUMI_TASK_MASK_NEEDED ? " --mask mask.png" : "", (*t)->example ? " " : "",
                            (*t)->example ? (*t)->example : "");
  sumi_command_append_notes (text);
  return g_string_free (text, FALSE);
}

static int
fail_unknown (const char *word)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  const char *guess;

  for (const SumiTaskClass *const *t = sumi_tasks (); *t; t++)
    g_ptr_array_add (keys, (gpointer) (*t)->key);
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    g_ptr_array_add (keys, (gpointer) commands[i].key);
  g_ptr_array_add (keys, NULL);
  guess = sumi_cli_guess (word, (const char *const *) keys->pdata);
  if (guess)
    fprintf (stderr, _ ("sumi: there is no command “%s”; did you mean “%s”? “sumi --help” lists them\n"), word, guess);
  else
    fprintf (stderr, _ ("sumi: there is no command “%s”; “sumi --help” lists them\n"), word);
  return SUMI_EXIT_USAGE;
}

int
main (int argc, char **argv)
{
  const char *word = argc > 1 ? argv[1] : "";
  const SumiTaskClass *task;

  setlocale (LC_ALL, "");
  /* numbers are written and read the same everywhere */
  setlocale (LC_NUMERIC, "C");
  bindtextdomain (GETTEXT_PACKAGE, SUMI_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  if (! strcmp (word, "--version"))
    {
      puts ("sumi " SUMI_VERSION);
      return 0;
    }
  if (! strcmp (word, "help") && argc > 2)
    {
      static char help[] = "--help";

      word = argv[1] = argv[2];
      argv[2] = help;
    }
  if (! strcmp (word, "--help") || ! strcmp (word, "-h") || ! strcmp (word, "help"))
    {
      g_autofree char *help = dup_help ();

      fputs (help, stdout);
      return 0;
    }
  if (! *word)
    {
      fprintf (stderr, _ ("sumi: say what to do; “sumi --help” lists the commands\n"));
      return SUMI_EXIT_USAGE;
    }
  task = sumi_task_find (word);
  if (task)
    return sumi_command_task (task, argc - 2, argv + 2);
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (! strcmp (word, commands[i].key))
      return commands[i].run (argc - 2, argv + 2);
  return fail_unknown (word);
}
