/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/progress.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR 24

char *
sumi_progress_dup_time (double seconds)
{
  if (seconds < 99.5)
    return g_strdup_printf (_ ("%.0f s"), MAX (seconds, 1));
  if (seconds < 5400)
    return g_strdup_printf (_ ("%.0f min"), seconds / 60);
  return g_strdup_printf (_ ("%.1f h"), seconds / 3600);
}

static int
terminal_width (void)
{
  struct winsize size;

  return ! ioctl (STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 0 ? size.ws_col : 80;
}

static void
draw (SumiProgress *self)
{
  const double elapsed = sumi_progress_get_seconds (self);
  const int filled = (int) (BAR * self->fraction);
  const int room = terminal_width () - 1;
  const gboolean utf8 = g_get_charset (NULL);
  g_autoptr (GString) line = g_string_new (self->title);
  g_autofree char *fitting = NULL;

  g_string_append (line, "  ");
  for (int i = 0; i < BAR; i++)
    g_string_append (line, utf8 ? (i < filled ? "█" : "░") : (i < filled ? "#" : "."));
  g_string_append_printf (line, " %3.0f %%", floor (100 * self->fraction));
  /* the first moments say nothing about the rest */
  if (elapsed > 1 && self->fraction > 0.02 && self->fraction < 1)
    {
      g_autofree char *left = sumi_progress_dup_time (elapsed * (1 - self->fraction) / self->fraction);

      g_string_append_printf (line, _ ("  %s left"), left);
    }
  if (self->phase)
    g_string_append_printf (line, "  %s", self->phase);
  fitting = g_utf8_validate (line->str, -1, NULL) && g_utf8_strlen (line->str, -1) > room ?
                g_utf8_substring (line->str, 0, MAX (room, 0)) :
                g_strdup (line->str);
  fprintf (stderr, "\r%s\033[K", fitting);
  fflush (stderr);
}

static void
job_progress (SumiJob *job, double fraction, const char *phase)
{
  SumiProgress *self = job->user_data;
  const gint64 now = g_get_monotonic_time ();
  const gboolean news = phase && g_strcmp0 (phase, self->phase);

  self->fraction = CLAMP (fraction, 0, 1);
  if (news)
    {
      g_free (self->phase);
      self->phase = g_strdup (phase);
    }
  if (! self->show || (! news && now - self->last < 100000))
    return;
  self->last = now;
  draw (self);
}

void
sumi_progress_init (SumiProgress *self, gboolean quiet, GCancellable *cancellable)
{
  *self = (SumiProgress){
    .job = { .cancellable = cancellable, .progress = job_progress, .user_data = self },
    .show = ! quiet && isatty (STDERR_FILENO) && g_strcmp0 (g_getenv ("TERM"), "dumb"),
  };
}

void
sumi_progress_clear (SumiProgress *self)
{
  g_clear_pointer (&self->title, g_free);
  g_clear_pointer (&self->phase, g_free);
}

void
sumi_progress_begin (SumiProgress *self, const char *title)
{
  g_free (self->title);
  self->title = g_filename_display_name (title);
  g_clear_pointer (&self->phase, g_free);
  self->start = g_get_monotonic_time ();
  self->fraction = self->job.last = self->job.from = self->job.span = 0;
  self->last = 0;
  sumi_job_progress (&self->job, 0, NULL);
}

void
sumi_progress_hide (SumiProgress *self)
{
  if (! self->show)
    return;
  fputs ("\r\033[K", stderr);
  fflush (stderr);
}

double
sumi_progress_get_seconds (const SumiProgress *self)
{
  return (double) (g_get_monotonic_time () - self->start) / 1e6;
}
