/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the command's tests share: running it, making pictures, comparing them. Files live in a folder of the test
 * program's own, which is the working directory. */
#pragma once

#include <glib.h>
#include <vips/vips.h>

/* Makes the folder, starts libvips and GTest. */
void cli_init (int *argc, char ***argv);
/* Runs the tests and removes the folder. */
int cli_run_tests (void);

typedef struct
{
  int status; /* exit status; −1: died of a signal */
  char *out, *err;
} CliRun;

void cli_run_clear (CliRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliRun, cli_run_clear)

/* Runs "sumi @line", cut at spaces. */
CliRun cli_sumi (const char *line, ...) G_GNUC_PRINTF (1, 2);
/* The same, and it must succeed. */
void cli_sumi_ok (const char *line, ...) G_GNUC_PRINTF (1, 2);
/* The same; must exit with @status, print one or two lines with @message in them on standard error, and change no
 * file in the folder. */
void cli_sumi_fails (int status, const char *message, const char *line, ...) G_GNUC_PRINTF (3, 4);

/* Returns: whether this build has the task; else skips the test. */
gboolean cli_has_task (const char *key);

/* A picture with structure everywhere. Alpha has full, partial and empty places, with colours under the empty ones;
 * float pictures go below 0 and above 1. Written by its extension, without loss where that can be. */
VipsImage *cli_make_photo (int width, int height, int bands, VipsBandFormat format);
void cli_save (VipsImage *image, const char *name);
/* One band of 8 bits: a disc with a soft edge, 0 outside. */
VipsImage *cli_make_mask (int width, int height);
/* Decoded into memory. */
VipsImage *cli_load (const char *name);
/* Pixel (@x, @y)'s sample as a double. */
double cli_get (VipsImage *image, int x, int y, int band);
/* Both pictures must be of one form, equal bit for bit where @mask is 0, and differ where it is 255. */
void cli_assert_kept (VipsImage *before, VipsImage *after, VipsImage *mask);
/* Names in the working folder, sorted, joined by spaces. */
char *cli_ls (const char *folder);
