/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolution, the way that is fastest for the shape: Winograd's for 3×3 of step 1, else a product with what each
 * output pixel sees [pixels, K·K·Ci], unfolded a block at a time into the cache; 1×1 needs no unfolding. The result
 * does not depend on how pixels and channels are shared out. */
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/half.h"
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/cpu/product.h"
#include "core/cpu/winograd.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

/* bytes of what the pixels of a piece see, about, and their number */
#define BLOCK_BYTES (1024 * 1024)
#define MIN_ROWS    32
#define MAX_ROWS    128

typedef struct
{
  SumiConvJob conv;
  SumiPacked packed;
  int k, stride, pad, out_height, out_width;
  int m, block, n_blocks; /* output pixels; of a piece */
  int panels, group, n_groups;
  char *scratch;           /* NULL: the input is the left factor */
  gsize scratch_size, row; /* bytes of a thread's, of a row */
} Job;

/* ---- choice ----------------------------------------------------------- */

/* Times in vector products of one thread, by a simple model: measured shares of the transforms; and weights that no
 * cache holds come from memory, BANDWIDTH bytes in that time, which two threads share. It looks at shapes only: the
 * same choice for every number of threads. Small weights mostly get one form for all sizes of a picture, so that one is
 * kept. */
#define CACHE       16e6 /* bytes */
#define BANDWIDTH   4.0
#define UNFOLD_COST 2.0
#define INPUT_COST  5.0 /* per vector of V */
#define OUTPUT_COST 5.0 /* per vector of M */

static double
slower (double products, double weight_floats)
{
  const double bytes = weight_floats * sizeof (float);

  return bytes < CACHE ? products : MAX (products, bytes / BANDWIDTH);
}

static double
product_cost (const Job *j, int lanes)
{
  const SumiConvJob *c = &j->conv;
  const double pixels = (double) c->n * j->out_height * j->out_width, taps = (double) (j->k * j->k);
  const double in = (c->ci + lanes - 1) / lanes, out = (c->co + lanes - 1) / lanes;

  return slower (pixels * taps * c->ci * out, taps * c->ci * out * lanes) + pixels * taps * in * UNFOLD_COST;
}

static double
winograd_cost (const SumiConvJob *c, const SumiWinograd *form, int lanes)
{
  const double side = form->tile + 2, positions = side * side;
  const double across = (c->width + form->tile - 1) / form->tile, down = (c->height + form->tile - 1) / form->tile;
  const double in = (c->ci + lanes - 1) / lanes, out = (c->co + lanes - 1) / lanes, tiles = c->n * across * down;

  return slower (tiles * positions * c->ci * out, positions * c->ci * out * lanes) +
         tiles * positions * (in * INPUT_COST + out * OUTPUT_COST);
}

/* Returns: (nullable): the form of Winograd's way that is fastest; NULL: the product is. */
static const SumiWinograd *
choose (const Job *j)
{
  const SumiCpuIsa *isa = sumi_cpu_isa ();
  const SumiWinograd *best = NULL;
  double least = product_cost (j, isa->lanes);

  for (int i = 0; j->k == 3 && j->stride == 1 && j->pad == 1 && i < SUMI_N_WINOGRADS; i++)
    {
      const double cost = winograd_cost (&j->conv, isa->winograds + i, isa->lanes);

      if (cost < least)
        {
          least = cost;
          best = isa->winograds + i;
        }
    }
  return best;
}

/* ---- product ---------------------------------------------------------- */

/* What output pixel @index sees: [K, K, Ci], zero outside. */
static void
unfold (const Job *j, int index, float *to)
{
  const SumiConvJob *conv = &j->conv;
  const int n = index / (j->out_height * j->out_width), y = index / j->out_width % j->out_height;
  const int x = index % j->out_width, ci = conv->ci, shift = conv->enlarge ? 1 : 0;
  const gsize width = (gsize) (conv->width >> shift), height = (gsize) (conv->height >> shift);

  for (int u = 0; u < j->k; u++)
    for (int v = 0; v < j->k; v++, to += ci)
      {
        const int row = y * j->stride + u - j->pad, column = x * j->stride + v - j->pad;

        if (row < 0 || row >= conv->height || column < 0 || column >= conv->width)
          memset (to, 0, sizeof (float) * (gsize) ci);
        else
          memcpy (to,
                  conv->x +
                      (((gsize) n * height + (gsize) (row >> shift)) * width + (gsize) (column >> shift)) * (gsize) ci,
                  sizeof (float) * (gsize) ci);
      }
}

