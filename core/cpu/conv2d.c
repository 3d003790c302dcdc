/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolution as a matrix product over tiles: what a tile's pixels see of some input channels is unfolded into a buffer
 * [channels·K·K, pixels] that fits the second-level cache, multiplied by the weight [Co, channels·K·K], and added up
 * over the channels. 1×1 needs no unfolding. The tiles depend on the shapes only. */
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
/* pixels of a tile, about: enough to make up for packing the weights, few enough to share small pictures out */
#define TILE_PIXELS 256
#define SPAN        512

typedef struct
{
  const float *x, *w, *b;
  float *y;
  float *columns; /* [threads, columns_size] */
  gsize columns_size;
  int ci, height, width, co, k, out_height, out_width, stride, pad;
  int rows, cols;    /* output pixels of a tile: whole rows, or a part of one */
  int across, tiles; /* tiles side by side, tiles per picture */
  int channels;      /* unfolded at a time */
} Job;

/* Output columns [@from, @from + @n) of one output row, for kernel column @v: the input row shifted, zeros outside.
 * @x: the input row; NULL outside */
static void
unfold_row (const Job *j, const float *x, int v, int from, int n, float *out)
{
  const int first = from * j->stride + v - j->pad; /* input column of the first output column */
  int lo = 0, hi = n;

  if (! x)
    {
      memset (out, 0, sizeof (float) * (gsize) n);
      return;
    }
  while (lo < hi && first + lo * j->stride < 0)
    out[lo++] = 0;
  while (hi > lo && first + (hi - 1) * j->stride >= j->width)
    out[--hi] = 0;
  if (j->stride == 1)
    memcpy (out + lo, x + first + lo, sizeof (float) * (gsize) (hi - lo));
  else
    for (int i = lo; i < hi; i++)
      out[i] = x[first + i * j->stride];
}

static void
put_bias (const Job *j, float *y, gsize plane, gsize n)
{
  for (int o = 0; o < j->co; o++)
    for (gsize i = 0; i < n; i++)
      y[(gsize) o * plane + i] = j->b ? j->b[o] : 0;
}

static void
conv_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const int n = index / j->tiles, tile = index % j->tiles;
  const int row0 = tile / j->across * j->rows, col0 = tile % j->across * j->cols;
  const int rows = MIN (j->rows, j->out_height - row0), cols = MIN (j->cols, j->out_width - col0);
  const int pixels = rows * cols, taps = j->k * j->k;
  const gsize plane = (gsize) j->height * (gsize) j->width, out_plane = (gsize) j->out_height * (gsize) j->out_width;
  float *columns = j->columns + (gsize) thread * j->columns_size;
  float *y = j->y + (gsize) n * (gsize) j->co * out_plane + (gsize) row0 * (gsize) j->out_width + (gsize) col0;

  put_bias (j, y, out_plane, (gsize) pixels);
  for (int c0 = 0; c0 < j->ci; c0 += j->channels)
    {
      const int channels = MIN (j->channels, j->ci - c0);
      float *to = columns;

      for (int c = c0; c < c0 + channels; c++)
        for (int u = 0; u < j->k; u++)
          for (int v = 0; v < j->k; v++)
            for (int r = 0; r < rows; r++, to += cols)
              {
                const int row = (row0 + r) * j->stride + u - j->pad;
                const float *x = j->x + ((gsize) n * (gsize) j->ci + (gsize) c) * plane;

                unfold_row (j, row < 0 || row >= j->height ? NULL : x + (gsize) row * (gsize) j->width, v, col0, cols,
                            to);
              }
      sumi_gemm (j->co, pixels, channels * taps, j->w + c0 * taps, j->ci * taps, columns, pixels, FALSE, y,
                 (int) out_plane, TRUE);
    }
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
             (int) plane, TRUE);
}

/* Cuts the picture into tiles, and the channels so that a tile's columns fit. */
static void
plan (Job *j)
{
  const int taps = j->k * j->k;

  if (j->out_width > TILE_PIXELS)
    {
      j->across = (j->out_width + TILE_PIXELS - 1) / TILE_PIXELS;
      j->cols = (j->out_width + j->across - 1) / j->across;
      j->rows = 1;
    }
  else
    {
      j->across = 1;
      j->cols = MAX (1, j->out_width);
      j->rows = CLAMP (TILE_PIXELS / j->cols, 1, MAX (1, j->out_height));
    }
  j->tiles = j->across * ((j->out_height + j->rows - 1) / j->rows);
  j->channels = CLAMP (TILE_FLOATS / (taps * j->rows * j->cols), 1, MAX (1, j->ci));
  j->columns_size = (gsize) j->channels * (gsize) taps * (gsize) j->rows * (gsize) j->cols;
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
  plan (&j);
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
