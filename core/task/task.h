/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tasks: image in, image out. A task declares its options once and runs on any host that can read rectangles
 * and take bands of rows. */
#pragma once

#include "core/base/option.h"
#include "core/base/types.h"

G_BEGIN_DECLS

typedef enum
{
  SUMI_TASK_MASK_NEEDED = 1 << 0, /* a mask (selection) says where */
  SUMI_TASK_MASK_OPTIONAL = 1 << 1,
  SUMI_TASK_HINTS = 1 << 2,   /* takes a picture of colour strokes */
  SUMI_TASK_RESIZES = 1 << 3, /* the result's canvas differs from the photo's */
} SumiTaskFlags;

/* Options that every task has: the first member of each task's struct, the last rows of its table. */
typedef struct
{
  int seed;
  int steps;       /* 0: the model's own choice */
  char *sampler;   /* "auto" or a registry key */
  char *schedule;  /* "auto" or a registry key */
  char *process;   /* "auto" or a registry key */
  double churn;    /* [0, 1] share of fresh noise a step; < 0: the model's own choice */
  char *method;    /* "auto" or a registry key */
  char *settings;  /* of sampler, schedule and method: SumiPlanNames.settings */
  int threads;     /* 0: all */
  gint64 memory;   /* bytes that buffers may take; 0: 1 GB */
  char *precision; /* of networks: "auto" or "f32" */
} SumiCommonOptions;

