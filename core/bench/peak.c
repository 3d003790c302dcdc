/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loops in plain C, with vectors of the compiler: what every processor of this architecture can do. */
#include "core/bench/peak.h"

#define CHAINS 12
#define LANES  4

typedef float Vector __attribute__ ((vector_size (4 * LANES)));

static float
plain_fma (gint64 n)
{
  Vector sum[CHAINS] = { { 0 } };
  const Vector scale = { 0.9f, 0.8f, 0.7f, 0.6f }, step = { 0.1f, 0.2f, 0.3f, 0.4f };
  float all = 0;

  for (gint64 i = 0; i < n; i++)
#pragma GCC unroll 12
    for (int c = 0; c < CHAINS; c++)
      sum[c] = sum[c] * scale + step;
  for (int c = 0; c < CHAINS; c++)
    all += sum[c][0] + sum[c][LANES - 1];
  return all;
}

static float
plain_read (const float *data, gsize size)
{
  const Vector *x = (const Vector *) data;
  Vector sum[8] = { { 0 } };
  float all = 0;

  for (gsize i = 0; i < size / sizeof *x; i += 8)
#pragma GCC unroll 8
    for (int c = 0; c < 8; c++)
      sum[c] += x[i + (gsize) c];
  for (int c = 0; c < 8; c++)
    all += sum[c][0] + sum[c][LANES - 1];
  return all;
}

static const SumiBenchPeak plain = {
  .key = "plain C",
  .fma = plain_fma,
  .fma_ops = 2 * CHAINS * LANES,
  .read = plain_read,
};

const SumiBenchPeak *
sumi_bench_peak (void)
{
#ifdef __x86_64__
  const SumiBenchPeak *best = sumi_bench_peak_x86 ();

  if (best)
    return best;
#endif
  return &plain;
}
