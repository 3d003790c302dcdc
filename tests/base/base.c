/* SPDX-License-Identifier: GPL-3.0-or-later */
/* core/base: arena, half, random, parallel, options, image, job. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/half.h"
#include "core/base/sha256.h"
#include "core/sumi.h"

/* Kept chunks that prove too small become one that holds what all of them did; what is in use stays. */
static void
test_arena_chunks (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  char *a = sumi_arena_alloc (arena, 100), *b;
  SumiArenaMark mark;

  memset (a, 7, 100);
  mark = sumi_arena_mark (arena);
  for (int i = 0; i < 4; i++)
    memset (sumi_arena_alloc (arena, 3 << 20), 1, 3 << 20);
  sumi_arena_release (arena, mark);
  b = sumi_arena_alloc (arena, 13 << 20);
  memset (b, 2, 13 << 20);
  sumi_arena_release (arena, mark);
  for (int i = 0; i < 4; i++)
    g_assert_true (sumi_arena_alloc (arena, 3 << 20) == b + i * (3 << 20));
  for (int i = 0; i < 100; i++)
    g_assert_cmpint (a[i], ==, 7);
}

static void
test_arena (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  SumiArenaMark start = sumi_arena_mark (arena), mark;
  char *a = sumi_arena_alloc (arena, 100), *b, *c;
  gsize peak;

  g_assert_cmpuint ((gsize) a % 64, ==, 0);
  memset (a, 1, 100);
  mark = sumi_arena_mark (arena);
  b = sumi_arena_alloc (arena, 5 << 20); /* a chunk of its own */
  memset (b, 2, 5 << 20);
  c = sumi_arena_alloc (arena, 3);
  g_assert_true (c >= b + (5 << 20) || c < b);
  peak = sumi_arena_get_peak (arena);
  g_assert_cmpuint (peak, >=, (5 << 20) + 103);
  sumi_arena_release (arena, mark);
  g_assert_true (sumi_arena_alloc (arena, 5 << 20) == b);
  g_assert_cmpuint (sumi_arena_get_peak (arena), <=, peak);
  g_assert_cmpint (a[99], ==, 1);
  sumi_arena_release (arena, start);
  /* two chunks have become one that holds both, and stays */
  a = sumi_arena_alloc (arena, 128);
  b = sumi_arena_alloc (arena, 5 << 20);
  g_assert_true (b == a + 128);
  sumi_arena_release (arena, start);
  g_assert_true (sumi_arena_alloc (arena, 1) == a);
  g_assert_null (sumi_arena_alloc (arena, G_MAXSIZE / 2));
  g_assert_nonnull (sumi_arena_alloc (arena, 0));
}

/* Every length around the blocks' ends, and a long one, as GLib says. */
static void
test_sha256 (void)
{
  g_autofree guint8 *data = g_malloc (100000);

  for (guint i = 0; i < 100000; i++)
    data[i] = (guint8) (i * i >> 3);
  for (gsize n = 0; n < 100000; n = n == 299 ? 99999 : n + 1)
    {
      g_autofree char *want = g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, n);
      g_autofree char *got = sumi_sha256_dup_hex (data, n);

      g_assert_cmpstr (got, ==, want);
    }
}

