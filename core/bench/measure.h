/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the sections of the bench share. Private to core/bench. */
#pragma once

#include "core/bench/bench.h"

G_BEGIN_DECLS

/* Runs @run once to warm up, then until @seconds have passed, at least once. */
SumiBenchTime sumi_bench_measure (void (*run) (gpointer data), gpointer data, double seconds);

/* The same without warming up, for what takes long: the first run counts. */
SumiBenchTime sumi_bench_measure_cold (void (*run) (gpointer data), gpointer data, double seconds);

/* Runs @run once, which must make its pool itself, and fills in how far more threads could share the work. */
void sumi_bench_measure_serial (void (*run) (gpointer data), gpointer data, SumiBenchRow *row);

/* Begins to watch what is resident. Returns: what is now. */
gsize sumi_bench_memory_reset (void);
/* Returns: how much more than @before it was at most since then; more than that where the system cannot watch. */
gsize sumi_bench_memory_get_taken (gsize before);

/* Whether the filter lets "@network @name" through. @network: (nullable) */
gboolean sumi_bench_wants (const SumiBench *bench, const char *network, const char *name);
gboolean sumi_bench_check (const SumiBench *bench, GError **error);
void sumi_bench_emit (SumiBench *bench, const SumiBenchRow *row);

/* An evaluation context as the bench wants it. */
SumiEval *sumi_bench_new_eval (const SumiBench *bench, SumiPool *pool);

/* Operations a second with the bench's threads, fp32 or bf16 as is measured; measured once, in a tenth of a second. */
double sumi_bench_get_peak (SumiBench *bench, SumiPool *pool);

/* The sections. */
gboolean sumi_bench_machine (SumiBench *bench, GError **error);
gboolean sumi_bench_ops (SumiBench *bench, GError **error);
gboolean sumi_bench_calls (SumiBench *bench, GError **error);
gboolean sumi_bench_tasks (SumiBench *bench, GError **error);

/* A photo without a camera: [height, width, 3], edges, waves and grain of all sizes; the same every time. */
SumiImage *sumi_bench_make_photo (int width, int height, GError **error);
/* [height, width, 1]: a square of @side in the middle. */
SumiImage *sumi_bench_make_hole (int width, int height, int side, GError **error);

G_END_DECLS
