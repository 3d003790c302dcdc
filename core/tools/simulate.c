/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sumi simulate: runs a sampler on data whose denoiser is known exactly. */
#include "core/tools/simulate.h"

#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>

#include "core/sumi.h"
#include "core/tools/cli.h"
#include "core/tools/command.h"
#include "core/tools/interrupt.h"
#include "core/tools/output.h"

typedef SumiSimulateOptions Options;

static const SumiOption options[] = {
  { .key = "data",
    .blurb = N_ ("What is sampled: gaussian:MEAN,STD, or mixture:WEIGHT,MEAN,STD;WEIGHT,MEAN,STD…, or points:FILE with "
                 "one point a line, its coordinates parted by commas or blanks"),
    .unit = N_ ("DATA"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, data) },
  { .key = "start",
    .blurb = N_ ("States at the largest σ, V,V…; where data has more dimensions V,V;V,V…"),
    .unit = N_ ("V,V…"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, start) },
  { .key = "samples",
    .blurb = N_ ("Without --start: how many states to draw, normal with the largest σ"),
    .type = SUMI_OPTION_INT,
    .offset = G_STRUCT_OFFSET (Options, samples),
    .min = 1,
    .max = 65536,
    .value = 4096 },
  { .key = "steps",
    .blurb = N_ ("Denoising steps, the last one to σ = 0"),
    .type = SUMI_OPTION_INT,
    .offset = G_STRUCT_OFFSET (Options, steps),
    .min = 1,
    .max = 10000,
    .value = 20 },
  { .key = "sigma-min",
    .blurb = N_ ("Smallest noise level above 0; 0 takes the process' own, 0.002 of edm"),
    .type = SUMI_OPTION_DOUBLE,
    .offset = G_STRUCT_OFFSET (Options, sigma_min),
    .max = 1e6 },
  { .key = "sigma-max",
    .blurb = N_ ("Largest noise level; 0 takes the process' own, 80 of edm"),
    .type = SUMI_OPTION_DOUBLE,
    .offset = G_STRUCT_OFFSET (Options, sigma_max),
    .max = 1e6 },
  { .key = "sampler",
    .blurb = N_ ("How a step is made: “sumi list samplers”"),
    .unit = N_ ("WHICH"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, sampler),
    .text = "euler" },
  { .key = "schedule",
    .blurb = N_ ("How noise levels fall: “sumi list schedules”"),
    .unit = N_ ("WHICH"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, schedule),
    .text = "karras" },
  { .key = "process",
    .blurb = N_ ("Whose time and coordinates steps go by: “sumi list processes”"),
    .unit = N_ ("WHICH"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, process),
    .text = "edm" },
  { .key = "guidance",
    .blurb = N_ ("Guidance by a condition: “sumi list guidance”; several are stacked, the innermost first"),
    .unit = N_ ("WHICH"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, guidance) },
  { .key = "condition",
    .blurb = N_ ("Conditions of the guidance: from which parts of the data the state shall come, numbered from 1; "
                 "“2”, “1+3” for one or the other, and several with their weights, “1+3:1.5, 2:-0.5”"),
    .unit = N_ ("PARTS"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, condition) },
  { .key = "negative",
    .blurb = N_ ("Parts that a guidance leads away from, in the place of all data"),
    .unit = N_ ("PARTS"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, negative) },
  { .key = "wish",
    .blurb = N_ ("What the guidance gradient pulls to: a value of x0, a number for each dimension, and how far results "
                 "may be from it, as a standard deviation"),
    .unit = N_ ("V…,STD"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, wish) },
  { .key = "wish-spread",
    .blurb = N_ ("The standard deviation of the data, for --wish to count what noise still hides; 0 does not count it"),
    .type = SUMI_OPTION_DOUBLE,
    .offset = G_STRUCT_OFFSET (Options, wish_spread),
    .max = 1e6 },
  { .key = "settings",
    .blurb = N_ ("Settings of sampler, schedule and guidance, “eta=0.5, rho=5, cfg-scale=2”; their lists name them"),
    .unit = N_ ("KEY=VALUE…"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, settings) },
  { .key = "likelihood",
    .blurb = N_ ("Instead of a run: bits per dimension of these values by the probability-flow ODE, beside the exact "
                 "ones"),
    .unit = N_ ("V,V…"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, likelihood) },
  { .key = "invert",
    .blurb = N_ ("Instead of a run: the states at the largest σ that the sampler ddim makes these values from"),
    .unit = N_ ("V,V…"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, invert) },
  { .key = "churn",
    .blurb = N_ ("Share of fresh noise in each step"),
    .type = SUMI_OPTION_DOUBLE,
    .offset = G_STRUCT_OFFSET (Options, churn),
    .max = 1 },
  { .key = "seed",
    .blurb = N_ ("Another seed gives other noise, the same seed the same"),
    .type = SUMI_OPTION_INT,
    .offset = G_STRUCT_OFFSET (Options, seed),
    .max = G_MAXINT },
  { .key = "threads",
    .blurb = N_ ("Processor threads to use; 0 is all of them"),
    .type = SUMI_OPTION_INT,
    .offset = G_STRUCT_OFFSET (Options, threads),
    .max = 256 },
  { .key = "json",
    .blurb = N_ ("Print every state of every sample with 17 digits: {\"sigmas\": […], \"states\": [[…], …]}, one list "
                 "of states for each σ, the last at σ = 0; a state is a list itself where data has more dimensions"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (Options, json),
    .max = 1 },
  { .key = "svg",
    .blurb = N_ ("Draw some paths, and all ends against the truth, into FILE"),
    .unit = N_ ("FILE"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, svg) },
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

static void
print_help (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%s\n\n", _ ("Usage: sumi simulate --data DATA [OPTION...]"));
  sumi_cli_append_paragraph (text, _ ("Runs a sampler on small data whose denoiser is known exactly, in double "
                                      "precision, and compares what comes out with the truth; or prints or draws every "
                                      "state on the way."));
  g_string_append_printf (text, "\n%s\n", _ ("Options:"));
  sumi_cli_describe (text, options, 0);
  g_string_append_printf (text, "\n%s\n%s", _ ("Examples:"),
                          "  sumi simulate --data gaussian:1,0.5 --sampler heun --steps 10\n"
                          "  sumi simulate --data \"mixture:1,-2,0.3;2,1,0.5\" --start=-80,80 --json\n"
                          "  sumi simulate --data \"mixture:1,-2,0.3;2,1,0.5\" --sampler dpmpp-2m --svg paths.svg\n"
                          "  sumi simulate --data \"mixture:1,-2,0.3;2,1,0.5\" --likelihood=-2,0,1 --invert=-2,0,1\n"
                          "  sumi simulate --data \"mixture:1,-2,1;2,1,1\" --guidance cfg --condition 2 --settings "
                          "cfg-scale=2\n");
  sumi_command_append_notes (text);
  fputs (text->str, stdout);
}

static gboolean
write_svg (const SumiSimulation *simulation, SumiOutput *output, GError **error)
{
  g_autofree char *svg = sumi_simulation_dup_svg (simulation);
  g_autoptr (GFile) file = g_file_new_for_path (sumi_output_get_temporary (output));

  return g_file_replace_contents (file, svg, strlen (svg), NULL, FALSE, G_FILE_CREATE_NONE, NULL, NULL, error) &&
         sumi_output_commit (output, error);
}

static gboolean
run (const Options *values, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (SumiSimulation) simulation = sumi_simulation_new (values, error);
  g_autoptr (SumiOutput) output = simulation && *values->svg ? sumi_output_new (values->svg, error) : NULL;

  if (! simulation || (*values->svg && ! output))
    return FALSE;
  sumi_interrupt_start (cancellable);
  if (*values->likelihood || *values->invert)
    return sumi_simulation_print_back (simulation, cancellable, error);
  if (! sumi_simulation_run (simulation, cancellable, error) || (output && ! write_svg (simulation, output, error)))
    return FALSE;
  if (values->json)
    sumi_simulation_print_json (simulation);
  else if (! output)
    sumi_simulation_print (simulation);
  return TRUE;
}

int
sumi_command_simulate (int argc, char **argv)
{
  g_auto (Options) values = { NULL };
  const SumiCliGroup groups[] = { { options, &values }, { NULL, NULL } };
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  GError *error = NULL;

  sumi_options_init (options, &values);
  if (sumi_cli_wants_help (argc, argv))
    {
      print_help ();
      return 0;
    }
  if (! sumi_cli_parse (argc, argv, groups, words, &error))
    return sumi_command_fail ("simulate", error);
  if (words->len)
    {
      g_set_error (&error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("“%s” is one word too many; options begin with --"),
                   (const char *) words->pdata[0]);
      return sumi_command_fail ("simulate", error);
    }
  return run (&values, &error) ? 0 : sumi_command_fail ("simulate", error);
}
