/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pool of threads. Work is cut by its size, never by the number of threads, so results are the same for
 * every count. Not re-entrant: a parallel_for inside a parallel_for runs in the calling thread. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* @n_threads: 1 to 256, or 0 for sumi_cpus_usable(). Idle threads sleep; for some 40 µs after a job they look for the
 * next one, unless there are more of them than usable processors. */
SumiPool *sumi_pool_new (int n_threads);
void sumi_pool_free (SumiPool *pool);
int sumi_pool_get_n_threads (const SumiPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiPool, sumi_pool_free)

/* @index: which piece; @thread: 0 to n_threads − 1, for per-thread scratch. */
typedef void (*SumiPoolFunc) (gpointer data, int index, int thread);

/* Calls @func for 0 ≤ index < @n, in any order, and waits. @pool may be NULL: all in this thread. Costs about 0.3 µs
 * while threads still look, 5 to 10 µs when they sleep. */
void sumi_parallel_for (SumiPool *pool, int n, SumiPoolFunc func, gpointer data);

/* For measuring how far work can be shared: while a thread watches, pools that it makes say that they have @threads, so
 * that work is cut as for them, but work in the thread itself. */
typedef struct
{
  int threads;
  double shared; /* out: processor seconds in sumi_parallel_for() of more than one piece */
  double spread; /* out: the same divided among the threads that have a piece: Σ t/min(n, threads) */
} SumiParallelWatch;

/* From now on adds to @watch; NULL ends that. */
void sumi_parallel_watch (SumiParallelWatch *watch);

G_END_DECLS