/* The rows of a struct whose member "common" is a SumiCommonOptions: they come last in a task's table. */
#define SUMI_COMMON_OPTIONS(Struct)                                                                                    \
  { .key = "seed",                                                                                                     \
    .label = N_ ("S_eed"),                                                                                             \
    .blurb = N_ ("Another seed gives another result, the same seed the same"),                                         \
    .type = SUMI_OPTION_INT,                                                                                           \
    .offset = G_STRUCT_OFFSET (Struct, common.seed),                                                                   \
    .max = G_MAXINT },                                                                                                 \
      { .key = "steps",                                                                                                \
        .label = N_ ("S_teps"),                                                                                        \
        .blurb = N_ ("Denoising steps; 0 lets the model choose"),                                                      \
        .type = SUMI_OPTION_INT,                                                                                       \
        .flags = SUMI_OPTION_ADVANCED,                                                                                 \
        .offset = G_STRUCT_OFFSET (Struct, common.steps),                                                              \
        .max = 1000 },                                                                                                 \
      { .key = "sampler",                                                                                              \
        .label = N_ ("Sa_mpler"),                                                                                      \
        .blurb = N_ ("How a step is made; auto lets the model choose"),                                                \
        .type = SUMI_OPTION_CHOICE,                                                                                    \
        .flags = SUMI_OPTION_ADVANCED,                                                                                 \
        .text = "auto",                                                                                                \
        .offset = G_STRUCT_OFFSET (Struct, common.sampler),                                                            \
        .list_choices = sumi_sampler_choices },                                                                        \
      { .key = "schedule",                                                                                             \
        .label = N_ ("Sche_dule"),                                                                                     \
        .blurb = N_ ("How noise levels fall; auto lets the model choose"),                                             \
        .type = SUMI_OPTION_CHOICE,                                                                                    \
        .flags = SUMI_OPTION_ADVANCED,                                                                                 \
        .text = "auto",                                                                                                \
        .offset = G_STRUCT_OFFSET (Struct, common.schedule),                                                           \
        .list_choices = sumi_schedule_choices },                                                                       \
      { .key = "process",                                                                                              \
        .label = N_ ("_Process"),                                                                                      \
        .blurb = N_ ("Whose times steps and schedules go by; auto lets the model choose"),                             \
        .type = SUMI_OPTION_CHOICE,                                                                                    \
        .flags = SUMI_OPTION_ADVANCED,                                                                                 \
        .text = "auto",                                                                                                \
        .offset = G_STRUCT_OFFSET (Struct, common.process),                                                            \
        .list_choices = sumi_process_choices },                                                                        \
      { .key = "churn",                                                                                                \
        .label = N_ ("Ch_urn"),                                                                                        \
        .blurb = N_ ("Share of fresh noise in each step; -1 lets the model choose"),                                   \
        .type = SUMI_OPTION_DOUBLE,                                                                                    \
        .flags = SUMI_OPTION_ADVANCED,                                                                                 \
        .offset = G_STRUCT_OFFSET (Struct, common.churn),                                                              \
        .min = -1,                                                                                                     \
        .max = 1,                                                                                                      \
        .value = -1 },                                                                                                 \
      { .key = "method",                                                                                               \
        .label = N_ ("_Keeping what is known"),                                                                        \
        .blurb = N_ ("How a result is made to agree with what is known; auto is the model's own way"),                 \
        .type = SUMI_OPTION_CHOICE,                                                                                    \
        .flags = SUMI_OPTION_ADVANCED,                                                                                 \
        .text = "auto",                                                                                                \
        .offset = G_STRUCT_OFFSET (Struct, common.method),                                                             \
        .list_choices = sumi_method_choices },                                                                         \
      { .key = "settings",                                                                                             \
        .label = N_ ("Settin_gs"),                                                                                     \
        .blurb = N_ ("Settings of sampler, schedule and method: key=value, ...; sumi list samplers shows them"),       \
        .type = SUMI_OPTION_STRING,                                                                                    \
        .flags = SUMI_OPTION_ADVANCED,                                                                                 \
        .text = "",                                                                                                    \
        .offset = G_STRUCT_OFFSET (Struct, common.settings) },                                                         \
      { .key = "threads",                                                                                              \
        .label = N_ ("T_hreads"),                                                                                      \
        .blurb = N_ ("Processor threads to use; 0 is all of them"),                                                    \
        .type = SUMI_OPTION_INT,                                                                                       \
        .flags = SUMI_OPTION_ADVANCED | SUMI_OPTION_MACHINE,                                                           \
        .offset = G_STRUCT_OFFSET (Struct, common.threads),                                                            \
        .max = 256 },                                                                                                  \
      { .key = "memory",                                                                                               \
        .label = N_ ("Memor_y"),                                                                                       \
        .blurb = N_ ("Memory that working buffers may take; 0 is 1 GB"),                                               \
        .type = SUMI_OPTION_SIZE,                                                                                      \
        .flags = SUMI_OPTION_ADVANCED | SUMI_OPTION_MACHINE,                                                           \
        .offset = G_STRUCT_OFFSET (Struct, common.memory),                                                             \
        .max = 1099511627776.0 },                                                                                      \
  {                                                                                                                    \
    .key = "precision", .label = N_ ("Precis_ion"),                                                                    \
    .blurb = N_ ("How networks multiply; auto uses bf16 where the processor is faster with it"),                       \
    .type = SUMI_OPTION_CHOICE, .flags = SUMI_OPTION_ADVANCED, .text = "auto",                                         \
    .offset = G_STRUCT_OFFSET (Struct, common.precision), .list_choices = sumi_precision_choices                       \
  }

/* "auto" and every registry key; for list_choices. */
const SumiChoice *sumi_sampler_choices (void);
const SumiChoice *sumi_schedule_choices (void);
const SumiChoice *sumi_process_choices (void);
const SumiChoice *sumi_method_choices (void);
const SumiChoice *sumi_precision_choices (void);

/* What the host hands over. Sizes of photo, mask and hints agree (checked). Sources stay the host's. */
typedef struct
{
  SumiSource *photo; /* 4 channels */
  SumiSource *mask;  /* (nullable) 1 channel, [0, 1]; 1 = to be filled */
  SumiSource *hints; /* (nullable) 4 channels; alpha > 0 is a stroke */
} SumiTaskInput;

