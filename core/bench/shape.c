/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/bench/shape.h"

#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/random.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

SumiTensor *
sumi_bench_make (SumiArena *arena, double most, int n_dims, const int *shape)
{
  SumiTensor *t = sumi_tensor_new (arena, SUMI_DTYPE_F32, n_dims, shape);
  const gsize n = t ? sumi_tensor_count (t) : 0;
  const float scale = (float) (most / 0x1p31);

  for (gsize i = 0; i < n; i += 2)
    {
      const guint64 bits = sumi_random_hash (n, i, (guint64) n_dims);

      sumi_tensor_f32 (t)[i] = scale * (float) (gint32) bits;
      if (i + 1 < n)
        sumi_tensor_f32 (t)[i + 1] = scale * (float) (gint32) (bits >> 32);
    }
  return t;
}

SumiTensor *
sumi_bench_make_picture (SumiArena *arena, int height, int width, int channels)
{
  return sumi_bench_make (arena, sqrt (3), 4, (const int[]){ 1, height, width, channels });
}

SumiTensor *
sumi_bench_make_output (SumiArena *arena, int height, int width, int channels)
{
  return sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, (const int[]){ 1, height, width, channels });
}

/* ---- convolution ------------------------------------------------------ */

static int
out_side (const SumiBenchShape *s, int side)
{
  return (side + 2 * s->pad - s->kernel) / s->stride + 1;
}

static double
pixels_out (const SumiBenchShape *s)
{
  return (double) out_side (s, s->height) * out_side (s, s->width);
}

static char *
conv_name (const SumiBenchShape *s)
{
  g_autofree char *stride = s->stride > 1 ? g_strdup_printf ("/%d", s->stride) : g_strdup ("");

  return g_strdup_printf ("conv%dx%d%s %d-%d %dx%d", s->kernel, s->kernel, stride, s->ci, s->co, s->height, s->width);
}

static double
conv_flops (const SumiBenchShape *s)
{
  return 2 * pixels_out (s) * s->kernel * s->kernel * s->ci * s->co;
}

static double
conv_bytes (const SumiBenchShape *s)
{
  return 4 * ((double) s->height * s->width * s->ci + (double) s->kernel * s->kernel * s->ci * s->co +
              pixels_out (s) * s->co);
}

static gboolean
conv_prepare (const SumiBenchShape *s, SumiArena *arena, SumiBenchData *data)
{
  data->in[0] = sumi_bench_make_picture (arena, s->height, s->width, s->ci);
  data->in[1] = sumi_bench_make (arena, sqrt (3.0 / (s->ci * s->kernel * s->kernel)), 4,
                                 (const int[]){ s->co, s->ci, s->kernel, s->kernel });
  data->in[2] = sumi_bench_make (arena, 1, 1, &s->co);
  data->out = sumi_bench_make_output (arena, out_side (s, s->height), out_side (s, s->width), s->co);
  return data->in[0] && data->in[1] && data->in[2] && data->out;
}

static void
conv_call (const SumiBenchShape *s, SumiEval *ev, const SumiBenchData *data)
{
  sumi_conv2d (ev, data->in[0], data->in[1], data->in[2], s->stride, s->pad, data->out);
}

const SumiBenchOp sumi_bench_conv = {
  .key = "conv2d",
  .kind = SUMI_BENCH_CONV,
  .weights = 1,
  .dup_name = conv_name,
  .flops = conv_flops,
  .bytes = conv_bytes,
  .prepare = conv_prepare,
  .call = conv_call,
};

/* ---- linear ----------------------------------------------------------- */

static char *
linear_name (const SumiBenchShape *s)
{
  return g_strdup_printf ("linear %d-%d rows %d", s->ci, s->co, s->rows);
}

static double
linear_flops (const SumiBenchShape *s)
{
  return 2.0 * s->rows * s->ci * s->co;
}

static double
linear_bytes (const SumiBenchShape *s)
{
  return 4 * ((double) s->rows * (s->ci + s->co) + (double) s->ci * s->co);
}

static gboolean
linear_prepare (const SumiBenchShape *s, SumiArena *arena, SumiBenchData *data)
{
  data->in[0] = sumi_bench_make (arena, sqrt (3), 2, (const int[]){ s->rows, s->ci });
  data->in[1] = sumi_bench_make (arena, sqrt (3.0 / s->ci), 2, (const int[]){ s->co, s->ci });
  data->in[2] = sumi_bench_make (arena, 1, 1, &s->co);
  data->out = sumi_tensor_new (arena, SUMI_DTYPE_F32, 2, (const int[]){ s->rows, s->co });
  return data->in[0] && data->in[1] && data->in[2] && data->out;
}

