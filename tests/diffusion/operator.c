/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every operator against its own dense matrix: the adjoint is the transpose, (A·Aᵀ + c·I)·solve (y) = y, ridge is what
 * the normal equations say, f (A·Aᵀ) is linear algebra; and each is what it says it is. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/random.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/operator.h"
#include "core/sumi.h"
#include "core/tensor/tensor.h"

#define N 2
#define H 6
#define W 8
#define C 3

static const int shape[4] = { N, H, W, C };

static SumiTensor *
tensor (SumiArena *arena, int dtype, const int *dims, guint64 seed)
{
  SumiTensor *t = sumi_tensor_new (arena, (SumiDType) dtype, 4, dims);

  for (gsize i = 0; i < sumi_tensor_count (t); i++)
    sumi_tensor_put (t, i, seed ? (double) (sumi_random_hash (seed, i, 0) >> 11) * 0x1p-52 - 1 : 0);
  return t;
}

/* 0 in the left half, 1 in the right, 0.25 in the column between. */
static SumiTensor *
map (SumiArena *arena, int width, gboolean right)
{
  SumiTensor *t = tensor (arena, SUMI_DTYPE_F32, (const int[]){ 1, H, width, 1 }, 0);

  for (int i = 0; i < H * width; i++)
    {
      const double value = i % width == width / 2 ? 0.25 : i % width > width / 2;

      sumi_tensor_put (t, (gsize) i, right ? value < 1 : value);
    }
  return t;
}

typedef SumiOperator *(*Make) (SumiArena *arena, GError **error);

static SumiOperator *
make_mask (SumiArena *arena, GError **error)
{
  return sumi_operator_new_mask (shape, map (arena, W, FALSE), FALSE, error);
}

static SumiOperator *
make_soft (SumiArena *arena, GError **error)
{
  return sumi_operator_new_mask (shape, map (arena, W, FALSE), TRUE, error);
}

static SumiOperator *
make_grey (SumiArena *arena, GError **error)
{
  return sumi_operator_new_grey (shape, error);
}

static SumiOperator *
make_blur (SumiArena *arena, GError **error)
{
  return sumi_operator_new_blur (shape, 0.7, SUMI_BORDER_REFLECT, error);
}

static SumiOperator *
make_wide_blur (SumiArena *arena, GError **error)
{
  return sumi_operator_new_blur (shape, 3, SUMI_BORDER_REPLICATE, error);
}

static SumiOperator *
make_box (SumiArena *arena, GError **error)
{
  return sumi_operator_new_box (shape, 2, error);
}

static SumiOperator *
make_bicubic (SumiArena *arena, GError **error)
{
  return sumi_operator_new_bicubic (shape, 2, error);
}

static SumiOperator *
make_small_grey (SumiArena *arena, GError **error)
{
  return sumi_operator_new_composed (sumi_operator_new_bicubic ((const int[]){ N, H, W, 1 }, 2, error),
                                     sumi_operator_new_grey (shape, error), error);
}

static SumiOperator *
make_blurred_small (SumiArena *arena, GError **error)
{
  return sumi_operator_new_composed (sumi_operator_new_box (shape, 2, error),
                                     sumi_operator_new_blur (shape, 0.6, SUMI_BORDER_REFLECT, error), error);
}

/* Known pixels, and the grey of all others. */
static SumiOperator *
make_colour (SumiArena *arena, GError **error)
{
  SumiOperator *const parts[] = {
    make_mask (arena, error),
    sumi_operator_new_composed (
        sumi_operator_new_mask ((const int[]){ N, H, W, 1 }, map (arena, W, TRUE), FALSE, error),
        sumi_operator_new_grey (shape, error), error),
  };

  return sumi_operator_new_stack (2, parts, error);
}

/* The same and a small copy: its rows overlap the others', and some are their sums. */
static SumiOperator *
make_all (SumiArena *arena, GError **error)
{
  SumiOperator *const parts[] = { make_colour (arena, error), make_box (arena, error) };

  return sumi_operator_new_stack (2, parts, error);
}

static const struct
{
  const char *name;
  Make make;
  gboolean cheap;
} cases[] = {
  { "mask", make_mask, TRUE },
  { "soft-mask", make_soft, TRUE },
  { "grey", make_grey, TRUE },
  { "blur", make_blur, TRUE },
  { "wide-blur", make_wide_blur, TRUE },
  { "box", make_box, TRUE },
  { "bicubic", make_bicubic, TRUE },
  { "grey-bicubic", make_small_grey, TRUE },
  { "blur-box", make_blurred_small, FALSE },
  { "known-and-grey", make_colour, TRUE },
  { "known-grey-and-small", make_all, FALSE },
};

