/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many threads there are to be, from made-up control groups; and the pool under short jobs, too many threads, and
 * several callers. */
#include <glib/gstdio.h>
#include <string.h>

#include "core/base/cpus.h"
#include "core/base/parallel.h"

/* ---- control groups --------------------------------------------------- */

typedef struct
{
  const char *name, *cgroup; /* cgroup: what proc/self/cgroup says, NULL for none */
  const char *files[9];      /* name below sys/fs/cgroup, content ... */
  int limit;
} Group;

static const Group groups[] = {
  { "none", NULL, { NULL }, 0 },
  { "unlimited", "0::/\n", { "cpu.max", "max 100000\n" }, 0 },
  { "container", "0::/\n", { "cpu.max", "200000 100000\n" }, 2 },
  { "rounded-up", "0::/\n", { "cpu.max", "150000 100000\n" }, 2 },
  { "share-of-one", "0::/a\n", { "a/cpu.max", "5000 100000\n" }, 1 },
  { "own", "0::/a/b\n", { "a/b/cpu.max", "300000 100000\n", "a/cpu.max", "max 100000\n" }, 3 },
  { "parent", "0::/a/b/c\n", { "a/b/c/cpu.max", "max 100000\n", "a/cpu.max", "400000 100000\n" }, 4 },
  { "least", "0::/a/b\n", { "a/b/cpu.max", "600000 100000\n", "a/cpu.max", "100000 50000\n", "cpu.max", "9 1\n" }, 2 },
  { "host-path", "0::/docker/0123\n", { "cpu.max", "200000 100000\n" }, 2 },
  { "outside", "0::/../../other\n", { "cpu.max", "200000 100000\n" }, 2 },
  { "damaged", "0::/a\n", { "a/cpu.max", "many few\n", "cpu.max", "0 0\n" }, 0 },
  { "version-1",
    "4:memory:/x\n1:cpu,cpuacct:/a/b\n0::/x\n",
    { "cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n", "cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n",
      "cpu,cpuacct/a/cpu.cfs_quota_us", "250000\n", "cpu,cpuacct/a/cpu.cfs_period_us", "100000\n" },
    3 },
  { "version-1-link",
    "3:cpuacct,cpu:/a\n",
    { "cpu/a/cpu.cfs_quota_us", "100000\n", "cpu/a/cpu.cfs_period_us", "100000\n" },
    1 },
  { "other-controller",
    "3:cpuset:/a\n",
    { "cpuset/a/cpu.cfs_quota_us", "100000\n", "cpuset/a/cpu.cfs_period_us", "100000\n" },
    0 },
};

static void
write_file (const char *root, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (root, name, NULL), *folder = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      remove_tree (inner);
    }
  g_remove (path);
}

static void
test_group (gconstpointer data)
{
  const Group *g = data;
  g_autofree char *root = g_dir_make_tmp ("sumi-cpus-XXXXXX", NULL);
  int limit;

  g_assert_nonnull (root);
  if (g->cgroup)
    write_file (root, "proc/self/cgroup", g->cgroup);
  for (int i = 0; g->files[i]; i += 2)
    {
      g_autofree char *name = g_build_filename ("sys/fs/cgroup", g->files[i], NULL);

      write_file (root, name, g->files[i + 1]);
    }
  limit = sumi_cpus_group_limit (root);
  remove_tree (root);
  g_assert_cmpint (limit, ==, g->limit);
}

static void
test_usable (void)
{
  g_autoptr (SumiPool) pool = sumi_pool_new (0);

  g_assert_cmpint (sumi_cpus_usable (), >=, 1);
  g_assert_cmpint (sumi_cpus_usable (), <=, (int) g_get_num_processors ());
  g_assert_cmpint (sumi_pool_get_n_threads (pool), ==, MIN (sumi_cpus_usable (), 256));
}

/* ---- the pool --------------------------------------------------------- */

#define MOST 300

typedef struct
{
  SumiPool *pool;
  int n, n_threads;
  guint8 in_use[64];
  guint32 sum[MOST];
} Job;

