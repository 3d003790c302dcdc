/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sumi bench [WHAT...]: how fast this machine is, and what of that is used. */
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>

#include "core/bench/bench.h"
#include "core/sumi.h"
#include "core/tools/bench-print.h"
#include "core/tools/cli.h"
#include "core/tools/command.h"
#include "core/tools/interrupt.h"

typedef struct
{
  int threads;
  double seconds;
  char *precision, *filter;
  gboolean list, json, help;
} Options;

static const SumiChoice precisions[] = { { "f32", N_ ("32 bits") }, { "bf16", N_ ("16 bits") }, { NULL } };

static const SumiOption options[] = {
  { .key = "threads",
    .blurb = N_ ("Processor threads to use; 0 is all of them"),
    .type = SUMI_OPTION_INT,
    .offset = G_STRUCT_OFFSET (Options, threads),
    .max = 256 },
  { .key = "seconds",
    .blurb = N_ ("How long each row is repeated, about"),
    .type = SUMI_OPTION_DOUBLE,
    .offset = G_STRUCT_OFFSET (Options, seconds),
    .max = 3600,
    .value = 0.5 },
  { .key = "precision",
    .blurb = N_ ("What products of ops and networks round their factors to; tasks choose for themselves"),
    .type = SUMI_OPTION_CHOICE,
    .offset = G_STRUCT_OFFSET (Options, precision),
    .text = "f32",
    .choices = precisions },
  { .key = "filter",
    .blurb = N_ ("Only rows with this text in their names, such as “unet conv3x3”"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, filter) },
  { .key = "list",
    .blurb = N_ ("Only say what would be measured"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (Options, list),
    .max = 1 },
  { .key = "json",
    .blurb = N_ ("Print one object of JSON"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (Options, json),
    .max = 1 },
  { .key = "help",
    .blurb = N_ ("Print this page"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (Options, help),
    .max = 1 },
  { NULL },
};

static void
clear (Options *values)
{
  sumi_options_clear (options, values);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear)

static const char *const titles[] = {
  [SUMI_BENCH_MACHINE] = N_ ("What the machine can do: products, copying, cache; one thread and all"),
  [SUMI_BENCH_OPS] = N_ ("Single ops, in every shape that the networks have"),
  [SUMI_BENCH_NETWORKS] = N_ ("Whole calls of networks, and the search of “patches”"),
  [SUMI_BENCH_TASKS] = N_ ("Whole tasks on photos in memory"),
};

static void
print_help (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%s\n\n", _ ("Usage: sumi bench [WHAT...] [OPTION...]"));
  sumi_cli_append_paragraph (text, _ ("Measures how fast Sumi is on this machine; everything when no WHAT is named. "
                                      "“best” and “median” are times of one run, “cpu” the processor time of all "
                                      "threads together. “peak %” is the share of the products that the machine can "
                                      "do in that time, “cpu %” the same reckoned from the processor time: what other "
                                      "programs took does not count, nor do threads that waited."));
  g_string_append_printf (text, "\n%s\n", _ ("WHAT is:"));
  for (int i = 0; i < SUMI_BENCH_N_SECTIONS; i++)
    {
      g_autofree char *left = g_strdup_printf ("  %s", sumi_bench_sections[i]);

      sumi_cli_append_row (text, left, _ (titles[i]));
    }
  g_string_append_printf (text, "\n%s\n", _ ("Options:"));
  sumi_cli_describe (text, options, 0);
  g_string_append_printf (text, "\n%s\n%s", _ ("Examples:"),
                          "  sumi bench machine --seconds 0.1\n"
                          "  sumi bench ops --filter \"restore conv1x1\" --threads 1\n"
                          "  sumi bench --list --json\n");
  sumi_command_append_notes (text);
  fputs (text->str, stdout);
}

/* Which sections @words name: bits; all when there are none. */
static gboolean
read_words (const GPtrArray *words, guint *sections, GError **error)
{
  *sections = words->len ? 0 : (1u << SUMI_BENCH_N_SECTIONS) - 1;
  for (guint w = 0; w < words->len; w++)
    {
      const char *word = words->pdata[w];
      int i = 0;

      while (i < SUMI_BENCH_N_SECTIONS && strcmp (word, sumi_bench_sections[i]))
        i++;
      if (i == SUMI_BENCH_N_SECTIONS)
        {
          const char *guess = sumi_cli_guess (word, sumi_bench_sections);
          g_autofree char *all = g_strjoinv (", ", (char **) sumi_bench_sections);

          g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                       _ ("nothing called “%s” is measured; did you mean “%s”? There are %s"), word,
                       guess ? guess : sumi_bench_sections[0], all);
          return FALSE;
        }
      *sections |= 1u << i;
    }
  return TRUE;
}

static gboolean
run (SumiBench *bench, guint sections, SumiBenchPrint *print, GError **error)
{
  for (int i = 0; i < SUMI_BENCH_N_SECTIONS; i++)
    if (sections >> i & 1)
      {
        sumi_bench_print_section (print, (SumiBenchSection) i, _ (titles[i]));
        if (! sumi_bench_run (bench, (SumiBenchSection) i, error))
          return FALSE;
      }
  if (! print->rows)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                   _ ("no row has “%s” in its name; “sumi bench --list” names them"), bench->filter);
      return FALSE;
    }
  sumi_bench_print_end (bench);
  return TRUE;
}

int
sumi_command_bench (int argc, char **argv)
{
  g_auto (Options) values = { 0 };
  const SumiCliGroup groups[] = { { options, &values }, { NULL, NULL } };
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  SumiBenchPrint print = { 0 };
  SumiBench bench = { .cancellable = cancellable, .row = sumi_bench_print_row, .user_data = &print };
  guint sections = 0;
  GError *error = NULL;

  sumi_options_init (options, &values);
  if (sumi_cli_wants_help (argc, argv))
    {
      print_help ();
      return 0;
    }
  if (! sumi_cli_parse (argc, argv, groups, words, &error) || ! read_words (words, &sections, &error))
    return sumi_command_fail ("bench", error);
  bench.threads = values.threads;
  bench.seconds = values.seconds;
  bench.bf16 = ! strcmp (values.precision, "bf16");
  bench.filter = *values.filter ? values.filter : NULL;
  bench.list = values.list;
  print.json = values.json;
  sumi_interrupt_start (cancellable);
  if (! run (&bench, sections, &print, &error))
    return sumi_command_fail ("bench", error);
  return 0;
}
