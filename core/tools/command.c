/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/command.h"

#include <glib/gi18n-lib.h>
#include <stdio.h>

#include "core/sumi.h"
#include "core/tools/cli.h"
#include "core/tools/interrupt.h"

int
sumi_command_fail (const char *where, GError *error)
{
  int status = g_error_matches (error, SUMI_ERROR, SUMI_ERROR_OPTION) ? SUMI_EXIT_USAGE : SUMI_EXIT_FAILURE;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      status = sumi_interrupt_get_status () ? sumi_interrupt_get_status () : SUMI_EXIT_FAILURE;
      fprintf (stderr, "sumi: %s\n", _ ("cancelled, nothing was written"));
    }
  else
    fprintf (stderr, "sumi: %s%s%s\n", where ? where : "", where ? ": " : "", error->message);
  g_error_free (error);
  return status;
}

void
sumi_command_append_notes (GString *text)
{
  g_string_append_printf (text, "\n%s\n", _ ("Exit status:"));
  sumi_cli_append_row (text, "  0", _ ("everything was done"));
  sumi_cli_append_row (text, "  1", _ ("something failed; with several photos, the others were still done"));
  sumi_cli_append_row (text, "  2", _ ("wrong use: an option, its value, or a name that is not understood"));
  sumi_cli_append_row (text, "  130", _ ("interrupted by Ctrl+C; no half-written file is left"));
  g_string_append_printf (text, "\n%s\n", _ ("Environment:"));
  sumi_cli_append_row (text, "  SUMI_DATA", _ ("folder whose “models” is searched first"));
  sumi_cli_append_row (text, "  SUMI_LIBDIR", _ ("folder where sumi-pictures.so is looked for first"));
  sumi_cli_append_row (text, "  SUMI_CACHE",
                       _ ("folder where prepared weights are kept and shared by processes; none if unset"));
  sumi_cli_append_row (text, "  SUMI_CPU",
                       _ ("instruction set to compute with: baseline, avx, avx2, avx512, avx512-bf16"));
  sumi_cli_append_row (text, "  LANGUAGE, LC_MESSAGES", _ ("language of messages"));
}
