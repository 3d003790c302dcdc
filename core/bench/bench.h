/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measuring: the machine, single ops, network calls, tasks. What is measured comes as rows, as soon as each is known;
 * who asked prints them.
 *
 * A row is run again and again for its share of seconds. Other programs disturb the clock, never for the better: the
 * best time is the figure of merit, the median and the processor time are there to judge it. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef enum
{
  SUMI_BENCH_MACHINE,
  SUMI_BENCH_OPS,
  SUMI_BENCH_NETWORKS,
  SUMI_BENCH_TASKS,
  SUMI_BENCH_N_SECTIONS,
} SumiBenchSection;

/* What kind of op a row is, or all rows of a network together. */
typedef enum
{
  SUMI_BENCH_CONV,
  SUMI_BENCH_LINEAR,
  SUMI_BENCH_ATTENTION,
  SUMI_BENCH_NORM,
  SUMI_BENCH_OTHER,
  SUMI_BENCH_N_KINDS,
} SumiBenchKind;

/* Seconds of one run. */
typedef struct
{
  double best, median;
  double cpu; /* processor time of all threads together, mean */
  int runs;
} SumiBenchTime;

typedef struct
{
  SumiBenchSection section;
  const char *network; /* (nullable) key: "restore", "unet", "vae" */
  const char *name;
  const char *kind; /* (nullable) key of a SumiBenchKind or of an op */
  int threads;
  int count;           /* OPS: how often it occurs in one call of the network, ≥ 1 */
  gboolean sum;        /* the sum of a network's rows, each counted: no runs of its own */
  SumiBenchTime time;  /* of one run; runs 0: only listed */
  double flops, bytes; /* of one run; 0 = not counted. Bytes: what must be read and written at least once */
  double peak;         /* floating-point operations a second that the machine does at most with these threads; 0 */
  gsize memory;        /* bytes taken at the peak; 0 = not known */
  double share[SUMI_BENCH_N_KINDS]; /* NETWORKS: part of the time that ops of a kind take; all 0: not known */
  double serial;  /* NETWORKS, TASKS: part of the processor time that only one thread can do; −1: not known */
  double most_64; /* how many times as fast 64 threads are at most, where serial is known */
  const struct SumiBenchShape *shape; /* (nullable) OPS */
} SumiBenchRow;

typedef struct SumiBench SumiBench;
struct SumiBench
{
  int threads;               /* 0: all; the machine is measured with one thread too */
  double seconds;            /* for each row, about */
  gboolean bf16;             /* OPS, NETWORKS: products may round their factors; tasks choose for themselves */
  const char *filter;        /* (nullable): only rows whose "network name" has this in it */
  gboolean list;             /* rows without times */
  GCancellable *cancellable; /* (nullable) */
  void (*row) (SumiBench *self, const SumiBenchRow *row);
  gpointer user_data;

  double peak; /* measured when first needed, see sumi_bench_get_peak() */
};

/* Keys for words on a command line and JSON, by section and by kind. */
extern const char *const sumi_bench_sections[SUMI_BENCH_N_SECTIONS + 1]; /* NULL-ended */
extern const char *const sumi_bench_kinds[SUMI_BENCH_N_KINDS];

/* Measures one section. Fails as the things do that it runs, or when cancelled. */
gboolean sumi_bench_run (SumiBench *bench, SumiBenchSection section, GError **error);

/* Bytes that the process had resident at most, whatever single rows watched. */
gsize sumi_bench_get_peak_memory (void);

G_END_DECLS