static void
linear_call (const SumiBenchShape *s, SumiEval *ev, const SumiBenchData *data)
{
  sumi_linear (ev, data->in[0], data->in[1], data->in[2], data->out);
}

const SumiBenchOp sumi_bench_linear = {
  .key = "linear",
  .kind = SUMI_BENCH_LINEAR,
  .weights = 1,
  .dup_name = linear_name,
  .flops = linear_flops,
  .bytes = linear_bytes,
  .prepare = linear_prepare,
  .call = linear_call,
};

/* ---- attention -------------------------------------------------------- */

static char *
attention_name (const SumiBenchShape *s)
{
  return g_strdup_printf ("attention %d/%d %dx%d", s->ci, s->heads, s->rows, s->keys);
}

/* scores and weighted sum; e^x is left out */
static double
attention_flops (const SumiBenchShape *s)
{
  return 4.0 * s->rows * s->keys * s->ci;
}

static double
attention_bytes (const SumiBenchShape *s)
{
  return 8.0 * ((double) s->rows + s->keys) * s->ci;
}

static gboolean
attention_prepare (const SumiBenchShape *s, SumiArena *arena, SumiBenchData *data)
{
  const int queries[] = { 1, s->rows, s->ci }, keys[] = { 1, s->keys, s->ci };

  data->in[0] = sumi_bench_make (arena, sqrt (3), 3, queries);
  data->in[1] = sumi_bench_make (arena, sqrt (3), 3, keys);
  data->in[2] = sumi_bench_make (arena, sqrt (3), 3, keys);
  data->out = sumi_tensor_new (arena, SUMI_DTYPE_F32, 3, queries);
  return data->in[0] && data->in[1] && data->in[2] && data->out;
}

static void
attention_call (const SumiBenchShape *s, SumiEval *ev, const SumiBenchData *data)
{
  sumi_attention (ev, data->in[0], data->in[1], data->in[2], s->heads, 0, data->out);
}

const SumiBenchOp sumi_bench_attention = {
  .key = "attention",
  .kind = SUMI_BENCH_ATTENTION,
  .weights = -1,
  .dup_name = attention_name,
  .flops = attention_flops,
  .bytes = attention_bytes,
  .prepare = attention_prepare,
  .call = attention_call,
};

/* ---- lists ------------------------------------------------------------ */

static gboolean
same (const SumiBenchShape *a, const SumiBenchShape *b)
{
  return a->op == b->op && a->height == b->height && a->width == b->width && a->rows == b->rows && a->keys == b->keys &&
         a->heads == b->heads && a->ci == b->ci && a->co == b->co && a->kernel == b->kernel && a->stride == b->stride &&
         a->pad == b->pad;
}

void
sumi_bench_add (GArray *list, SumiBenchShape shape)
{
  shape.count = MAX (shape.count, 1);
  for (guint i = 0; i < list->len; i++)
    {
      SumiBenchShape *s = &g_array_index (list, SumiBenchShape, i);

      if (same (s, &shape))
        {
          s->count += shape.count;
          return;
        }
    }
  g_array_append_val (list, shape);
}

void
sumi_bench_add_conv (GArray *list, int height, int width, int ci, int co, int kernel, int stride)
{
  sumi_bench_add (list, (SumiBenchShape){ .op = &sumi_bench_conv,
                                          .height = height,
                                          .width = width,
                                          .ci = ci,
                                          .co = co,
                                          .kernel = kernel,
                                          .stride = stride,
                                          .pad = (kernel - 1) / 2 });
}

void
sumi_bench_add_linear (GArray *list, int rows, int di, int dout)
{
  sumi_bench_add (list, (SumiBenchShape){ .op = &sumi_bench_linear, .rows = rows, .ci = di, .co = dout });
}

void
sumi_bench_add_norm (GArray *list, const SumiBenchOp *op, int height, int width, int c)
{
  sumi_bench_add (list, (SumiBenchShape){ .op = op, .height = height, .width = width, .ci = c });
}

void
sumi_bench_add_rows (GArray *list, const SumiBenchOp *op, int rows, int d)
{
  sumi_bench_add (list, (SumiBenchShape){ .op = op, .rows = rows, .ci = d });
}

double
sumi_bench_list_flops (const GArray *list)
{
  double flops = 0;

  for (guint i = 0; i < list->len; i++)
    {
      const SumiBenchShape *s = &g_array_index (list, SumiBenchShape, i);

      if (s->op->kind == SUMI_BENCH_CONV || s->op->kind == SUMI_BENCH_LINEAR)
        flops += s->count * s->op->flops (s);
    }
  return flops;
}

const SumiBenchNetwork *const sumi_bench_networks[] = { &sumi_bench_net_restore, &sumi_bench_net_unet,
                                                        &sumi_bench_net_vae, NULL };
