/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A progress line on a terminal: bar, phase, remaining time. Nothing at all elsewhere. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

typedef struct
{
  SumiJob job; /* to hand to the task */
  gboolean show;
  char *title, *phase;
  gint64 start, last; /* µs */
  double fraction;
} SumiProgress;

/* @quiet: show nothing; else the line is shown if standard error is a terminal. */
void sumi_progress_init (SumiProgress *self, gboolean quiet, GCancellable *cancellable);
void sumi_progress_clear (SumiProgress *self);

/* A new job called @title, at 0. */
void sumi_progress_begin (SumiProgress *self, const char *title);
/* Takes the line away, so that something else can be printed. */
void sumi_progress_hide (SumiProgress *self);
/* Returns: seconds since sumi_progress_begin() */
double sumi_progress_get_seconds (const SumiProgress *self);

/* Returns: (transfer full): "about 40 s", "about 3 min" ... of @seconds. */
char *sumi_progress_dup_time (double seconds);

G_END_DECLS