/* One result, announced before its rows come. */
typedef struct
{
  int index, count;        /* candidate @index of @count */
  int x, y, width, height; /* where it lies on the result's canvas */
  int canvas_width, canvas_height;
  int photo_x, photo_y;  /* where the photo's first pixel lies on it */
  double scale;          /* of the canvas against the photo */
  gboolean has_coverage; /* rows come with a coverage: to be mixed with the photo by it, 0 = photo untouched */
  gboolean has_colour;   /* FALSE: R = G = B throughout */
  char *recipe;          /* everything needed to repeat it: "key=value" lines, borrowed */
} SumiResult;

struct SumiRun
{
  const SumiTaskInput *input;
  const void *options; /* the task's struct, checked */
  const SumiTaskClass *task;
  const SumiCommonOptions *common;
  SumiPool *pool;
  gint64 memory; /* bytes for buffers, resolved */
  gboolean bf16; /* for the evaluation contexts */
  SumiJob *job;  /* (nullable) */

  /* The host: opens a place for one result. Returns: (nullable): NULL with an error ends the run.
   * The sink is the host's and is valid until the run ends; nothing of it may show before the run succeeded. */
  SumiSink *(*open) (SumiRun *run, const SumiResult *result, GError **error);
  gpointer user_data;
};

struct SumiTaskClass
{
  const char *key;
  const char *label;   /* N_(), as in a menu: "_Fill selection…" */
  const char *blurb;   /* N_() */
  const char *example; /* (nullable) arguments for examples, where the defaults alone ask for nothing */
  SumiTaskFlags flags;
  gsize options_size;
  gsize common_offset; /* of the SumiCommonOptions in the struct */
  const SumiOption *options;
  gboolean (*run) (SumiRun *run, GError **error);
  /* What run would take: see sumi_task_get_peak(). Called like run, but there are no pool and no job. */
  gboolean (*peak) (SumiRun *run, double *bytes, GError **error);
  /* (nullable) further checks of options against input, before anything is computed */
  gboolean (*check) (const SumiTaskInput *input, const void *options, GError **error);
};

const SumiTaskClass *const *sumi_tasks (void); /* NULL-ended */
const SumiTaskClass *sumi_task_find (const char *key);

/* Returns: (transfer full): a struct of defaults. */
gpointer sumi_task_new_options (const SumiTaskClass *task);
void sumi_task_free_options (const SumiTaskClass *task, gpointer options);

/* Loads the model @name and checks that it can do what the run's common options ask for, their settings too: nothing
 * else of it is computed yet. Returns: (transfer full). */
SumiModel *sumi_run_load_model (const SumiRun *run, const char *name, GError **error);

/* Whether how steps are made is left to the model: only then may the most faithful answer stand for a sample. */
gboolean sumi_common_is_auto (const SumiCommonOptions *common);

/* What @model keeps of its weights in the run. */
double sumi_run_get_weight_bytes (const SumiRun *run, SumiModel *model);

/* Fills how to predict candidate @candidate from the common options; it borrows their strings. */
void sumi_common_get_predict (const SumiCommonOptions *common, int candidate, SumiPredict *how);

/* Returns: (transfer full): the recipe of one result: "sumi=VERSION", "task=KEY", "model-id=...", then every option
 * that says what to compute, then @extra (nullable) lines. */
char *sumi_run_dup_recipe (const SumiRun *run, SumiModel *model, const char *extra);

/* The same checks; instead of running, says in @bytes how much memory the run takes at its busiest moment, above what
 * the process has now: buffers, which hold to the option "memory", and forms of the model's weights. An upper bound;
 * the host's own is not in it. Reads the mask, at most. */
gboolean sumi_task_get_peak (const SumiTaskClass *task, SumiRun *run, double *bytes, GError **error);

/* Checks options and input, makes the pool, runs. Nothing but the host's sinks is written.
 * @run: input, options, job, open and user_data set by the caller, the rest zero. */
gboolean sumi_task_run (const SumiTaskClass *task, SumiRun *run, GError **error);

G_END_DECLS