/* @pixel: room for one pixel in f32 */
static void
unfold_bf16 (const Job *j, int index, float *pixel, guint16 *to)
{
  to[sumi_packed_depth (&j->packed) - 1] = 0;
  unfold (j, index, pixel);
  sumi_float_to_bfloat (pixel, to, (gsize) j->packed.k);
}

static void
run_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const int first = index / j->n_groups * j->block, m = MIN (j->block, j->m - first);
  const int from = index % j->n_groups * j->group, to = MIN (j->panels, from + j->group);
  const gsize start = (gsize) first * (gsize) j->conv.co;
  gconstpointer a = j->conv.x + (gsize) first * (gsize) j->conv.ci;

  if (j->scratch)
    {
      char *rows = j->scratch + (gsize) thread * j->scratch_size;

      for (int i = 0; i < m; i++)
        if (j->packed.bf16)
          unfold_bf16 (j, first + i, (float *) (rows + j->row * (gsize) j->block),
                       (guint16 *) (rows + (gsize) i * j->row));
        else
          unfold (j, first + i, (float *) (rows + (gsize) i * j->row));
      a = rows;
    }
  sumi_product (&j->packed, from, to, m, a, sumi_packed_depth (&j->packed), j->conv.bias,
                j->conv.add ? j->conv.add + start : NULL, j->conv.y + start, (gsize) j->conv.co);
}

static void
plan (Job *j, int n_threads)
{
  j->row = sumi_packed_depth (&j->packed) * (j->packed.bf16 ? sizeof (guint16) : sizeof (float));
  j->m = j->conv.n * j->out_height * j->out_width;
  j->block = (int) MIN (CLAMP (BLOCK_BYTES / j->row / 8 * 8, MIN_ROWS, MAX_ROWS), (gsize) j->m);
  j->n_blocks = (j->m + j->block - 1) / j->block;
  j->panels = sumi_panel_count (j->packed.isa, j->packed.n);
  j->group = sumi_panel_group (j->panels, 1, j->n_blocks, n_threads);
  j->n_groups = (j->panels + j->group - 1) / j->group;
  j->scratch_size = (gsize) j->block * j->row + sizeof (float) * (gsize) j->packed.k;
  j->scratch_size = (j->scratch_size + 63) / 64 * 64;
}

static void
run_product (SumiEval *ev, const SumiTensor *weight, Job *j)
{
  const SumiCpuIsa *isa = sumi_cpu_isa ();
  const int n_threads = sumi_pool_get_n_threads (ev->pool);

  j->packed =
      (SumiPacked){ .isa = isa, .n = j->conv.co, .k = j->conv.ci * j->k * j->k, .bf16 = ev->bf16 && isa->product_bf16 };
  plan (j, n_threads);
  if (! sumi_packed_prepare (ev, &j->packed, weight, j->k * j->k))
    return;
  if (j->packed.bf16 || j->k > 1 || j->stride > 1 || j->pad > 0 || j->conv.enlarge)
    {
      j->scratch = sumi_arena_alloc (ev->scratch, j->scratch_size * (gsize) n_threads);
      if (! j->scratch)
        {
          sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "no memory to convolve %d×%d pixels of %d channels", j->conv.height,
                          j->conv.width, j->conv.ci);
          return;
        }
    }
  sumi_parallel_for (ev->pool, j->n_blocks * j->n_groups, run_piece, j);
}

static void
conv2d_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const SumiConv2dParams *p = params;
  const int scale = p->enlarge ? 2 : 1;
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  Job j = {
    .conv = {
      .x = sumi_tensor_f32 (in[0]),
      .bias = in[2] ? sumi_tensor_f32 (in[2]) : NULL,
      .add = in[3] ? sumi_tensor_f32 (in[3]) : NULL,
      .y = sumi_tensor_f32 (out),
      .n = in[0]->shape[0],
      .height = scale * in[0]->shape[1],
      .width = scale * in[0]->shape[2],
      .ci = in[0]->shape[3],
      .co = out->shape[3],
      .enlarge = p->enlarge,
    },
    .k = in[1]->shape[2],
    .stride = p->stride,
    .pad = p->pad,
    .out_height = out->shape[1],
    .out_width = out->shape[2],
  };
  const SumiWinograd *form;

  if (sumi_tensor_count (out) == 0)
    return;
  form = choose (&j);
  if ((gint64) out->shape[0] * out->shape[1] * out->shape[2] > G_MAXINT)
    sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "conv2d: %d×%d×%d pixels are too many at once", out->shape[0], out->shape[1],
                    out->shape[2]);
  else if (form)
    sumi_winograd_run (ev, in[1], &j.conv, form);
  else
    run_product (ev, in[1], &j);
  sumi_arena_release (ev->scratch, mark);
}

const SumiCpuKernel sumi_cpu_conv2d = { "conv2d", conv2d_run };
