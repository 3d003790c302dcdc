/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/nn/embedding.h"

#include <math.h>

#include "core/tensor/tensor.h"

void
sumi_embed_sinusoid (const double *values, int n, const SumiTensor *omega, SumiTensor *out)
{
  const int count = omega->shape[0];
  float *y = sumi_tensor_f32 (out);

  g_return_if_fail (sumi_tensor_count (out) == (gsize) (2 * n * count));
  for (int i = 0; i < n; i++)
    for (int k = 0; k < count; k++)
      {
        const double angle = values[i] * sumi_tensor_f32 (omega)[k];

        y[2 * i * count + k] = (float) sin (angle);
        y[(2 * i + 1) * count + k] = (float) cos (angle);
      }
}
