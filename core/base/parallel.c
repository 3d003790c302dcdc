/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Persistent threads. A call publishes a job; every thread, the caller too, takes piece after piece until none is left,
 * so an uneven load balances itself, and the caller never waits for a thread that has not woken up. Operations of a
 * network follow each other within microseconds, so threads look for the next job for a moment before they sleep. */
#include "core/base/parallel.h"

#include <sched.h>
#include <time.h>

#include "core/base/cpus.h"

/* How long to look before sleeping: about what waking a thread costs. */
#define LOOK_US 40

#define MOST_THREADS 256

#if defined(__x86_64__) || defined(__i386__)
#define relax() __builtin_ia32_pause ()
#elif defined(__aarch64__)
#define relax() __asm__ __volatile__("yield")
#else
#define relax() __asm__ __volatile__("" ::: "memory")
#endif

typedef struct
{
  SumiPool *pool;
  int index;
  GThread *thread;
} Worker;

/* What different threads write at a time lies in different lines of the cache. */
struct SumiPool
{
  int n_threads;
  gboolean alone;  /* no workers, whatever n_threads says */
  int look_us;     /* 0 when threads outnumber processors: looking would take one from a thread that works */
  Worker *workers; /* n_threads − 1: the caller is thread 0 */
  int busy;        /* a parallel_for is under way */
  int cpu;         /* that the last caller ran on */
  char gap1[64];

  /* The job. @ticket is its number (32 bits), then the next piece; CLOSED while the rest is being written. */
  guint64 ticket;
  SumiPoolFunc func;
  gpointer data;
  int n;
  char gap2[64];

  int finished; /* pieces */
  char gap3[64];

  int sleeping; /* workers */
  int waiting;  /* the caller sleeps */
  gboolean quit;
  GMutex mutex;
  GCond wake, done;
};

#define CLOSED 0xffffffffu

static __thread SumiParallelWatch *watched;

static guint32
job_of (guint64 ticket)
{
  return (guint32) (ticket >> 32);
}

/* Whether @what (of @pool, @value) becomes true while looking. On a busy system the one that is waited for may have to
 * run on this very processor: it gets the chance after the first microseconds. */
static gboolean
look (SumiPool *pool, gboolean (*what) (SumiPool *pool, guint32 value), guint32 value)
{
  gint64 end;

  if (what (pool, value))
    return TRUE;
  if (! pool->look_us)
    return FALSE;
  end = g_get_monotonic_time () + pool->look_us;
  do
    {
      for (int i = 0; i < 64; i++)
        {
          if (what (pool, value))
            return TRUE;
          relax ();
        }
      sched_yield ();
    }
  while (g_get_monotonic_time () < end);
  return FALSE;
}

/* ---- pieces ----------------------------------------------------------- */

static void
finish (SumiPool *pool, int count, int n)
{
  if (__atomic_add_fetch (&pool->finished, count, __ATOMIC_SEQ_CST) < n ||
      ! __atomic_load_n (&pool->waiting, __ATOMIC_SEQ_CST))
    return;
  g_mutex_lock (&pool->mutex);
  g_cond_signal (&pool->done);
  g_mutex_unlock (&pool->mutex);
}

