/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A procedure per task, made from the tasks' registry: names, menu, texts. Nothing here knows which GIMP it is. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

#define SUMI_PLUGIN_MENU      "<Image>/Filters/Sumi" /* a name, not translated */
#define SUMI_PLUGIN_TYPES     "RGB*, GRAY*"
#define SUMI_PLUGIN_AUTHOR    "The Sumi developers"
#define SUMI_PLUGIN_YEAR      "2025"
#define SUMI_PLUGIN_PARASITE  "sumi-recipe"
#define SUMI_PLUGIN_HINTS_KEY "hints" /* the argument of tasks that take colour strokes */
#define SUMI_PLUGIN_HINTS_BLURB                                                                                        \
  N_ ("Layer with strokes of colour; where it is opaque the result takes its colour; none without it")

/* Returns: (transfer full): "plug-in-sumi-fill" */
char *sumi_procedure_dup_name (const SumiTaskClass *task);

/* Returns: (nullable): the task of procedure @name. */
const SumiTaskClass *sumi_procedure_find_task (const char *name);

/* Returns: (transfer full): what the procedure does with the image and what it returns, for procedure browsers. */
char *sumi_procedure_dup_help (const SumiTaskClass *task);

/* Returns: (transfer full): "Seed ... (0 or more)": blurb and range of an argument, untranslated. */
char *sumi_argument_dup_help (const SumiOption *option);

/* Returns: (transfer full): every option, MACHINE ones too, and @hints, for repeating with the last values. */
char *sumi_arguments_dup_text (const SumiTaskClass *task, gconstpointer options, int hints);

/* Reads such text over @options; values that no longer fit are left alone. */
void sumi_arguments_load_text (const SumiTaskClass *task, gpointer options, int *hints, const char *text);

G_END_DECLS