static double
norm (SumiEval *ev, const SumiTensor *t)
{
  return sqrt (sumi_dot (ev, t, t));
}

static SumiTensor *
minus (SumiArena *arena, const SumiTensor *a, const SumiTensor *b)
{
  SumiTensor *d = tensor (arena, SUMI_DTYPE_F64, a->shape, 0);

  g_assert_true (sumi_tensor_same_shape (a, b));
  for (gsize i = 0; i < sumi_tensor_count (a); i++)
    sumi_tensor_put (d, i, sumi_tensor_get (a, i) - sumi_tensor_get (b, i));
  return d;
}

static void
test_adjoint (gconstpointer data)
{
  g_autoptr (SumiPool) pool = sumi_pool_new (3);
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, pool);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiOperator) a = ((Make) data) (arena, NULL);
  const int dtypes[] = { SUMI_DTYPE_F64, SUMI_DTYPE_F32 };

  for (int i = 0; i < 2; i++)
    {
      SumiTensor *x = tensor (arena, dtypes[i], a->x_shape, 3), *y = tensor (arena, dtypes[i], a->y_shape, 4);
      const double left = sumi_dot (ev, sumi_operator_apply (a, ev, x), y);
      const double right = sumi_dot (ev, x, sumi_operator_adjoint (a, ev, y));

      g_assert_no_error (ev->error);
      g_test_message ("%s: <Ax, y> = %.12g, <x, A'y> = %.12g", a->name, left, right);
      g_assert_cmpfloat (fabs (left - right), <, i ? 2e-5 : 1e-12);
      g_assert_cmpfloat (norm (ev, sumi_operator_apply (a, ev, x)), <=, norm (ev, x) * sqrt (a->norm2) * (1 + 1e-6));
    }
}

static void
test_solve (gconstpointer data)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiOperator) a = ((Make) data) (arena, NULL);
  SumiTensor *x = tensor (arena, SUMI_DTYPE_F64, a->x_shape, 3), *y = tensor (arena, SUMI_DTYPE_F64, a->y_shape, 4);
  const double all[] = { 1, 0.01, 1e-4 };

  for (int i = 0; i < 3; i++)
    {
      const double c = all[i];
      SumiTensor *w = tensor (arena, SUMI_DTYPE_F64, a->y_shape, 0), *back, *ridge;

      sumi_operator_solve (a, ev, y, c, w);
      back = sumi_operator_apply (a, ev, sumi_operator_adjoint (a, ev, w));
      for (gsize k = 0; k < sumi_tensor_count (w); k++)
        sumi_tensor_put (back, k, sumi_tensor_get (back, k) + c * sumi_tensor_get (w, k));
      g_assert_no_error (ev->error);
      g_assert_cmpfloat (norm (ev, minus (arena, back, y)), <, 1e-6 * norm (ev, y));
      ridge = sumi_operator_ridge (a, ev, y, c);
      g_assert_cmpfloat (norm (ev, minus (arena, ridge, sumi_operator_adjoint (a, ev, w))), <, 1e-4 * norm (ev, ridge));
    }
  { /* pseudo-inverse: A·A⁺·A = A, A⁺·A a projection, of least norm */
    SumiTensor *seen = sumi_operator_apply (a, ev, x), *p = sumi_operator_pinv (a, ev, seen);
    SumiTensor *twice = sumi_operator_pinv (a, ev, sumi_operator_apply (a, ev, p));

    g_assert_cmpfloat (norm (ev, minus (arena, sumi_operator_apply (a, ev, p), seen)), <, 1e-4 * norm (ev, seen));
    g_assert_cmpfloat (norm (ev, minus (arena, twice, p)), <, 1e-3 * norm (ev, p));
    g_assert_cmpfloat (fabs (sumi_dot (ev, p, minus (arena, x, p))), <, 1e-4 * sumi_dot (ev, x, x));
    g_assert_no_error (ev->error);
  }
}

static double
square (gpointer data, double lambda)
{
  return lambda * lambda + *(double *) data;
}

static void
test_spectral (gconstpointer data)
{
  g_autoptr (SumiPool) pool = sumi_pool_new (2);
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, pool);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiOperator) a = ((Make) data) (arena, NULL);
  SumiTensor *y = tensor (arena, SUMI_DTYPE_F64, a->y_shape, 5), *want = y, *have;
  double plus = 0.5;
  gboolean cheap = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    cheap |= cases[i].make == (Make) data && cases[i].cheap;
  have = sumi_operator_spectral (a, ev, y, square, &plus);
  g_assert_cmpint (have != NULL, ==, cheap);
  if (! cheap)
    return;
  for (int i = 0; i < 2; i++)
    want = sumi_operator_apply (a, ev, sumi_operator_adjoint (a, ev, want));
  for (gsize k = 0; k < sumi_tensor_count (y); k++)
    sumi_tensor_put (want, k, sumi_tensor_get (want, k) + plus * sumi_tensor_get (y, k));
  want = sumi_operator_adjoint (a, ev, want);
  g_assert_no_error (ev->error);
  g_assert_cmpfloat (norm (ev, minus (arena, have, want)), <, 1e-11 * norm (ev, want));
}

