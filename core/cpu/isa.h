/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Instruction sets: for each a table of the few inner loops that everything fast is made of. One file per set in isa/,
 * compiled for it; the best that the processor has is picked at the first use. Another (NEON, SVE, AMX) is one more
 * file and one row.
 *
 * "Panels": the right factor B [K, N] of a product is stored in panels of `vectors`·`lanes` columns (the last one
 * narrower, a multiple of `lanes`, filled with zeros), each [K, columns]; for bf16 [K/2, columns, 2], K rounded up. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Winograd's minimal filtering F(m×m, 3×3), `lanes` channels at a time (Lavin and Gray, CVPR 2016). Arrays of s = (m +
 * 2)² vectors are spaced @step floats; channels are @n vectors, side by side everywhere. */
typedef struct
{
  const char *key;
  int tile; /* m: pixels of the output a side */
  /* U = G·g·Gᵀ; @g: 9 rows @row floats apart, by row and column of the filter */
  void (*weights) (const float *g, gsize row, int n, float *u, gsize step);
  /* V = Bᵀ·d·B of (m + 2)² pixels @x, @dx floats apart in a row and @dy from row to row */
  void (*input) (const float *x, gsize dx, gsize dy, int n, float *v, gsize step);
  /* m×m pixels Aᵀ·M·A + @bias + @add to @y, spaced by @dx and @dy; @bias: (nullable) [@n·lanes]; @add: (nullable)
   * spaced like @y, may be @y */
  void (*output) (const float *m, gsize step, int n, const float *bias, const float *add, float *y, gsize dx, gsize dy);
} SumiWinograd;

#define SUMI_N_WINOGRADS 2

typedef struct SumiCpuAttention SumiCpuAttention; /* attention.h */

typedef struct
{
  const char *key, *label;
  int lanes;   /* f32 in a vector */
  int rows;    /* of A in a tile of the product: at most this many at once */
  int vectors; /* of a panel */
  /* Whether this processor (and system) can run it. */
  gboolean (*usable) (void);

  /* C[@m, @nv·lanes] ← A·B + bias + add. @a: @m ≤ rows rows of @k, @lda apart; @b: a panel of @nv ≤ vectors vectors,
   * [@k,
   * @nv·lanes]; @c: rows @ldc apart; @bias: (nullable) [@nv·lanes]; @add: (nullable) rows @ldc
   * apart too, may be @c. */
  void (*product) (int m,
                   int nv,
                   int k,
                   const float *a,
                   gsize lda,
                   const float *b,
                   float *c,
                   gsize ldc,
                   const float *bias,
                   const float *add);
  /* The same on bf16, @k pairs; sums are f32. NULL: this set has no bf16 product. */
  void (*product_bf16) (int m,
                        int nv,
                        int k,
                        const guint16 *a,
                        gsize lda,
                        const guint16 *b,
                        float *c,
                        gsize ldc,
                        const float *bias,
                        const float *add);

  const SumiCpuAttention *attention, *attention_bf16; /* bf16: nullable */

  const SumiWinograd *winograds; /* [SUMI_N_WINOGRADS]: F(4×4) and F(2×2) */
} SumiCpuIsa;

/* The set in use: the best usable one, or the one that $SUMI_CPU names. */
const SumiCpuIsa *sumi_cpu_isa (void);
/* All that were compiled in, best first, NULL-ended. */
const SumiCpuIsa *const *sumi_cpu_isas (void);
/* Makes sumi_cpu_isa() answer @isa (NULL: the best) from now on: for tests and the bench. */
void sumi_cpu_isa_use (const SumiCpuIsa *isa);

/* Panels of @n columns: columns of all but the last, number, columns of panel @i, of all together. */
static inline int
sumi_panel_width (const SumiCpuIsa *isa)
{
  return isa->lanes * isa->vectors;
}

static inline int
sumi_panel_count (const SumiCpuIsa *isa, int n)
{
  return (n + sumi_panel_width (isa) - 1) / sumi_panel_width (isa);
}

static inline int
sumi_panel_all_columns (const SumiCpuIsa *isa, int n)
{
  return (n + isa->lanes - 1) / isa->lanes * isa->lanes;
}

static inline int
sumi_panel_columns (const SumiCpuIsa *isa, int n, int i)
{
  return MIN (sumi_panel_width (isa), sumi_panel_all_columns (isa, n - i * sumi_panel_width (isa)));
}

/* How many pieces keep @n_threads busy to the end. */
int sumi_pieces_wanted (int n_threads);
/* Of @panels how many go into one piece, not below @least unless there are fewer: all, unless @blocks (of the other
 * dimension) are too few pieces for @n_threads. */
int sumi_panel_group (int panels, int least, int blocks, int n_threads);

G_END_DECLS