static void
test_half (void)
{
  const guint16 edge[] = { 0x3c00, 0xc000, 0x7bff, 0x0001, 0x8001, 0x03ff, 0x0400, 0x7c00, 0x7e00 };
  const float want[] = { 1, -2, 65504, 0x1p-24f, -0x1p-24f, 1023 * 0x1p-24f, 0x1p-14f, INFINITY, NAN };
  float f[G_N_ELEMENTS (edge)];

  sumi_half_to_float (edge, f, G_N_ELEMENTS (edge));
  for (guint i = 0; i < G_N_ELEMENTS (edge); i++)
    g_assert_true (f[i] == want[i] || (isnan (f[i]) && isnan (want[i])));
  for (guint i = 0; i < 0x10000; i++)
    {
      guint16 in = (guint16) i, out;
      float value;

      if ((i & 0x7c00) == 0x7c00 && (i & 0x3ff)) /* NaN: payloads may change */
        continue;
      sumi_half_to_float (&in, &value, 1);
      sumi_float_to_half (&value, &out, 1);
      g_assert_cmpuint (out, ==, in);
    }
  /* many at once, as one at a time */
  {
    g_autofree guint16 *all = g_new (guint16, 0x10000);
    g_autofree float *many = g_new (float, 0x10000), *single = g_new (float, 0x10000);

    for (guint i = 0; i < 0x10000; i++)
      {
        all[i] = (guint16) i;
        sumi_half_to_float (all + i, single + i, 1);
      }
    sumi_half_to_float (all, many, 0x10000);
    g_assert_cmpmem (many, 0x40000, single, 0x40000);
  }
  /* ties go to even; overflow to infinity */
  {
    const float ties[] = { 1 + 0x1p-11f, 1 + 3 * 0x1p-11f, 65519.9f, 65520, 0x1p-25f, 3 * 0x1p-25f };
    const guint16 even[] = { 0x3c00, 0x3c02, 0x7bff, 0x7c00, 0x0000, 0x0002 };
    guint16 out[G_N_ELEMENTS (ties)];

    sumi_float_to_half (ties, out, G_N_ELEMENTS (ties));
    g_assert_cmpmem (out, sizeof out, even, sizeof even);
  }
  {
    const float in[] = { 1, 1 + 0x1p-8f, 1 + 3 * 0x1p-8f, -INFINITY };
    const guint16 even[] = { 0x3f80, 0x3f80, 0x3f82, 0xff80 };
    guint16 out[4];

    sumi_float_to_bfloat (in, out, 4);
    g_assert_cmpmem (out, sizeof out, even, sizeof even);
  }
  /* 8 bits: smallest, largest subnormal, smallest normal, one, largest, the special ones */
  {
    const guint8 e4m3[] = { 0x00, 0x80, 0x01, 0x07, 0x08, 0x38, 0xb9, 0x7e, 0x7f };
    const float numbers[] = { 0, -0.0f, 0x1p-9f, 7 * 0x1p-9f, 0x1p-6f, 1, -1.125f, 448, NAN };
    const guint8 e5m2[] = { 0x00, 0x01, 0x03, 0x04, 0x3c, 0xbd, 0x7b, 0xfc, 0x7d };
    const float others[] = { 0, 0x1p-16f, 3 * 0x1p-16f, 0x1p-14f, 1, -1.25f, 57344, -INFINITY, NAN };
    float out[9];

    sumi_e4m3_to_float (e4m3, out, 9);
    for (int i = 0; i < 9; i++)
      g_assert_true (out[i] == numbers[i] || (isnan (out[i]) && isnan (numbers[i])));
    sumi_e5m2_to_float (e5m2, out, 9);
    for (int i = 0; i < 9; i++)
      g_assert_true (out[i] == others[i] || (isnan (out[i]) && isnan (others[i])));
  }
}

static void
test_random (void)
{
  /* Random123's known answers for Philox 4×32-10: counter and key all zero, all ones */
  const guint32 zero[] = { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 };
  const guint32 ones[] = { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd };
  guint32 out[4];
  double sum = 0, square = 0, fourth = 0, cross = 0;
  float last = 0;
  const int n = 200;

  sumi_random_bits (0, 0, (const guint32[]){ 0, 0, 0 }, out);
  g_assert_cmpmem (out, sizeof out, zero, sizeof zero);
  sumi_random_bits (G_MAXUINT64, G_MAXUINT32, (const guint32[]){ G_MAXUINT32, G_MAXUINT32, G_MAXUINT32 }, out);
  g_assert_cmpmem (out, sizeof out, ones, sizeof ones);

  for (int y = -n / 2; y < n / 2; y++)
    for (int x = -n / 2; x < n / 2; x++)
      {
        float z[2];

        sumi_random_normal (7, 3, x, y, 0, z);
        for (int i = 0; i < 2; i++)
          {
            sum += z[i];
            square += z[i] * z[i];
            fourth += z[i] * z[i] * z[i] * z[i];
            cross += z[i] * last;
            last = z[i];
          }
      }
  /* 5 standard errors of 2n² = 80,000 draws */
  g_assert_cmpfloat (fabs (sum / (2 * n * n)), <, 5 / sqrt (2.0 * n * n));
  g_assert_cmpfloat (fabs (square / (2 * n * n) - 1), <, 5 * sqrt (2 / (2.0 * n * n)));
  g_assert_cmpfloat (fabs (fourth / (2 * n * n) - 3), <, 5 * sqrt (96 / (2.0 * n * n)));
  g_assert_cmpfloat (fabs (cross / (2 * n * n)), <, 5 / sqrt (2.0 * n * n));
}

typedef struct
{
  SumiPool *pool;
  int seen[1000];
  int threads[8];
} Count;

static void
count_piece (gpointer data, int index, int thread)
{
  Count *c = data;

  g_atomic_int_inc (&c->seen[index]);
  g_atomic_int_inc (&c->threads[thread]);
}

