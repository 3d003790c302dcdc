/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Norms and gates: what stands between the products. Their operations are reckoned roughly, e^x as four; what they need
 * is bandwidth. */
#include "core/bench/shape.h"
#include "core/ops/ops.h"
#include "core/tensor/tensor.h"

/* as Stable Diffusion has them */
#define GROUPS  32
#define EPSILON 1e-5

static char *
picture_name (const SumiBenchShape *s)
{
  return g_strdup_printf ("%s %d %dx%d", s->op->key, s->ci, s->height, s->width);
}

static double
picture_bytes (const SumiBenchShape *s)
{
  return 8.0 * s->height * s->width * s->ci;
}

/* ---- rms-silu ---------------------------------------------------------- */

/* square and add, scale, shift; the sigmoid counts as four */
static double
rms_silu_flops (const SumiBenchShape *s)
{
  return 9.0 * s->height * s->width * s->ci;
}

static gboolean
rms_silu_prepare (const SumiBenchShape *s, SumiArena *arena, SumiBenchData *data)
{
  data->in[0] = sumi_bench_make_picture (arena, s->height, s->width, s->ci);
  data->in[1] = sumi_bench_make (arena, 1, 1, &s->ci);
  data->in[2] = sumi_bench_make (arena, 1, 2, (const int[]){ 1, 2 * s->ci });
  data->out = sumi_bench_make_output (arena, s->height, s->width, s->ci);
  return data->in[0] && data->in[1] && data->in[2] && data->out;
}

static void
rms_silu_call (const SumiBenchShape *s, SumiEval *ev, const SumiBenchData *data)
{
  sumi_rms_silu (ev, data->in[0], data->in[1], data->in[2], data->out);
}

const SumiBenchOp sumi_bench_rms_silu = {
  .key = "rms-silu",
  .kind = SUMI_BENCH_NORM,
  .weights = -1,
  .dup_name = picture_name,
  .flops = rms_silu_flops,
  .bytes = picture_bytes,
  .prepare = rms_silu_prepare,
  .call = rms_silu_call,
};

/* ---- group-norm -------------------------------------------------------- */

static gboolean
group_norm_prepare (const SumiBenchShape *s, SumiArena *arena, SumiBenchData *data)
{
  data->in[0] = sumi_bench_make_picture (arena, s->height, s->width, s->ci);
  data->in[1] = sumi_bench_make (arena, 1, 1, &s->ci);
  data->in[2] = sumi_bench_make (arena, 1, 1, &s->ci);
  data->out = sumi_bench_make_output (arena, s->height, s->width, s->ci);
  return data->in[0] && data->in[1] && data->in[2] && data->out;
}

static void
group_norm_call (const SumiBenchShape *s, SumiEval *ev, const SumiBenchData *data)
{
  sumi_group_norm (ev, data->in[0], data->in[1], data->in[2], GROUPS, EPSILON, s->op == &sumi_bench_group_norm_silu,
                   data->out);
}

static double
group_norm_flops (const SumiBenchShape *s)
{
  return (s->op == &sumi_bench_group_norm_silu ? 11.0 : 5.0) * s->height * s->width * s->ci;
}

const SumiBenchOp sumi_bench_group_norm = {
  .key = "group-norm",
  .kind = SUMI_BENCH_NORM,
  .weights = -1,
  .dup_name = picture_name,
  .flops = group_norm_flops,
  .bytes = picture_bytes,
  .prepare = group_norm_prepare,
  .call = group_norm_call,
};

const SumiBenchOp sumi_bench_group_norm_silu = {
  .key = "group-norm-silu",
  .kind = SUMI_BENCH_NORM,
  .weights = -1,
  .dup_name = picture_name,
  .flops = group_norm_flops,
  .bytes = picture_bytes,
  .prepare = group_norm_prepare,
  .call = group_norm_call,
};

/* ---- layer-norm -------------------------------------------------------- */

static char *
row_name (const SumiBenchShape *s)
{
  return g_strdup_printf ("%s %d rows %d", s->op->key, s->ci, s->rows);
}

static double
layer_norm_flops (const SumiBenchShape *s)
{
  return 5.0 * s->rows * s->ci;
}

static double
layer_norm_bytes (const SumiBenchShape *s)
{
  return 8.0 * s->rows * s->ci;
}

static gboolean
layer_norm_prepare (const SumiBenchShape *s, SumiArena *arena, SumiBenchData *data)
{
  const int shape[] = { 1, s->rows, s->ci };

  data->in[0] = sumi_bench_make (arena, 1, 3, shape);
  data->in[1] = sumi_bench_make (arena, 1, 1, &s->ci);
  data->in[2] = sumi_bench_make (arena, 1, 1, &s->ci);
  data->out = sumi_tensor_new (arena, SUMI_DTYPE_F32, 3, shape);
  return data->in[0] && data->in[1] && data->in[2] && data->out;
}

static void
layer_norm_call (const SumiBenchShape *s, SumiEval *ev, const SumiBenchData *data)
{
  sumi_layer_norm (ev, data->in[0], data->in[1], data->in[2], EPSILON, data->out);
}

const SumiBenchOp sumi_bench_layer_norm = {
  .key = "layer-norm",
  .kind = SUMI_BENCH_NORM,
  .weights = -1,
  .dup_name = row_name,
  .flops = layer_norm_flops,
  .bytes = layer_norm_bytes,
  .prepare = layer_norm_prepare,
  .call = layer_norm_call,
};

/* ---- geglu ------------------------------------------------------------- */

static double
geglu_flops (const SumiBenchShape *s)
{
  return 10.0 * s->rows * s->ci;
}

static double
geglu_bytes (const SumiBenchShape *s)
{
  return 12.0 * s->rows * s->ci;
}

static gboolean
geglu_prepare (const SumiBenchShape *s, SumiArena *arena, SumiBenchData *data)
{
  data->in[0] = sumi_bench_make (arena, 2, 3, (const int[]){ 1, s->rows, 2 * s->ci });
  data->out = sumi_tensor_new (arena, SUMI_DTYPE_F32, 3, (const int[]){ 1, s->rows, s->ci });
  return data->in[0] && data->out;
}

static void
geglu_call (const SumiBenchShape *s, SumiEval *ev, const SumiBenchData *data)
{
  sumi_geglu (ev, data->in[0], data->out);
}

const SumiBenchOp sumi_bench_geglu = {
  .key = "geglu",
  .kind = SUMI_BENCH_OTHER,
  .weights = -1,
  .dup_name = row_name,
  .flops = geglu_flops,
  .bytes = geglu_bytes,
  .prepare = geglu_prepare,
  .call = geglu_call,
};
