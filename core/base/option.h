/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options, declared once. A task (sampler, ...) owns a plain struct and one table of SumiOption over it;
 * command line, procedure arguments, dialog, recipe and error messages are made from the table.
 * The table is the only place for a default. Tables end with a row whose key is NULL. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef enum
{
  SUMI_OPTION_BOOL,   /* gboolean */
  SUMI_OPTION_INT,    /* int */
  SUMI_OPTION_DOUBLE, /* double */
  SUMI_OPTION_CHOICE, /* char *, owned: the key of one of the choices */
  SUMI_OPTION_STRING, /* char *, owned, never NULL: "" is unset */
  SUMI_OPTION_SIZE,   /* gint64, bytes; text form "512M", "2G", plain bytes */
} SumiOptionType;

typedef enum
{
  SUMI_OPTION_ADVANCED = 1 << 0, /* folded away in a dialog */
  SUMI_OPTION_MACHINE = 1 << 1,  /* says how to compute, not what (threads, memory): not in the recipe */
} SumiOptionFlags;

typedef struct
{
  const char *key;
  const char *label; /* N_() */
  const char *blurb; /* (nullable) N_(): one sentence */
} SumiChoice;

struct SumiOption
{
  const char *key;   /* kebab-case: --key, PDB argument, recipe */
  const char *label; /* N_(), with a mnemonic */
  const char *blurb; /* N_(), one sentence without a full stop */
  const char *unit;  /* (nullable) N_(), "px" */
  SumiOptionType type;
  SumiOptionFlags flags;
  gsize offset;                             /* of the member in the struct */
  double min, max;                          /* BOOL, INT, DOUBLE, SIZE: closed range */
  double value;                             /* their default */
  const char *text;                         /* default of CHOICE and STRING */
  const SumiChoice *choices;                /* CHOICE: ends with a NULL key ... */
  const SumiChoice *(*list_choices) (void); /* ... or made from a registry */
};

/* Sets every member to its default. @values: the uninitialised struct of the table. */
void sumi_options_init (const SumiOption *table, gpointer values);

/* Frees the owned strings. */
void sumi_options_clear (const SumiOption *table, gpointer values);

/* Returns: (nullable): the row called @key. */
const SumiOption *sumi_option_find (const SumiOption *table, const char *key);

/* Returns: the choices of a CHOICE row, ended by a NULL key. */
const SumiChoice *sumi_option_get_choices (const SumiOption *option);

/* Parses @text and stores it. A BOOL takes yes/no/true/false/1/0. Fails with %SUMI_ERROR_OPTION naming key,
 * allowed values and what came; the member is then untouched. */
gboolean sumi_option_set_text (const SumiOption *option, gpointer values, const char *text, GError **error);

/* Stores a number (BOOL, INT, DOUBLE, SIZE); same errors. */
gboolean sumi_option_set_number (const SumiOption *option, gpointer values, double number, GError **error);

double sumi_option_get_number (const SumiOption *option, gconstpointer values);

/* Returns: (transfer full): the value as text that sumi_option_set_text() reads back, in the C locale. */
char *sumi_option_dup_text (const SumiOption *option, gconstpointer values);

/* Returns: (transfer full): "10 to 200", "euler, heun, dpmpp-2m" ...: for help and messages. */
char *sumi_option_dup_range (const SumiOption *option);

/* Checks every member against its row, for structs filled in C. */
gboolean sumi_options_check (const SumiOption *table, gconstpointer values, GError **error);

/* Returns: (transfer full): "key=value" lines of everything but MACHINE rows, escaped, in table order. */
char *sumi_options_dup_recipe (const SumiOption *table, gconstpointer values);

/* Reads such lines over @values; unknown keys fail. */
gboolean sumi_options_load_recipe (const SumiOption *table, gpointer values, const char *recipe, GError **error);

G_END_DECLS
