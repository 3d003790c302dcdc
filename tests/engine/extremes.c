/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where ops.c stops: huge, denormal and far from zero values, bounds of single approximations, and shapes that ops take
 * besides their own. Fast kernels against the plain reference. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/sumi.h"
#include "core/tensor/tensor.h"

typedef struct
{
  SumiArena *arena;
  SumiEval *plain, *fast;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->arena = sumi_arena_new ();
  f->plain = sumi_eval_new (NULL, NULL);
  f->fast = sumi_eval_new (sumi_backend_default (), NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  sumi_eval_finish (f->plain, &error);
  g_assert_no_error (error);
  sumi_eval_finish (f->fast, &error);
  g_assert_no_error (error);
  sumi_eval_free (f->plain);
  sumi_eval_free (f->fast);
  sumi_arena_free (f->arena);
}

/* N(mean, sd²) */
static SumiTensor *
normal (Fixture *f, float mean, float sd, int n_dims, const int *shape)
{
  SumiTensor *t = sumi_tensor_new (f->arena, SUMI_DTYPE_F32, n_dims, shape);
  static guint32 seed;

  seed++;
  for (gsize i = 0; i < sumi_tensor_count (t); i++)
    {
      float pair[2];

      sumi_random_normal (11, seed, (int) i, 0, 0, pair);
      sumi_tensor_f32 (t)[i] = mean + sd * pair[0];
    }
  return t;
}

static void
assert_close (const SumiTensor *got, const SumiTensor *want, double limit)
{
  double error = 0, power = 0;

  g_assert_true (sumi_tensor_same_shape (got, want));
  for (gsize i = 0; i < sumi_tensor_count (want); i++)
    {
      const double g = sumi_tensor_f32 (got)[i], w = sumi_tensor_f32 (want)[i];

      g_assert_true (isfinite (g) && isfinite (w));
      error += (g - w) * (g - w);
      power += w * w;
    }
  g_test_message ("NMSE %.3g", error / power);
  g_assert_cmpfloat (power, >, 0);
  g_assert_cmpfloat (error, <=, limit * power);
}

static const struct
{
  float mean, sd;
} scales[] = {
  { 0, 1 },   { 0, 1e30f }, { 1e30f, 1e29f }, { 0, 1e-40f }, { 0, 1e-20f },
  { 100, 1 }, { 1e6f, 1 },  { 3e4f, 1e-2f },  { 5, 0 },      { 1e38f, 2e37f },
};

static void
test_norms (Fixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (scales); i++)
    for (int silu = 0; silu < 2; silu++)
      {
        SumiTensor *x = normal (f, scales[i].mean, scales[i].sd, 4, (const int[]){ 2, 33, 31, 48 });
        SumiTensor *gamma = normal (f, 1, 0.3f, 1, (const int[]){ 48 });
        SumiTensor *beta = normal (f, 0, 0.3f, 1, (const int[]){ 48 });

        g_test_message ("mean %g, sd %g", scales[i].mean, scales[i].sd);
        assert_close (sumi_group_norm (f->fast, x, gamma, beta, 6, 1e-5, silu, NULL),
                      sumi_group_norm (f->plain, x, gamma, beta, 6, 1e-5, silu, NULL), 1e-13);
        assert_close (sumi_layer_norm (f->fast, x, gamma, beta, 1e-5, NULL),
                      sumi_layer_norm (f->plain, x, gamma, beta, 1e-5, NULL), 1e-13);
      }
}

/* The first pixel, about which sums are taken, is far away from all others. */
static void
test_outlier (Fixture *f, gconstpointer data)
{
  SumiTensor *x = normal (f, 0, 1, 4, (const int[]){ 1, 64, 64, 16 });
  SumiTensor *gamma = normal (f, 1, 0.3f, 1, (const int[]){ 16 }), *beta = normal (f, 0, 1, 1, (const int[]){ 16 });

  for (int c = 0; c < 16; c++)
    sumi_tensor_f32 (x)[c] = 1e3f;
  assert_close (sumi_group_norm (f->fast, x, gamma, beta, 4, 1e-5, FALSE, NULL),
                sumi_group_norm (f->plain, x, gamma, beta, 4, 1e-5, FALSE, NULL), 1e-9);
}

/* gelu's error is below 3e-7·|x| everywhere, and its left tail never grows. */
static void
test_gelu (Fixture *f, gconstpointer data)
{
  const int n = 400001;
  SumiTensor *x = sumi_tensor_new (f->arena, SUMI_DTYPE_F32, 1, &n), *got, *want;
  double worst = 0, worst_tail = 0;
  SumiTensor wild = { SUMI_DTYPE_F32, 1, { 6, 1, 1, 1 }, (float[]){ 1e30f, -1e30f, 1e-40f, -1e-40f, 1e38f, -1e38f } };

  for (int i = 0; i < n; i++)
    sumi_tensor_f32 (x)[i] = (float) (i - n / 2) * 1e-4f;
  got = sumi_gelu (f->fast, x, NULL);
  want = sumi_gelu (f->plain, x, NULL);
  for (int i = 0; i < n; i++)
    {
      const double error = fabs ((double) sumi_tensor_f32 (got)[i] - sumi_tensor_f32 (want)[i]);

      worst = MAX (worst, error / MAX (1e-30, fabs (sumi_tensor_f32 (x)[i])));
      if (sumi_tensor_f32 (x)[i] > -8 && sumi_tensor_f32 (x)[i] < 0)
        worst_tail = MAX (worst_tail, error / fabs (sumi_tensor_f32 (want)[i]));
    }
  g_test_message ("worst error %.3g of |x|, %.3g of gelu (x) on (-8, 0)", worst, worst_tail);
  g_assert_cmpfloat (worst, <=, 3e-7);
  g_assert_cmpfloat (worst_tail, <=, 5e-6);

  got = sumi_gelu (f->fast, &wild, NULL);
  g_assert_cmpfloat (sumi_tensor_f32 (got)[0], ==, 1e30f);
  g_assert_cmpfloat (fabsf (sumi_tensor_f32 (got)[1]), <=, 1e-37f);
  g_assert_cmpfloat (fabsf (sumi_tensor_f32 (got)[2] - 0.5e-40f), <=, 1e-44f);
  g_assert_cmpfloat (fabsf (sumi_tensor_f32 (got)[3] + 0.5e-40f), <=, 1e-44f);
  g_assert_cmpfloat (sumi_tensor_f32 (got)[4], ==, 1e38f);
  g_assert_cmpfloat (fabsf (sumi_tensor_f32 (got)[5]), <=, 1e-37f);
}

