/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolution as a matrix product over tiles: what a tile's pixels see through some taps of the kernel is unfolded into
 * a buffer [pixels, taps·Ci] that fits the second-level cache, multiplied by those taps of the weight, brought into the
 * order [taps·Ci, Co], and added up over the taps. 1×1 needs no unfolding. The tiles depend on the shapes only. */
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
  float *weights; /* [K·K, Ci, Co] */
  float *columns; /* [threads, columns_size] */
  gsize columns_size;
  int ci, height, width, co, k, out_height, out_width, stride, pad;
  int rows, cols;    /* output pixels of a tile: whole rows, or a part of one */
  int across, tiles; /* tiles side by side, tiles per picture */
  int taps;          /* unfolded at a time */
} Job;

/* @index: a tap */
static void
reorder_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize ci = (gsize) j->ci, co = (gsize) j->co, taps = (gsize) (j->k * j->k);
  float *to = j->weights + (gsize) index * ci * co;

  for (gsize c = 0; c < ci; c++)
    for (gsize o = 0; o < co; o++)
      *to++ = j->w[(o * ci + c) * taps + (gsize) index];
}

static void
put_bias (const Job *j, float *y, gsize pixels)
{
  for (gsize i = 0; i < pixels; i++, y += j->co)
    if (j->b)
      memcpy (y, j->b, sizeof (float) * (gsize) j->co);
    else
      memset (y, 0, sizeof (float) * (gsize) j->co);
}

/* What output pixels [@from, @from + @n) of output row @row see through taps [@tap, @tap + @taps): zeros outside.
 * @x: the picture; @to: [n, taps·Ci] */
static void
unfold_row (const Job *j, const float *x, int row, int from, int n, int tap, int taps, float *to)
{
  const gsize ci = (gsize) j->ci;

  for (int i = from; i < from + n; i++)
    for (int t = tap; t < tap + taps; t++, to += ci)
      {
        const int r = row * j->stride + t / j->k - j->pad, c = i * j->stride + t % j->k - j->pad;

        if (r < 0 || r >= j->height || c < 0 || c >= j->width)
          memset (to, 0, sizeof (float) * ci);
        else
          memcpy (to, x + ((gsize) r * (gsize) j->width + (gsize) c) * ci, sizeof (float) * ci);
      }
}

static void
conv_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const int n = index / j->tiles, tile = index % j->tiles;
  const int row0 = tile / j->across * j->rows, col0 = tile % j->across * j->cols;
  const int rows = MIN (j->rows, j->out_height - row0), cols = MIN (j->cols, j->out_width - col0);
  const gsize ci = (gsize) j->ci, co = (gsize) j->co;
  const float *x = j->x + (gsize) n * (gsize) j->height * (gsize) j->width * ci;
  const gsize first = ((gsize) n * (gsize) j->out_height + (gsize) row0) * (gsize) j->out_width + (gsize) col0;
  float *columns = j->columns + (gsize) thread * j->columns_size, *y = j->y + first * co;

  put_bias (j, y, (gsize) (rows * cols));
  for (int tap = 0; tap < j->k * j->k; tap += j->taps)
    {
      const int taps = MIN (j->taps, j->k * j->k - tap), depth = taps * j->ci;

      for (int r = 0; r < rows; r++)
        unfold_row (j, x, row0 + r, col0, cols, tap, taps, columns + (gsize) (r * cols) * (gsize) depth);
      sumi_gemm (rows * cols, j->co, depth, columns, depth, j->weights + (gsize) tap * ci * co, j->co, FALSE, y, j->co,
                 TRUE);
    }
}

/* 1×1: the picture itself is the matrix. */
static void
pointwise_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize plane = (gsize) j->height * (gsize) j->width, start = (gsize) (index % j->tiles) * SPAN;
  const gsize first = (gsize) (index / j->tiles) * plane + start;
  const int pixels = (int) MIN (plane - start, SPAN);
  float *y = j->y + first * (gsize) j->co;

  put_bias (j, y, (gsize) pixels);
  sumi_gemm (pixels, j->co, j->ci, j->x + first * (gsize) j->ci, j->ci, j->weights, j->co, FALSE, y, j->co, TRUE);
}

/* Cuts the picture into tiles, and the taps so that a tile's columns fit. */
static void
plan (Job *j)
{
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
  j->taps = CLAMP (TILE_FLOATS / (MAX (1, j->ci) * j->rows * j->cols), 1, j->k * j->k);
  j->columns_size = (gsize) j->taps * (gsize) j->ci * (gsize) j->rows * (gsize) j->cols;
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
    .height = in[0]->shape[1],
    .width = in[0]->shape[2],
    .ci = in[0]->shape[3],
    .k = in[1]->shape[2],
    .out_height = out->shape[1],
    .out_width = out->shape[2],
    .co = out->shape[3],
    .stride = p->stride,
    .pad = p->pad,
  };
  const gboolean pointwise = j.k == 1 && j.stride == 1 && j.pad == 0;

  if ((gint64) j.out_height * j.out_width > G_MAXINT)
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "conv2d: %d×%d pixels are too many at once", j.out_height, j.out_width);
      return;
    }
  if (pointwise)
    j.tiles = (int) (((gsize) j.height * (gsize) j.width + SPAN - 1) / SPAN);
  else
    plan (&j);
  j.weights = sumi_arena_alloc (ev->scratch, sizeof (float) * sumi_tensor_count (in[1]));
  j.columns =
      sumi_arena_alloc (ev->scratch, sizeof (float) * j.columns_size * (gsize) sumi_pool_get_n_threads (ev->pool));
  if (! j.weights || ! j.columns)
    sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "no memory to convolve %d×%d pixels of %d channels", j.height, j.width,
                    j.ci);
  else
    {
      sumi_parallel_for (ev->pool, j.k * j.k, reorder_piece, &j);
      sumi_parallel_for (ev->pool, out->shape[0] * j.tiles, pointwise ? pointwise_piece : conv_piece, &j);
    }
  sumi_arena_release (ev->scratch, mark);
}

const SumiCpuKernel sumi_cpu_conv2d = { "conv2d", conv2d_run };
