/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loops that do nothing but keep one unit of the processor busy, for each instruction set. Private to core/bench. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef struct
{
  const char *key; /* "avx512" */
  /* Each keeps all its operands in registers, in independent chains, and returns a value that depends on all work.
   * (nullable): there is no such instruction */
  float (*fma) (gint64 n);  /* f32 multiply and add */
  float (*bf16) (gint64 n); /* dot products of bf16 pairs, added up in f32 */
  float (*int8) (gint64 n); /* dot products of 8-bit quadruples, added up in 32 bits */
  /* Operations (a multiplication and an addition are two) of one turn. */
  double fma_ops, bf16_ops, int8_ops;
  /* Reads @size bytes, a multiple of 1024, aligned to 64. */
  float (*read) (const float *data, gsize size);
} SumiBenchPeak;

/* The widest one that this processor has. */
const SumiBenchPeak *sumi_bench_peak (void);

#ifdef __x86_64__
/* Returns: (nullable): what AVX2 or AVX-512 make of it, where the processor has them. */
const SumiBenchPeak *sumi_bench_peak_x86 (void);
#endif

G_END_DECLS
