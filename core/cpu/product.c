/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loops round the tiles: a block of a panel [DEPTH, columns] stays in the second-level cache while all rows of A
 * pass by; a tile of C stays in registers while K goes by. */
#include "core/cpu/product.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/half.h"
#include "core/base/parallel.h"
#include "core/tensor/eval.h"
#include "core/tensor/prepared.h"
#include "core/tensor/tensor.h"

/* elements of K at a time: a panel's block of 48 columns takes 96 KB */
#define DEPTH       512
/* the widest panel of any instruction set, and the tallest tile */
#define MAX_COLUMNS 48
#define MAX_ROWS    8

/* bf16 takes K in pairs. */
gsize
sumi_packed_depth (const SumiPacked *p)
{
  return p->bf16 ? (gsize) (p->k + 1) / 2 * 2 : (gsize) p->k;
}

/* Where panel @i starts, in elements. */
static gsize
panel_offset (const SumiPacked *p, int i)
{
  return (gsize) (i * sumi_panel_width (p->isa)) * sumi_packed_depth (p);
}

static gsize
packed_size (const SumiPacked *p)
{
  return (gsize) sumi_panel_all_columns (p->isa, p->n) * sumi_packed_depth (p) *
         (p->bf16 ? sizeof (guint16) : sizeof (float));
}

typedef struct
{
  const SumiPacked *p;
  const SumiTensor *w;
  int taps;
  gpointer panels;
  float *rows; /* [threads, k] */
} FillJob;

/* Element k of row n of Bᵀ is w[n, k % channels, k / channels]. */
static void
fill_panel (gpointer data, int index, int thread)
{
  const FillJob *job = data;
  const SumiPacked *p = job->p;
  const int columns = sumi_panel_columns (p->isa, p->n, index), first = index * sumi_panel_width (p->isa),
            channels = p->k / job->taps;
  const gsize offset = panel_offset (p, index), depth = sumi_packed_depth (p);
  float *row = job->rows + (gsize) thread * (gsize) p->k;

  for (int column = 0; column < columns; column++)
    {
      const gsize n = (gsize) (first + column);

      if (n < (gsize) p->n)
        sumi_tensor_read (job->w, n * (gsize) p->k, (gsize) p->k, row);
      else
        memset (row, 0, sizeof (float) * (gsize) p->k);
      if (p->bf16)
        {
          guint16 *to = (guint16 *) job->panels + offset + 2 * column;

          for (gsize k = 0; k < depth; k++)
            {
              const float value =
                  k < (gsize) p->k ? row[k % (gsize) channels * (gsize) job->taps + k / (gsize) channels] : 0;

              sumi_float_to_bfloat (&value, to + k / 2 * (gsize) (2 * columns) + k % 2, 1);
            }
        }
      else
        {
          float *to = (float *) job->panels + offset + column;

          for (int tap = 0; tap < job->taps; tap++)
            for (int c = 0; c < channels; c++, to += columns)
              *to = row[c * job->taps + tap];
        }
    }
}

static void
fill (SumiEval *ev, const SumiTensor *w, gpointer panels, gconstpointer data)
{
  FillJob job = *(const FillJob *) data;

  job.panels = panels;
  job.rows =
      sumi_arena_alloc (ev->scratch, sizeof (float) * (gsize) job.p->k * (gsize) sumi_pool_get_n_threads (ev->pool));
  if (job.rows)
    sumi_parallel_for (ev->pool, sumi_panel_count (job.p->isa, job.p->n), fill_panel, &job);
  else
    sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "no memory to pack weights; close other programs");
}

gboolean
sumi_packed_prepare (SumiEval *ev, SumiPacked *p, const SumiTensor *w, int taps)
{
  static const char f32[] = "f32-panels", bf16[] = "bf16-panels";
  FillJob job = { p, w, taps, NULL, NULL };

  p->panels = sumi_prepared_get (ev, w, (const char *const[]){ p->bf16 ? bf16 : f32, p->isa->key }, packed_size (p),
                                 fill, &job);
  return p->panels && ! ev->error;
}

/* One tile: [@m, @n] of C, @n ≤ @columns of the panel, and @depth elements of K. */
static void
run_tile (const SumiPacked *p,
          int m,
          int n,
          int columns,
          int depth,
          gconstpointer a,
          gsize lda,
          gconstpointer b,
          const float *bias,
          const float *add,
          float *c,
          gsize ldc)
{
  const int vectors = columns / p->isa->lanes;
  const gboolean whole = n == columns;
  float edge[MAX_ROWS * MAX_COLUMNS];
  float *to = whole ? c : edge;
  const gsize ldto = whole ? ldc : (gsize) columns;

  for (int i = 0; ! whole && add && i < m; i++)
    memcpy (edge + (gsize) i * ldto, add + (gsize) i * ldc, sizeof (float) * (gsize) n);
  if (p->bf16)
    p->isa->product_bf16 (m, vectors, (depth + 1) / 2, a, lda, b, to, ldto, bias, whole || ! add ? add : edge);
  else
    p->isa->product (m, vectors, depth, a, lda, b, to, ldto, bias, whole || ! add ? add : edge);
  for (int i = 0; ! whole && i < m; i++)
    memcpy (c + (gsize) i * ldc, edge + (gsize) i * ldto, sizeof (float) * (gsize) n);
}

void
sumi_product (const SumiPacked *b,
              int from,
              int to,
              int m,
              gconstpointer a,
              gsize lda,
              const float *bias,
              const float *add,
              float *c,
              gsize ldc)
{
  const gsize size = b->bf16 ? sizeof (guint16) : sizeof (float);
  float start[MAX_COLUMNS];

  for (int panel = from; panel < to; panel++)
    {
      const int columns = sumi_panel_columns (b->isa, b->n, panel), first = panel * sumi_panel_width (b->isa);
      const int n = MIN (columns, b->n - first);
      const char *block = (const char *) b->panels + panel_offset (b, panel) * size;

      for (int j = 0; j < columns; j++)
        start[j] = bias && j < n ? bias[first + j] : 0;
      for (int k = 0; k < b->k; k += DEPTH)
        for (int i = 0; i < m; i += b->isa->rows)
          {
            const gsize at = (gsize) i * ldc + (gsize) first;

            run_tile (b, MIN (b->isa->rows, m - i), n, columns, MIN (DEPTH, b->k - k),
                      (const char *) a + ((gsize) i * lda + (gsize) k) * size, lda,
                      block + (gsize) k * (gsize) columns * size, k ? NULL : start,
                      k   ? c + at :
                      add ? add + at :
                            NULL,
                      c + at, ldc);
          }
    }
}