static void
count_nested (gpointer data, int index, int thread)
{
  sumi_parallel_for (((Count *) data)->pool, 10, count_piece, data);
}

static void
test_parallel (void)
{
  for (int threads = 1; threads <= 4; threads++)
    {
      g_autoptr (SumiPool) pool = sumi_pool_new (threads);
      Count c = { .pool = pool };

      g_assert_cmpint (sumi_pool_get_n_threads (pool), ==, threads);
      for (int round = 1; round <= 20; round++)
        {
          sumi_parallel_for (pool, 1000, count_piece, &c);
          for (int i = 0; i < 1000; i++)
            g_assert_cmpint (c.seen[i], ==, round);
        }
      for (int t = threads; t < 8; t++)
        g_assert_cmpint (c.threads[t], ==, 0);
      memset (&c, 0, sizeof c);
      c.pool = pool;
      sumi_parallel_for (pool, 5, count_nested, &c);
      for (int i = 0; i < 10; i++)
        g_assert_cmpint (c.seen[i], ==, 5);
    }
  sumi_parallel_for (NULL, 0, count_piece, NULL);
}

typedef struct
{
  gboolean flag;
  int number;
  double real;
  char *choice, *text;
  gint64 size;
} Values;

static const SumiChoice choices[] = { { "one", "One" }, { "two", "Two" }, { NULL, NULL } };

static const SumiOption table[] = {
  { .key = "flag", .type = SUMI_OPTION_BOOL, .offset = G_STRUCT_OFFSET (Values, flag), .max = 1, .value = 1 },
  { .key = "number",
    .type = SUMI_OPTION_INT,
    .offset = G_STRUCT_OFFSET (Values, number),
    .min = -3,
    .max = 9,
    .value = 4 },
  { .key = "real", .type = SUMI_OPTION_DOUBLE, .offset = G_STRUCT_OFFSET (Values, real), .max = 1, .value = 0.1 },
  { .key = "choice",
    .type = SUMI_OPTION_CHOICE,
    .offset = G_STRUCT_OFFSET (Values, choice),
    .text = "two",
    .choices = choices },
  { .key = "text", .type = SUMI_OPTION_STRING, .offset = G_STRUCT_OFFSET (Values, text), .text = "hello" },
  { .key = "size",
    .type = SUMI_OPTION_SIZE,
    .flags = SUMI_OPTION_MACHINE,
    .offset = G_STRUCT_OFFSET (Values, size),
    .max = 1e13 },
  { NULL },
};

