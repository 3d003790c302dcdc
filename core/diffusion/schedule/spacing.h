/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The times that “leading” and “trailing” space out. On a discrete table these are whole times, as in diffusers: those
 * whose σ lies in the range asked for, all T of them if the range is the table's. On continuous processes the range is
 * [t(σ_min), t(σ_max)]. */
#pragma once

#include "core/base/types.h"
#include "core/diffusion/schedule.h"

G_BEGIN_DECLS

typedef struct
{
  double first; /* the time of the least noise */
  double span;  /* of all times: their number on a table, first + span − 1 being the last; else t(σ_max) − first */
  gboolean whole;
} SumiTimes;

/* Fails with %SUMI_ERROR_OPTION where a table has fewer than @n times in the range. */
gboolean sumi_times_init (SumiTimes *times, int n, const SumiScheduleInput *input, GError **error);

G_END_DECLS
