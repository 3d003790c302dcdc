/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/job.h"

static double
span (const SumiJob *job)
{
  return job->span > 0 ? job->span : 1;
}

void
sumi_job_progress (SumiJob *job, double fraction, const char *phase)
{
  if (! job || ! job->progress)
    return;
  job->last = MAX (job->last, job->from + span (job) * CLAMP (fraction, 0, 1));
  job->progress (job, MIN (job->last, 1), phase);
}

SumiJobRange
sumi_job_enter (SumiJob *job, double from, double to)
{
  SumiJobRange outer = { 0, 0 };

  if (! job)
    return outer;
  outer = (SumiJobRange){ job->from, job->span };
  job->from = outer.from + span (job) * from;
  job->span = MAX (span (job) * (to - from), 1e-9);
  return outer;
}

void
sumi_job_leave (SumiJob *job, SumiJobRange outer)
{
  if (! job)
    return;
  job->from = outer.from;
  job->span = outer.span;
}

gboolean
sumi_job_check (SumiJob *job, GError **error)
{
  return ! job || ! g_cancellable_set_error_if_cancelled (job->cancellable, error);
}

void
sumi_job_preview (SumiJob *job, const SumiImage *picture, const SumiRect *where)
{
  if (job && job->preview)
    job->preview (job, picture, where);
}
