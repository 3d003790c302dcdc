/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A running job as its owner sees it: progress, cancel, preview. Every call happens in the thread that runs the
 * task. A job may be NULL everywhere. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

struct SumiJob
{
  GCancellable *cancellable; /* (nullable) borrowed */
  /* @fraction: of the whole job, never falls; @phase: translated, or NULL when unchanged */
  void (*progress) (SumiJob *self, double fraction, const char *phase);
  void (*preview) (SumiJob *self, const SumiImage *picture, const SumiRect *where); /* (nullable) */
  gpointer user_data;

  /* set by sumi_job_enter(), zero at the start: the range that the current part fills */
  double from, span; /* span 0 counts as 1 */
  double last;
};

/* Says that the part at hand is @fraction [0, 1] done. */
void sumi_job_progress (SumiJob *job, double fraction, const char *phase);

/* The calls until sumi_job_leave() cover [@from, @to] of the part at hand. */
typedef struct
{
  double from, span;
} SumiJobRange;
SumiJobRange sumi_job_enter (SumiJob *job, double from, double to);
void sumi_job_leave (SumiJob *job, SumiJobRange outer);

/* Returns: FALSE and sets %G_IO_ERROR_CANCELLED when the user cancelled. Cheap: ask within every step. */
gboolean sumi_job_check (SumiJob *job, GError **error);

void sumi_job_preview (SumiJob *job, const SumiImage *picture, const SumiRect *where);

G_END_DECLS
