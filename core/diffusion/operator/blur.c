/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "core/base/error.h"
#include "core/diffusion/operator/separable.h"

static int
at_border (int i, int n, SumiBorder border)
{
  if (border == SUMI_BORDER_REPLICATE)
    return CLAMP (i, 0, n - 1);
  i = ((i % (2 * n)) + 2 * n) % (2 * n);
  return i < n ? i : 2 * n - 1 - i;
}

static SumiMatrix *
gaussian (int n, double sigma, SumiBorder border)
{
  const int radius = (int) ceil (3 * sigma), taps = 2 * radius + 1;
  SumiMatrix *m = sumi_matrix_new (n, n, taps);
  double sum = 0;

  for (int k = -radius; k <= radius; k++)
    sum += exp (-k * k / (2 * sigma * sigma));
  for (int i = 0; i < n; i++)
    for (int k = 0; k < taps; k++)
      {
        m->column[i * taps + k] = at_border (i + k - radius, n, border);
        m->weight[i * taps + k] = exp (-(k - radius) * (k - radius) / (2 * sigma * sigma)) / sum;
      }
  return m;
}

SumiOperator *
sumi_operator_new_blur (const int *shape, double sigma, SumiBorder border, GError **error)
{
  if (! (sigma > 0 && sigma <= 1000) || shape[1] < 1 || shape[2] < 1)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE,
                   "operator blur: a standard deviation of %g on %d × %d pixels, expected 0 to 1000 on at least one",
                   sigma, shape[2], shape[1]);
      return NULL;
    }
  return sumi_operator_new_separable ("blur", shape, gaussian (shape[1], sigma, border),
                                      gaussian (shape[2], sigma, border));
}
