/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shrinking by whole factors. Pixel i of the small side covers [i·f, (i + 1)·f) of the large one. */
#include <math.h>

#include "core/base/error.h"
#include "core/diffusion/operator/separable.h"

static gboolean
divides (const int *shape, int factor, const char *name, GError **error)
{
  if (factor >= 1 && shape[1] >= 1 && shape[2] >= 1 && shape[1] % factor == 0 && shape[2] % factor == 0)
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE, "operator %s: %d × %d pixels are not a multiple of %d", name,
               shape[2], shape[1], factor);
  return FALSE;
}

static SumiMatrix *
means (int n, int factor)
{
  SumiMatrix *m = sumi_matrix_new (n / factor, n, factor);

  for (int i = 0; i < n; i++)
    {
      m->column[i] = i;
      m->weight[i] = 1.0 / factor;
    }
  return m;
}

SumiOperator *
sumi_operator_new_box (const int *shape, int factor, GError **error)
{
  return divides (shape, factor, "box", error) ?
             sumi_operator_new_separable ("box", shape, means (shape[1], factor), means (shape[2], factor)) :
             NULL;
}

/* Keys 1981, a = −0.5. */
static double
cubic (double t)
{
  t = fabs (t);
  if (t < 1)
    return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

static int
reflect (int i, int n)
{
  i = ((i % (2 * n)) + 2 * n) % (2 * n);
  return i < n ? i : 2 * n - 1 - i;
}

/* [to, from]: cubic interpolation at the centres of @to pixels of width @width each, stretched by @stretch. */
static SumiMatrix *
cubics (int to, int from, double width, double stretch)
{
  const int taps = (int) ceil (4 * stretch) + 1;
  SumiMatrix *m = sumi_matrix_new (to, from, taps);

  for (int i = 0; i < to; i++)
    {
      const double centre = (i + 0.5) * width;
      const int first = (int) floor (centre - 2 * stretch);
      double sum = 0;

      for (int k = 0; k < taps; k++)
        sum += cubic ((first + k + 0.5 - centre) / stretch);
      for (int k = 0; k < taps; k++)
        {
          m->column[i * taps + k] = reflect (first + k, from);
          m->weight[i * taps + k] = cubic ((first + k + 0.5 - centre) / stretch) / sum;
        }
    }
  return m;
}

SumiOperator *
sumi_operator_new_bicubic (const int *shape, int factor, GError **error)
{
  return divides (shape, factor, "bicubic", error) ?
             sumi_operator_new_separable ("bicubic", shape, cubics (shape[1] / factor, shape[1], factor, factor),
                                          cubics (shape[2] / factor, shape[2], factor, factor)) :
             NULL;
}

static SumiMatrix *
down (int n, int factor)
{
  return cubics ((n + factor - 1) / factor, n, factor, factor);
}

static SumiMatrix *
up (int n, int factor)
{
  return cubics (n, (n + factor - 1) / factor, 1.0 / factor, 1);
}

SumiOperator *
sumi_operator_new_lowpass (const int *shape, int factor, GError **error)
{
  SumiOperator *small, *large;

  if (factor < 1 || shape[1] < 1 || shape[2] < 1)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE,
                   "operator lowpass: a factor of %d on %d × %d pixels, expected at least 1 each", factor, shape[2],
                   shape[1]);
      return NULL;
    }
  small = sumi_operator_new_separable ("bicubic", shape, down (shape[1], factor), down (shape[2], factor));
  large = sumi_operator_new_separable ("bicubic", small->y_shape, up (shape[1], factor), up (shape[2], factor));
  return sumi_operator_new_composed (large, small, error);
}