static void
test_options (void)
{
  static const char *const bad[] = { "flag=maybe",  "number=10",    "number=1.5", "number=", "number=3x", "real=nan",
                                     "real=1.0001", "choice=three", "size=5Q",    "size=-1", "real=0,5" };
  Values v, w;
  g_autofree char *recipe = NULL, *range = NULL;
  g_autoptr (GError) error = NULL;

  sumi_options_init (table, &v);
  g_assert_true (v.flag);
  g_assert_cmpint (v.number, ==, 4);
  g_assert_cmpfloat (v.real, ==, 0.1);
  g_assert_cmpstr (v.choice, ==, "two");
  g_assert_true (sumi_options_check (table, &v, NULL));

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_auto (GStrv) kv = g_strsplit (bad[i], "=", 2);
      g_autoptr (GError) e = NULL;

      g_assert_false (sumi_option_set_text (sumi_option_find (table, kv[0]), &v, kv[1], &e));
      g_assert_error (e, SUMI_ERROR, SUMI_ERROR_OPTION);
      g_assert_nonnull (strstr (e->message, kv[0]));
    }
  g_assert_cmpint (v.number, ==, 4);

  g_assert_true (sumi_option_set_text (sumi_option_find (table, "size"), &v, "1.5G", NULL));
  g_assert_cmpint (v.size, ==, 3LL << 29);
  g_assert_true (sumi_option_set_text (sumi_option_find (table, "real"), &v, "0.123456789012", NULL));
  g_assert_true (sumi_option_set_text (sumi_option_find (table, "text"), &v, "a=b\nc\\ \"ü", NULL));
  g_assert_true (sumi_option_set_text (sumi_option_find (table, "flag"), &v, "no", NULL));
  g_assert_true (sumi_option_set_number (sumi_option_find (table, "number"), &v, -3, NULL));
  g_assert_false (sumi_option_set_number (sumi_option_find (table, "number"), &v, -3.5, NULL));

  recipe = sumi_options_dup_recipe (table, &v);
  g_assert_null (strstr (recipe, "size="));
  sumi_options_init (table, &w);
  g_assert_true (sumi_options_load_recipe (table, &w, recipe, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (w.text, ==, v.text);
  g_assert_cmpfloat (w.real, ==, v.real);
  g_assert_cmpint (w.number, ==, -3);
  g_assert_false (w.flag);
  g_assert_false (sumi_options_load_recipe (table, &w, "nonsense=1\n", &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_OPTION);

  range = sumi_option_dup_range (sumi_option_find (table, "choice"));
  g_assert_cmpstr (range, ==, "one, two");
  sumi_options_clear (table, &v);
  sumi_options_clear (table, &w);
}

static void
test_image (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiImage) mask = sumi_image_new (70, 50, 1, &error), rgb = sumi_image_new (4, 3, 3, NULL), read = NULL;
  g_autoptr (SumiSource) source = sumi_source_new_image (mask), colour = sumi_source_new_image (rgb);
  SumiRect bounds;

  g_assert_false (sumi_source_bounds (source, &bounds, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_INPUT);
  g_clear_error (&error);
  *sumi_image_at (mask, 69, 10) = 0.01f;
  *sumi_image_at (mask, 3, 49) = 1;
  g_assert_true (sumi_source_bounds (source, &bounds, &error));
  g_assert_cmpint (bounds.x, ==, 3);
  g_assert_cmpint (bounds.y, ==, 10);
  g_assert_cmpint (bounds.width, ==, 67);
  g_assert_cmpint (bounds.height, ==, 40);

  for (int i = 0; i < 4 * 3 * 3; i++)
    rgb->data[i] = (float) i;
  read = sumi_source_read (colour, &(SumiRect){ -1, -2, 6, 6 }, TRUE, NULL);
  g_assert_cmpint (read->channels, ==, 4);
  g_assert_cmpfloat (sumi_image_at (read, 0, 0)[1], ==, 1);
  g_assert_cmpfloat (sumi_image_at (read, 5, 5)[2], ==, 35);
  g_assert_cmpfloat (sumi_image_at (read, 5, 5)[3], ==, 1);
  g_clear_pointer (&read, sumi_image_unref);
  read = sumi_source_read (colour, &(SumiRect){ 20, -9, 2, 2 }, TRUE, NULL);
  g_assert_cmpfloat (sumi_image_at (read, 1, 1)[0], ==, 9);
  g_clear_pointer (&read, sumi_image_unref);
  read = sumi_source_read (colour, &(SumiRect){ 3, 2, 2, 2 }, FALSE, NULL);
  g_assert_cmpfloat (sumi_image_at (read, 0, 0)[0], ==, 33);
  g_assert_cmpfloat (sumi_image_at (read, 1, 0)[3], ==, 0);
  g_assert_null (sumi_image_new (0, 5, 3, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);
  g_assert_null (sumi_image_new (G_MAXINT, G_MAXINT, 4, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY);
}

static void
note_progress (SumiJob *job, double fraction, const char *phase)
{
  *(double *) job->user_data = fraction;
}

static void
test_job (void)
{
  double at = -1;
  g_autoptr (GCancellable) cancel = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  SumiJob job = { .cancellable = cancel, .progress = note_progress, .user_data = &at };
  SumiJobRange outer = sumi_job_enter (&job, 0.5, 1), inner;

  sumi_job_progress (&job, 0.5, NULL);
  g_assert_cmpfloat_with_epsilon (at, 0.75, 1e-9);
  inner = sumi_job_enter (&job, 0.5, 0.75);
  sumi_job_progress (&job, 1, NULL);
  g_assert_cmpfloat_with_epsilon (at, 0.875, 1e-9);
  sumi_job_leave (&job, inner);
  sumi_job_leave (&job, outer);
  sumi_job_progress (&job, 0.1, NULL); /* never falls */
  g_assert_cmpfloat_with_epsilon (at, 0.875, 1e-9);
  g_assert_true (sumi_job_check (&job, NULL));
  g_cancellable_cancel (cancel);
  g_assert_false (sumi_job_check (&job, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (sumi_job_check (NULL, NULL));
  sumi_job_progress (NULL, 1, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/arena", test_arena);
  g_test_add_func ("/base/arena-chunks", test_arena_chunks);
  g_test_add_func ("/base/half", test_half);
  g_test_add_func ("/base/sha256", test_sha256);
  g_test_add_func ("/base/random", test_random);
  g_test_add_func ("/base/parallel", test_parallel);
  g_test_add_func ("/base/options", test_options);
  g_test_add_func ("/base/image", test_image);
  g_test_add_func ("/base/job", test_job);
  return g_test_run ();
}