/* silu's error is below 3e-7·|x| everywhere; no number stays none. */
static void
test_silu (Fixture *f, gconstpointer data)
{
  const int n = 400001;
  SumiTensor *x = sumi_tensor_new (f->arena, SUMI_DTYPE_F32, 1, &n), *got, *want;
  double worst = 0;
  SumiTensor wild = { SUMI_DTYPE_F32, 1, { 6, 1, 1, 1 }, (float[]){ 1e38f, -1e38f, 1e-40f, -1e-40f, NAN, 0 } };

  for (int i = 0; i < n; i++)
    sumi_tensor_f32 (x)[i] = (float) (i - n / 2) * 1e-3f;
  got = sumi_silu (f->fast, x, NULL);
  want = sumi_silu (f->plain, x, NULL);
  for (int i = 0; i < n; i++)
    {
      const double error = fabs ((double) sumi_tensor_f32 (got)[i] - sumi_tensor_f32 (want)[i]);

      worst = MAX (worst, error / MAX (1e-30, fabs (sumi_tensor_f32 (x)[i])));
    }
  g_test_message ("worst error %.3g of |x|", worst);
  g_assert_cmpfloat (worst, <=, 3e-7);

  got = sumi_silu (f->fast, &wild, NULL);
  g_assert_cmpfloat (fabsf (sumi_tensor_f32 (got)[0] / 1e38f - 1), <=, 3e-7f);
  g_assert_cmpfloat (fabsf (sumi_tensor_f32 (got)[1]), <=, 3e31f);
  g_assert_cmpfloat (fabsf (sumi_tensor_f32 (got)[2] - 0.5e-40f), <=, 3e-45f);
  g_assert_cmpfloat (fabsf (sumi_tensor_f32 (got)[3] + 0.5e-40f), <=, 3e-45f);
  g_assert_true (isnan (sumi_tensor_f32 (got)[4]));
  g_assert_true (sumi_tensor_f32 (got)[5] == 0);
}

/* [N, T, Di] is [N·T, Di]; a wrong output and a wrong weight are reported. */
static void
test_linear_3d (Fixture *f, gconstpointer data)
{
  SumiTensor *x = normal (f, 0, 1, 3, (const int[]){ 2, 5, 24 }), *y, *z;
  SumiTensor *w = normal (f, 0, 1, 2, (const int[]){ 7, 24 }), *b = normal (f, 0, 1, 1, (const int[]){ 7 });
  SumiTensor rows = { SUMI_DTYPE_F32, 2, { 10, 24, 1, 1 }, x->data };
  g_autoptr (GError) error = NULL;

  y = sumi_linear (f->fast, x, w, b, NULL);
  z = sumi_linear (f->fast, &rows, w, b, NULL);
  g_assert_cmpint (y->n_dims, ==, 3);
  g_assert_cmpint (y->shape[1], ==, 5);
  g_assert_cmpint (y->shape[2], ==, 7);
  g_assert_cmpmem (y->data, 70 * sizeof (float), z->data, 70 * sizeof (float));

  sumi_linear (f->fast, x, w, b, z);
  g_assert_false (sumi_eval_finish (f->fast, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);
  sumi_linear (f->fast, x, b, b, NULL);
  g_assert_false (sumi_eval_finish (f->fast, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
}

static void
test_shapes (Fixture *f, gconstpointer data)
{
  SumiTensor *x = normal (f, 0, 1, 4, (const int[]){ 1, 2, 2, 15 }), *c = normal (f, 0, 1, 1, (const int[]){ 15 });
  SumiTensor *bad = normal (f, 0, 1, 1, (const int[]){ 14 });
  g_autoptr (GError) error = NULL;

#define REFUSED(call)                                                                                                  \
  call;                                                                                                                \
  g_assert_false (sumi_eval_finish (f->fast, &error));                                                                 \
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);                                                                \
  g_clear_error (&error)
  REFUSED (sumi_group_norm (f->fast, x, c, c, 4, 1e-5, FALSE, NULL));
  REFUSED (sumi_group_norm (f->fast, x, c, c, 0, 1e-5, FALSE, NULL));
  REFUSED (sumi_group_norm (f->fast, x, bad, c, 1, 1e-5, FALSE, NULL));
  REFUSED (sumi_layer_norm (f->fast, x, c, bad, 1e-5, NULL));
  REFUSED (sumi_geglu (f->fast, x, NULL));
  REFUSED (sumi_concat_enlarged (f->fast, x, x, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) g_test_add (path, Fixture, NULL, set_up, test, tear_down)
  ADD ("/extremes/norms", test_norms);
  ADD ("/extremes/outlier", test_outlier);
  ADD ("/extremes/gelu", test_gelu);
  ADD ("/extremes/silu", test_silu);
  ADD ("/extremes/linear-3d", test_linear_3d);
  ADD ("/extremes/shapes", test_shapes);
  return g_test_run ();
}
