/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sumi tune MODEL PHOTO...: measures how well a model denoises, and keeps that beside it for the schedule dp. */
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>

#include "core/sumi.h"
#include "core/tools/cli.h"
#include "core/tools/command.h"
#include "core/tools/interrupt.h"
#include "core/tools/output.h"
#include "core/tools/picture.h"
#include "core/tools/pictures.h"
#include "core/tools/progress.h"

#define STEPS 8 /* of the lists whose costs are printed */

typedef struct
{
  char *task, *factor, *output;
  int seed, threads;
  gboolean quiet, help;
} Options;

static const SumiChoice tasks[] = {
  { "all", N_ ("Every kind, enlarging two and four times") },
  { "colorize", N_ ("Colouring") },
  { "upscale", N_ ("Enlarging") },
  { "fill", N_ ("Filling") },
  { NULL },
};

static const SumiChoice factors[] = {
  { "2", N_ ("Twice") }, { "3", N_ ("Three times") }, { "4", N_ ("Four times") }, { "8", N_ ("Eight times") }, { NULL },
};

static const SumiOption options[] = {
  { .key = "task",
    .blurb = N_ ("What to measure for"),
    .type = SUMI_OPTION_CHOICE,
    .offset = G_STRUCT_OFFSET (Options, task),
    .text = "all",
    .choices = tasks },
  { .key = "factor",
    .blurb = N_ ("How many times to enlarge, with --task upscale"),
    .type = SUMI_OPTION_CHOICE,
    .offset = G_STRUCT_OFFSET (Options, factor),
    .text = "2",
    .choices = factors },
  { .key = "output",
    .blurb = N_ ("Where to keep the table; beside the model, where it is looked for, if this is not given"),
    .unit = N_ ("FILE"),
    .type = SUMI_OPTION_STRING,
    .offset = G_STRUCT_OFFSET (Options, output),
    .text = "" },
  { .key = "seed",
    .blurb = N_ ("Another seed takes other noise"),
    .type = SUMI_OPTION_INT,
    .offset = G_STRUCT_OFFSET (Options, seed),
    .max = G_MAXINT },
  { .key = "threads",
    .blurb = N_ ("Processor threads to use; 0 is all of them"),
    .type = SUMI_OPTION_INT,
    .offset = G_STRUCT_OFFSET (Options, threads),
    .max = 256 },
  { .key = "quiet",
    .blurb = N_ ("No progress; only errors are printed"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (Options, quiet),
    .max = 1 },
  { .key = "help",
    .blurb = N_ ("Print this page"),
    .type = SUMI_OPTION_BOOL,
    .offset = G_STRUCT_OFFSET (Options, help),
    .max = 1 },
  { NULL },
};

static void
options_clear (Options *values)
{
  sumi_options_clear (options, values);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* A kind of evidence to measure. */
typedef struct
{
  const char *task;
  SumiEvidenceFlags evidence;
  int factor;
} Kind;

/* Returns: how many. @kinds: [4] */
static int
choose_kinds (const Options *o, Kind *kinds)
{
  const int factor = (int) g_ascii_strtoll (o->factor, NULL, 10);
  const Kind all[] = {
    { "fill", SUMI_EVIDENCE_MISSING, 1 },
    { "colorize", SUMI_EVIDENCE_GREY, 1 },
    { "upscale", SUMI_EVIDENCE_COARSE, 2 },
    { "upscale", SUMI_EVIDENCE_COARSE, 4 },
  };

  if (! strcmp (o->task, "all"))
    {
      memcpy (kinds, all, sizeof all);
      return G_N_ELEMENTS (all);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    if (! strcmp (o->task, all[i].task))
      *kinds = all[i];
  if (kinds->evidence == SUMI_EVIDENCE_COARSE)
    kinds->factor = factor;
  return 1;
}

static double
cost_of (const char *schedule, const SumiModel *model, const SumiErrorTable *table)
{
  const SumiPlanNames names = { .sampler = "euler", .schedule = schedule };
  g_auto (SumiPlan) plan = { NULL };
  g_autofree double *sigmas = NULL;

  if (sumi_plan_init (&plan, &names, &names, NULL))
    sigmas = sumi_plan_dup_sigmas (&plan, STEPS, model->family->sigma_min, model->family->sigma_max, table, NULL);
  return sigmas ? sumi_error_cost (table, sigmas, STEPS) : 0;
}

static void
print_kind (const SumiModel *model, const Kind *kind, const double *sigmas, const double *errors)
{
  const SumiErrorTable table = { SUMI_TUNE_LEVELS, sigmas, errors };
  const double low = model->family->sigma_min, high = model->family->sigma_max;

  printf (
      _ ("%s ×%d: mean squared error %.4g at σ = %g, %.4g at σ = %g; %d steps cost %.4g nats per value by dp, %.4g by "
         "karras\n"),
      kind->task, kind->factor, sumi_error_at (&table, low), low, sumi_error_at (&table, high), high, STEPS,
      cost_of ("dp", model, &table), cost_of ("karras", model, &table));
}

/* Means over all photos of one kind. */
static gboolean
measure_kind (const Options *o,
              SumiModel *model,
              SumiEval *ev,
              const Kind *kind,
              GPtrArray *photos,
              SumiErrorsFile *file,
              SumiProgress *progress,
              GError **error)
{
  double sigmas[SUMI_TUNE_LEVELS], errors[SUMI_TUNE_LEVELS] = { 0 };

  sumi_tune_levels (model, sigmas);
  for (guint i = 0; i < photos->len; i++)
    {
      const char *path = photos->pdata[i];
      g_autoptr (SumiPicture) picture = NULL;
      g_autoptr (SumiSource) source = NULL;
      g_autofree char *title = g_strdup_printf ("%s %s", kind->task, path);

      sumi_progress_begin (progress, title);
      picture = sumi_picture_load (path, progress->job.cancellable, error);
      source = picture ? sumi_picture_source (picture) : NULL;
      if (! source)
        return FALSE;
      if (! sumi_tune_photo (model, ev, source, kind->evidence, kind->factor, (guint64) o->seed, errors, &progress->job,
                             error))
        {
          g_prefix_error (error, "%s: ", path);
          return FALSE;
        }
    }
  sumi_progress_hide (progress);
  for (int i = 0; i < SUMI_TUNE_LEVELS; i++)
    errors[i] /= photos->len;
  sumi_errors_file_set (file, kind->evidence, kind->factor, SUMI_TUNE_LEVELS, sigmas, errors);
  if (! o->quiet)
    print_kind (model, kind, sigmas, errors);
  return TRUE;
}

static gboolean
write_file (const SumiErrorsFile *file, SumiModel *model, SumiOutput *output, GError **error)
{
  g_autofree char *id = sumi_model_dup_id (model), *text = sumi_errors_file_dup_text (file, id);
  g_autoptr (GFile) to = g_file_new_for_path (sumi_output_get_temporary (output));

  return g_file_replace_contents (to, text, strlen (text), NULL, FALSE, G_FILE_CREATE_NONE, NULL, NULL, error) &&
         sumi_output_commit (output, error);
}

/* The tables that are there already stay, unless they are measured now, or their file is damaged. */
static SumiErrorsFile *
open_tables (const char *path)
{
  SumiErrorsFile *file = g_file_test (path, G_FILE_TEST_IS_REGULAR) ? sumi_errors_file_load (path, NULL) : NULL;

  return file ? file : sumi_errors_file_new ();
}

static gboolean
run (const Options *o, SumiModel *model, GPtrArray *photos, SumiProgress *progress, GError **error)
{
  g_autofree char *beside = sumi_errors_file_dup_path (model->path);
  const char *path = *o->output ? o->output : beside;
  g_autoptr (SumiPool) pool = sumi_pool_new (o->threads);
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), pool);
  g_autoptr (SumiErrorsFile) file = open_tables (path);
  g_autoptr (SumiOutput) output = sumi_output_new (path, error);
  Kind kinds[4];
  const int n = choose_kinds (o, kinds);

  if (! output || ! sumi_pictures_open (o->threads, error))
    return FALSE;
  for (int i = 0; i < n; i++)
    if (! measure_kind (o, model, ev, &kinds[i], photos, file, progress, error))
      return FALSE;
  return write_file (file, model, output, error);
}

/* Asked before anything is written or opened. */
static gboolean
check (SumiModel *model, GError **error)
{
  if (model->family->has_errors)
    return TRUE;
  g_set_error (
      error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
      _ ("the model “%s” has nothing to measure: how well it denoises depends on each picture; give a network, such "
         "as sumi-restore"),
      model->name);
  return FALSE;
}

static void
print_help (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%s\n\n", _ ("Usage: sumi tune MODEL PHOTO... [OPTION...]"));
  sumi_cli_append_paragraph (text,
                             _ ("Measures how well a model denoises at each level of noise, on photos that it has not "
                                "seen, and keeps the table beside the model. The schedule dp finds its list from "
                                "it."));
  g_string_append_printf (text, "\n%s\n", _ ("Options:"));
  sumi_cli_describe (text, options, 0);
  g_string_append_printf (text, "\n%s\n%s", _ ("Examples:"),
                          "  sumi tune ./sumi-restore.safetensors one.jpg two.jpg\n"
                          "  sumi tune sumi-restore one.jpg --task upscale --factor 3 -o three.errors.json\n");
  sumi_command_append_notes (text);
  fputs (text->str, stdout);
}

int
sumi_command_tune (int argc, char **argv)
{
  g_auto (Options) values = { NULL };
  const SumiCliGroup groups[] = { { options, &values }, { NULL, NULL } };
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (SumiModel) model = NULL;
  SumiProgress progress;
  GError *error = NULL;
  gboolean ok;

  sumi_options_init (options, &values);
  if (sumi_cli_wants_help (argc, argv))
    {
      print_help ();
      return 0;
    }
  if (sumi_cli_parse (argc, argv, groups, words, &error) && words->len < 2)
    g_set_error (&error, SUMI_ERROR, SUMI_ERROR_OPTION, _ ("give a MODEL and PHOTOs; “sumi tune --help” shows how"));
  if (! error)
    model = sumi_model_load (words->pdata[0], &error);
  if (! model || ! check (model, &error))
    return sumi_command_fail ("tune", error);
  g_ptr_array_remove_index (words, 0);
  sumi_interrupt_start (cancellable);
  sumi_progress_init (&progress, values.quiet, cancellable);
  ok = run (&values, model, words, &progress, &error);
  sumi_progress_clear (&progress);
  return ok ? 0 : sumi_command_fail ("tune", error);
}