/* What each does to pictures where that is plain. */
static void
test_values (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  SumiTensor *x = tensor (arena, SUMI_DTYPE_F64, shape, 0);

  for (gsize i = 0; i < sumi_tensor_count (x); i++)
    sumi_tensor_put (x, i, (double) (i / 3 % W) + 10 * (double) (i % 3)); /* a ramp along x */
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (SumiOperator) a = cases[i].make (arena, NULL);
      SumiTensor *y = sumi_operator_apply (a, ev, x);
      const double *v = y->data;

      if (! strcmp (cases[i].name, "box"))
        g_assert_cmpfloat_with_epsilon (v[3 * 2 + 1], 14.5, 1e-12);
      if (! strcmp (cases[i].name, "bicubic")) /* keeps straight lines away from the borders */
        g_assert_cmpfloat_with_epsilon (v[3 * 2 + 1], 14.5, 0.02);
      if (! strcmp (cases[i].name, "grey"))
        g_assert_cmpfloat_with_epsilon (v[5], 5 + 0.587 * 10 + 0.114 * 20, 1e-12);
      if (! strcmp (cases[i].name, "blur"))
        g_assert_cmpfloat_with_epsilon (v[3 * 4 + 2], 24, 1e-12);
      if (! strcmp (cases[i].name, "soft-mask"))
        g_assert_cmpfloat_with_epsilon (v[3 * (W / 2)], 0.75 * W / 2, 1e-12);
      if (! strcmp (cases[i].name, "mask"))
        g_assert_cmpfloat (v[3 * (W / 2)], ==, 0);
      if (! strcmp (cases[i].name, "known-and-grey"))
        g_assert_cmpfloat_with_epsilon (v[H * W * C + W - 1], W - 1 + 0.587 * 10 + 0.114 * 20, 1e-12);
    }
  g_assert_no_error (ev->error);
}

static void
test_large (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  const int wide[4] = { 1, 4, 4 * (SUMI_OPERATOR_SIDE + 10), 1 };
  g_autoptr (SumiOperator) a = sumi_operator_new_bicubic (wide, 4, NULL);
  SumiTensor *x = tensor (arena, SUMI_DTYPE_F32, wide, 3), *y = sumi_operator_apply (a, ev, x), *again;
  double none = 0;

  g_assert_null (sumi_operator_spectral (a, ev, y, square, &none));
  again = sumi_operator_apply (a, ev, sumi_operator_pinv (a, ev, y));
  g_assert_no_error (ev->error);
  g_assert_cmpfloat (norm (ev, minus (arena, again, y)), <, 1e-5 * norm (ev, y));
}

static void
test_errors (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiOperator) grey = make_grey (arena, NULL);

  g_assert_null (sumi_operator_new_box (shape, 4, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "multiple of 4"));
  g_clear_error (&error);
  g_assert_null (sumi_operator_new_grey ((const int[]){ 1, 4, 4, 1 }, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);
  g_assert_null (sumi_operator_new_mask (shape, map (arena, W / 2, FALSE), FALSE, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);
  g_assert_null (sumi_operator_new_composed (make_grey (arena, NULL), make_grey (arena, NULL), &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);
  sumi_operator_apply (grey, ev, tensor (arena, SUMI_DTYPE_F32, (const int[]){ 1, 2, 2, 3 }, 1));
  g_assert_error (ev->error, SUMI_ERROR, SUMI_ERROR_SHAPE);
}

int
main (int argc, char **argv)
{
  const struct
  {
    const char *name;
    GTestDataFunc func;
  } tests[] = { { "adjoint", test_adjoint }, { "solve", test_solve }, { "spectral", test_spectral } };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize k = 0; k < G_N_ELEMENTS (tests); k++)
      {
        g_autofree char *path = g_strdup_printf ("/diffusion/operator/%s/%s", tests[k].name, cases[i].name);

        g_test_add_data_func (path, (gconstpointer) cases[i].make, tests[k].func);
      }
  g_test_add_func ("/diffusion/operator/values", test_values);
  g_test_add_func ("/diffusion/operator/large", test_large);
  g_test_add_func ("/diffusion/operator/errors", test_errors);
  return g_test_run ();
}
