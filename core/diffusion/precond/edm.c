/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/precond/edm.h"

#include <math.h>

SumiPrecond
sumi_precond_edm (double sigma, double sigma_data)
{
  const double s2 = sigma * sigma, d2 = sigma_data * sigma_data;

  return (SumiPrecond){
    .c_skip = d2 / (s2 + d2),
    .c_out = sigma * sigma_data / sqrt (s2 + d2),
    .c_in = 1 / sqrt (s2 + d2),
    .c_noise = log (sigma) / 4,
  };
}
