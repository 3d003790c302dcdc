/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the sections of the bench share. Private to core/bench. */
#pragma once

#include "core/bench/bench.h"

G_BEGIN_DECLS

/* Runs @run once to warm up, then until @seconds have passed, at least once. */
SumiBenchTime sumi_bench_measure (void (*run) (gpointer data), gpointer data, double seconds);

/* Whether the filter lets "@network @name" through. @network: (nullable) */
gboolean sumi_bench_wants (const SumiBench *bench, const char *network, const char *name);
gboolean sumi_bench_check (const SumiBench *bench, GError **error);
void sumi_bench_emit (SumiBench *bench, const SumiBenchRow *row);

/* fp32 operations a second with the bench's threads; measured once, in a tenth of a second. */
double sumi_bench_get_peak (SumiBench *bench, SumiPool *pool);

/* The sections. */
gboolean sumi_bench_machine (SumiBench *bench, GError **error);
gboolean sumi_bench_ops (SumiBench *bench, GError **error);

G_END_DECLS
