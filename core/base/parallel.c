/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Persistent threads that wait on a condition; pieces are handed out by an atomic counter, so an uneven load
 * balances itself. */
#include "core/base/parallel.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

typedef struct
{
  SumiPool *pool;
  int index;
  GThread *thread;
} Worker;

struct SumiPool
{
  int n_threads;
  Worker *workers; /* n_threads − 1: the caller is thread 0 */
  GMutex mutex;
  GCond wake, done;
  guint generation;
  gboolean quit;
  int running;
  int busy; /* atomic: a parallel_for is under way */

  SumiPoolFunc func;
  gpointer data;
  int n;
  int next; /* atomic */
};

/* CPU time that the control group allows, in whole processors rounded up; 0 = no limit known. */
static int
cgroup_limit (void)
{
  g_autofree char *text = NULL;
  double quota = 0, period = 0;

  if (g_file_get_contents ("/sys/fs/cgroup/cpu.max", &text, NULL, NULL) &&
      sscanf (text, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0)
    return (int) ((quota + period - 1) / period);
  return 0;
}

static int
usable_processors (void)
{
  cpu_set_t set;
  int n = (int) g_get_num_processors (), limit = cgroup_limit ();

  if (! sched_getaffinity (0, sizeof set, &set) && CPU_COUNT (&set) > 0)
    n = CPU_COUNT (&set);
  if (limit > 0)
    n = MIN (n, limit);
  return CLAMP (n, 1, 256);
}

static void
take_pieces (SumiPool *pool, int thread)
{
  int i;

  while ((i = g_atomic_int_add (&pool->next, 1)) < pool->n)
    pool->func (pool->data, i, thread);
}

static gpointer
worker_main (gpointer data)
{
  Worker *w = data;
  SumiPool *pool = w->pool;
  guint seen = 0;

  g_mutex_lock (&pool->mutex);
  for (;;)
    {
      while (! pool->quit && pool->generation == seen)
        g_cond_wait (&pool->wake, &pool->mutex);
      if (pool->quit)
        break;
      seen = pool->generation;
      g_mutex_unlock (&pool->mutex);
      take_pieces (pool, w->index);
      g_mutex_lock (&pool->mutex);
      if (--pool->running == 0)
        g_cond_signal (&pool->done);
    }
  g_mutex_unlock (&pool->mutex);
  return NULL;
}

SumiPool *
sumi_pool_new (int n_threads)
{
  SumiPool *pool = g_new0 (SumiPool, 1);

  pool->n_threads = n_threads > 0 ? MIN (n_threads, 256) : usable_processors ();
  g_mutex_init (&pool->mutex);
  g_cond_init (&pool->wake);
  g_cond_init (&pool->done);
  pool->workers = g_new0 (Worker, pool->n_threads);
  for (int i = 1; i < pool->n_threads; i++)
    {
      Worker *w = pool->workers + i - 1;

      w->pool = pool;
      w->index = i;
      w->thread = g_thread_try_new ("sumi", worker_main, w, NULL);
      if (! w->thread) /* the system refuses more: work on with what there is */
        {
          pool->n_threads = i;
          break;
        }
    }
  return pool;
}

void
sumi_pool_free (SumiPool *pool)
{
  if (! pool)
    return;
  g_mutex_lock (&pool->mutex);
  pool->quit = TRUE;
  g_cond_broadcast (&pool->wake);
  g_mutex_unlock (&pool->mutex);
  for (int i = 0; i < pool->n_threads - 1; i++)
    g_thread_join (pool->workers[i].thread);
  g_free (pool->workers);
  g_mutex_clear (&pool->mutex);
  g_cond_clear (&pool->wake);
  g_cond_clear (&pool->done);
  g_free (pool);
}

int
sumi_pool_get_n_threads (const SumiPool *pool)
{
  return pool ? pool->n_threads : 1;
}

void
sumi_parallel_for (SumiPool *pool, int n, SumiPoolFunc func, gpointer data)
{
  if (n <= 0)
    return;
  if (! pool || pool->n_threads == 1 || n == 1 || ! g_atomic_int_compare_and_exchange (&pool->busy, 0, 1))
    {
      for (int i = 0; i < n; i++)
        func (data, i, 0);
      return;
    }

  g_mutex_lock (&pool->mutex);
  pool->func = func;
  pool->data = data;
  pool->n = n;
  g_atomic_int_set (&pool->next, 0);
  pool->running = pool->n_threads - 1;
  pool->generation++;
  g_cond_broadcast (&pool->wake);
  g_mutex_unlock (&pool->mutex);

  take_pieces (pool, 0);

  g_mutex_lock (&pool->mutex);
  while (pool->running > 0)
    g_cond_wait (&pool->done, &pool->mutex);
  g_mutex_unlock (&pool->mutex);
  g_atomic_int_set (&pool->busy, 0);
}