/* Works on the job at hand until no piece is left. Returns: the number of the last job that was seen open. */
static guint32
take_pieces (SumiPool *pool, int thread)
{
  guint64 ticket = __atomic_load_n (&pool->ticket, __ATOMIC_ACQUIRE);
  const guint32 job = job_of (ticket);
  int count = 0, n = 0;

  for (;;)
    {
      const SumiPoolFunc func = __atomic_load_n (&pool->func, __ATOMIC_RELAXED);
      const gpointer data = __atomic_load_n (&pool->data, __ATOMIC_RELAXED);
      const int now = __atomic_load_n (&pool->n, __ATOMIC_RELAXED);

      if (job_of (ticket) != job || (guint32) ticket >= (guint32) now)
        break;
      /* if it succeeds, the job is still open, so what was read belongs to it, and it stays until this piece is done */
      if (! __atomic_compare_exchange_n (&pool->ticket, &ticket, ticket + 1, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        continue;
      n = now;
      func (data, (int) (guint32) ticket, thread);
      count++;
      ticket = __atomic_load_n (&pool->ticket, __ATOMIC_ACQUIRE);
    }
  if (count)
    finish (pool, count, n);
  return (guint32) ticket == CLOSED && ! count ? job - 1 : job;
}

/* ---- workers ---------------------------------------------------------- */

static gboolean
has_news (SumiPool *pool, guint32 seen)
{
  const guint64 ticket = __atomic_load_n (&pool->ticket, __ATOMIC_SEQ_CST);

  return (job_of (ticket) != seen && (guint32) ticket != CLOSED) || __atomic_load_n (&pool->quit, __ATOMIC_RELAXED);
}

static gpointer
worker_main (gpointer data)
{
  Worker *w = data;
  SumiPool *pool = w->pool;
  guint32 seen = 0;

  while (! __atomic_load_n (&pool->quit, __ATOMIC_ACQUIRE))
    {
      /* on the caller's processor looking would only keep the caller from working */
      if (__atomic_load_n (&pool->cpu, __ATOMIC_RELAXED) == sched_getcpu () || ! look (pool, has_news, seen))
        {
          g_mutex_lock (&pool->mutex);
          /* in this order the caller either sees a sleeper or is seen */
          __atomic_add_fetch (&pool->sleeping, 1, __ATOMIC_SEQ_CST);
          while (! has_news (pool, seen))
            g_cond_wait (&pool->wake, &pool->mutex);
          __atomic_sub_fetch (&pool->sleeping, 1, __ATOMIC_SEQ_CST);
          g_mutex_unlock (&pool->mutex);
        }
      seen = take_pieces (pool, w->index);
    }
  return NULL;
}

SumiPool *
sumi_pool_new (int n_threads)
{
  const int usable = sumi_cpus_usable ();
  SumiPool *pool = g_new0 (SumiPool, 1);

  if (watched)
    {
      pool->n_threads = watched->threads;
      pool->alone = TRUE;
      return pool;
    }
  pool->n_threads = MIN (n_threads > 0 ? n_threads : usable, MOST_THREADS);
  pool->look_us = pool->n_threads <= usable ? LOOK_US : 0;
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
  if (pool->alone)
    {
      g_free (pool);
      return;
    }
  g_mutex_lock (&pool->mutex);
  __atomic_store_n (&pool->quit, TRUE, __ATOMIC_SEQ_CST);
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

/* ---- the caller ------------------------------------------------------- */

static gboolean
is_done (SumiPool *pool, guint32 n)
{
  return __atomic_load_n (&pool->finished, __ATOMIC_SEQ_CST) == (int) n;
}

static void
publish (SumiPool *pool, int n, SumiPoolFunc func, gpointer data)
{
  const guint32 job = job_of (__atomic_load_n (&pool->ticket, __ATOMIC_RELAXED)) + 1;

  __atomic_store_n (&pool->cpu, sched_getcpu (), __ATOMIC_RELAXED);
  /* a thread that still looks at the last job must not take what is written now for a part of it */
  __atomic_store_n (&pool->ticket, (guint64) job << 32 | CLOSED, __ATOMIC_SEQ_CST);
  __atomic_thread_fence (__ATOMIC_SEQ_CST);
  __atomic_store_n (&pool->func, func, __ATOMIC_RELAXED);
  __atomic_store_n (&pool->data, data, __ATOMIC_RELAXED);
  __atomic_store_n (&pool->n, n, __ATOMIC_RELAXED);
  __atomic_store_n (&pool->finished, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&pool->ticket, (guint64) job << 32, __ATOMIC_SEQ_CST);
  if (! __atomic_load_n (&pool->sleeping, __ATOMIC_SEQ_CST))
    return;
  g_mutex_lock (&pool->mutex);
  if (n > __atomic_load_n (&pool->sleeping, __ATOMIC_RELAXED))
    g_cond_broadcast (&pool->wake);
  else /* one piece is the caller's */
    for (int i = 1; i < n; i++)
      g_cond_signal (&pool->wake);
  g_mutex_unlock (&pool->mutex);
}

static void
run_pieces (SumiPool *pool, int n, SumiPoolFunc func, gpointer data)
{
  if (! pool || pool->n_threads == 1 || pool->alone || n == 1 ||
      ! g_atomic_int_compare_and_exchange (&pool->busy, 0, 1))
    {
      for (int i = 0; i < n; i++)
        func (data, i, 0);
      return;
    }

  publish (pool, n, func, data);
  take_pieces (pool, 0);
  if (! look (pool, is_done, (guint32) n))
    {
      g_mutex_lock (&pool->mutex);
      __atomic_store_n (&pool->waiting, 1, __ATOMIC_SEQ_CST);
      while (! is_done (pool, (guint32) n))
        g_cond_wait (&pool->done, &pool->mutex);
      __atomic_store_n (&pool->waiting, 0, __ATOMIC_SEQ_CST);
      g_mutex_unlock (&pool->mutex);
    }
  g_atomic_int_set (&pool->busy, 0);
}

/* ---- measuring -------------------------------------------------------- */

static double
thread_seconds (void)
{
  struct timespec t;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

void
sumi_parallel_watch (SumiParallelWatch *watch)
{
  watched = watch;
}

void
sumi_parallel_for (SumiPool *pool, int n, SumiPoolFunc func, gpointer data)
{
  SumiParallelWatch *watch = n > 1 ? watched : NULL;
  double seconds;

  if (n <= 0)
    return;
  if (! watch)
    {
      run_pieces (pool, n, func, data);
      return;
    }
  /* what pieces call is theirs */
  watched = NULL;
  seconds = thread_seconds ();
  run_pieces (pool, n, func, data);
  seconds = thread_seconds () - seconds;
  watch->shared += seconds;
  watch->spread += seconds / MIN (n, watch->threads);
  watched = watch;
}