/* Each piece once, each thread number in one place at a time. */
static void
add_piece (gpointer data, int index, int thread)
{
  Job *j = data;

  g_assert_cmpint (index, <, j->n);
  g_assert_cmpint (thread, <, j->n_threads);
  g_assert_cmpint (__atomic_exchange_n (&j->in_use[thread], 1, __ATOMIC_SEQ_CST), ==, 0);
  j->sum[index] += (guint32) index + 1;
  if (index % 7 == 0)
    for (volatile int i = 0; i < 200; i++)
      ;
  g_assert_cmpint (__atomic_exchange_n (&j->in_use[thread], 0, __ATOMIC_SEQ_CST), ==, 1);
}

/* Thousands of jobs of every size, close together and after pauses in which threads fall asleep. */
static void
test_short_jobs (gconstpointer data)
{
  const int n_threads = GPOINTER_TO_INT (data);
  g_autoptr (SumiPool) pool = sumi_pool_new (n_threads);

  for (guint round = 0; round < 3000; round++)
    {
      Job job = { .pool = pool, .n = (int) (round * 37 % MOST) % (round % 3 ? 8 : MOST), .n_threads = n_threads };

      sumi_parallel_for (pool, job.n, add_piece, &job);
      for (int i = 0; i < MOST; i++)
        g_assert_cmpuint (job.sum[i], ==, i < job.n ? (guint32) i + 1 : 0);
      if (round % 500 == 0)
        g_usleep (1000);
    }
}

/* A second caller of the same pool does its job alone. */
static gpointer
call_often (gpointer data)
{
  SumiPool *pool = data;

  for (int round = 0; round < 1000; round++)
    {
      Job job = { .pool = pool, .n = 40, .n_threads = 64 };

      sumi_parallel_for (pool, job.n, add_piece, &job);
      for (int i = 0; i < job.n; i++)
        g_assert_cmpuint (job.sum[i], ==, (guint32) i + 1);
    }
  return NULL;
}

static void
test_callers (void)
{
  g_autoptr (SumiPool) pool = sumi_pool_new (3);
  GThread *threads[3];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", call_often, pool);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* Sums of floats in pieces, and in pieces of pieces: not a bit may depend on the number of threads. */
typedef struct
{
  SumiPool *pool;
  float out[64], inner[64][16];
} Sums;

static void
inner_piece (gpointer data, int index, int thread)
{
  float *out = (float *) data + index, sum = 0;

  for (int i = 1; i < 500; i++)
    sum += 1.0f / (float) (i * (index + 3));
  *out = sum;
}

static void
outer_piece (gpointer data, int index, int thread)
{
  Sums *s = data;

  sumi_parallel_for (s->pool, 16, inner_piece, s->inner[index]);
  for (int i = 0; i < 16; i++)
    s->out[index] += s->inner[index][i] * (float) (index + 1);
}

static void
test_same_bytes (void)
{
  Sums want = { 0 };

  sumi_parallel_for (NULL, 64, outer_piece, &want);
  for (int n_threads = 1; n_threads <= 9; n_threads += 2)
    {
      g_autoptr (SumiPool) pool = sumi_pool_new (n_threads);
      Sums got = { .pool = pool };

      sumi_parallel_for (pool, 64, outer_piece, &got);
      g_assert_cmpmem (got.out, sizeof got.out, want.out, sizeof want.out);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    {
      g_autofree char *path = g_strdup_printf ("/threads/group/%s", groups[i].name);

      g_test_add_data_func (path, &groups[i], test_group);
    }
  g_test_add_func ("/threads/usable", test_usable);
  for (int n = 1; n <= 16; n *= 2)
    {
      g_autofree char *path = g_strdup_printf ("/threads/short-jobs/%d", n);

      g_test_add_data_func (path, GINT_TO_POINTER (n), test_short_jobs);
    }
  g_test_add_func ("/threads/callers", test_callers);
  g_test_add_func ("/threads/same-bytes", test_same_bytes);
  return g_test_run ();
}
