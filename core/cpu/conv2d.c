/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolution as a matrix product over tiles of rows: a tile's columns [Ci·K·K, pixels] are unfolded into a buffer that
 * fits the second-level cache and multiplied by the weight [Co, Ci·K·K] at once; 1×1 needs no unfolding. The tiles
 * depend on the shapes only. */
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

/* floats of one thread's unfolded tile: 512 KB */
#define TILE_FLOATS (128 * 1024)
#define SPAN        512

typedef struct
{
  const float *x, *w, *b;
  float *y;
  float *columns; /* [threads, columns_size] */
  gsize columns_size;
  int ci, height, width, co, k, out_height, out_width, stride, pad;
  int rows;  /* output rows per tile */
  int tiles; /* per picture */
} Job;

/* One output row of one (channel, u, v): the input row shifted, zeros outside. */
static void
unfold_row (const Job *j, const float *x, int row, int v, float *out)
{
  const int first = v - j->pad; /* input column of output column 0 */
  int from = 0, to = j->out_width;

  if (row < 0 || row >= j->height)
    {
      memset (out, 0, sizeof (float) * (gsize) j->out_width);
      return;
    }
  x += (gsize) row * (gsize) j->width;
  while (from < to && first + from * j->stride < 0)
    out[from++] = 0;
  while (to > from && first + (to - 1) * j->stride >= j->width)
    out[--to] = 0;
  if (j->stride == 1)
    memcpy (out + from, x + first + from, sizeof (float) * (gsize) (to - from));
  else
    for (int i = from; i < to; i++)
      out[i] = x[first + i * j->stride];
}

static void
put_bias (const Job *j, float *y, gsize plane, gsize n)
{
  if (j->b)
    for (int o = 0; o < j->co; o++)
      for (gsize i = 0; i < n; i++)
        y[(gsize) o * plane + i] = j->b[o];
}

static void
conv_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const int n = index / j->tiles, row0 = index % j->tiles * j->rows;
  const int rows = MIN (j->rows, j->out_height - row0), depth = j->ci * j->k * j->k;
  const gsize plane = (gsize) j->height * (gsize) j->width, out_plane = (gsize) j->out_height * (gsize) j->out_width;
  const gsize pixels = (gsize) rows * (gsize) j->out_width;
  const float *x = j->x + (gsize) n * (gsize) j->ci * plane;
  float *columns = j->columns + (gsize) thread * j->columns_size, *to = columns;
  float *y = j->y + (gsize) n * (gsize) j->co * out_plane + (gsize) row0 * (gsize) j->out_width;

  for (int c = 0; c < j->ci; c++)
    for (int u = 0; u < j->k; u++)
      for (int v = 0; v < j->k; v++)
        for (int r = 0; r < rows; r++, to += j->out_width)
          unfold_row (j, x + (gsize) c * plane, (row0 + r) * j->stride + u - j->pad, v, to);
  put_bias (j, y, out_plane, pixels);
  sumi_gemm (j->co, (int) pixels, depth, j->w, depth, columns, (int) pixels, FALSE, y, (int) out_plane, j->b != NULL);
}

/* 1×1: the picture itself is the matrix of columns. */
static void
pointwise_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize plane = (gsize) j->height * (gsize) j->width;
  const gsize n = (gsize) (index / j->tiles), start = (gsize) (index % j->tiles) * SPAN;
  const int pixels = (int) MIN (plane - start, SPAN);
  float *y = j->y + n * (gsize) j->co * plane + start;

  put_bias (j, y, plane, (gsize) pixels);
  sumi_gemm (j->co, pixels, j->ci, j->w, j->ci, j->x + n * (gsize) j->ci * plane + start, (int) plane, FALSE, y,
             (int) plane, j->b != NULL);
}

static void
conv2d_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const SumiConv2dParams *p = params;
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  Job j = {
    .x = sumi_tensor_f32 (in[0]),
    .w = sumi_tensor_f32 (in[1]),
    .b = in[2] ? sumi_tensor_f32 (in[2]) : NULL,
    .y = sumi_tensor_f32 (out),
    .ci = in[0]->shape[1],
    .height = in[0]->shape[2],
    .width = in[0]->shape[3],
    .co = out->shape[1],
    .k = in[1]->shape[2],
    .out_height = out->shape[2],
    .out_width = out->shape[3],
    .stride = p->stride,
    .pad = p->pad,
  };

  if ((gint64) out->shape[2] * out->shape[3] > G_MAXINT)
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "conv2d: %d×%d pixels are too many at once", out->shape[2], out->shape[3]);
      return;
    }
  if (j.k == 1 && j.stride == 1 && j.pad == 0)
    {
      j.tiles = (int) (((gsize) j.height * (gsize) j.width + SPAN - 1) / SPAN);
      sumi_parallel_for (ev->pool, out->shape[0] * j.tiles, pointwise_piece, &j);
      return;
    }
  j.rows = CLAMP (TILE_FLOATS / MAX (1, j.ci * j.k * j.k * j.out_width), 1, MAX (1, j.out_height));
  j.tiles = (j.out_height + j.rows - 1) / j.rows;
  j.columns_size = (gsize) (j.ci * j.k * j.k) * (gsize) j.rows * (gsize) j.out_width;
  j.columns =
      sumi_arena_alloc (ev->scratch, sizeof (float) * j.columns_size * (gsize) sumi_pool_get_n_threads (ev->pool));
  if (! j.columns)
    sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "no memory to convolve %d×%d pixels of %d channels", j.height, j.width,
                    j.ci);
  else
    sumi_parallel_for (ev->pool, out->shape[0] * j.tiles, conv_piece, &j);
  sumi_arena_release (ev->scratch, mark);
}

const SumiCpuKernel sumi_cpu_conv2d = { "conv2d", conv2d_run };
