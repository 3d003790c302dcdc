/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Command-line arguments and help pages from option tables. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

/* A table and the struct that it describes. */
typedef struct
{
  const SumiOption *table;
  gpointer values;
} SumiCliGroup;

/* One-letter forms, in every command: -o, -q, -h. */
/* Reads "--key value", "--key=value", "--key" and "--no-key" (BOOL), "-o value"; "--" ends the options; @words
 * receives the rest, borrowed. @groups end with a NULL table; keys are looked for in order. Where a group has a row
 * "settings", the name of any setting of a sampler, schedule or method works like an option, and is added to that row.
 * Fails with %SUMI_ERROR_OPTION, with a guess for misspelt names. */
gboolean sumi_cli_parse (int argc, char **argv, const SumiCliGroup *groups, GPtrArray *words, GError **error);

/* Returns: whether --help or -h is among the options, whatever else is wrong. */
gboolean sumi_cli_wants_help (int argc, char **argv);

/* Returns: (nullable): the one of @words (NULL-ended) that @word seems to mean. */
const char *sumi_cli_guess (const char *word, const char *const *words);

/* Appends one paragraph a row: "  --key N   blurb (range; default)". @flags: only rows with exactly these of
 * ADVANCED; @bare: no ranges and defaults. Returns: whether there was any row. */
gboolean sumi_cli_describe (GString *text, const SumiOption *table, SumiOptionFlags flags);

/* Appends @words, wrapped. */
void sumi_cli_append_paragraph (GString *text, const char *words);

/* Appends "@left  @right", @right wrapped and indented. */
void sumi_cli_append_row (GString *text, const char *left, const char *right);

G_END_DECLS
