/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An op with its sizes, as a network uses it, and the networks as lists of them. The lists are written by walking the
 * networks' structure, level by level and block by block, so they can be read beside the papers. */
#pragma once

#include "core/bench/bench.h"

G_BEGIN_DECLS

typedef struct SumiBenchOp SumiBenchOp;
typedef struct SumiBenchShape SumiBenchShape;

/* Sizes that an op does not have are 0. */
struct SumiBenchShape
{
  const SumiBenchOp *op;
  int height, width;  /* pixels of the input */
  int rows;           /* tokens, where there are no pixels */
  int keys, heads;    /* attention: tokens to attend to, heads */
  int ci, co;         /* channels (or width) in and out; one of them where they agree */
  int kernel, stride; /* convolution; padding keeps the size at stride 1 */
  int pad;
  int count; /* how often it occurs in one call */
};

/* Tensors of one shape. */
typedef struct
{
  SumiTensor *in[4], *out;
} SumiBenchData;

/* How to make up an op's data and call it. */
struct SumiBenchOp
{
  const char *key; /* of the core's op */
  SumiBenchKind kind;
  int weights; /* which input keeps prepared forms; −1: none */
  char *(*dup_name) (const SumiBenchShape *shape);
  double (*flops) (const SumiBenchShape *shape); /* a multiplication and an addition are two */
  double (*bytes) (const SumiBenchShape *shape); /* f32 */
  /* Random inputs in @arena. Returns: FALSE when there is no memory. */
  gboolean (*prepare) (const SumiBenchShape *shape, SumiArena *arena, SumiBenchData *data);
  void (*call) (const SumiBenchShape *shape, SumiEval *ev, const SumiBenchData *data);
};

extern const SumiBenchOp sumi_bench_conv, sumi_bench_linear, sumi_bench_attention, sumi_bench_rms_silu,
    sumi_bench_group_norm, sumi_bench_group_norm_silu, sumi_bench_layer_norm, sumi_bench_geglu;

/* Random numbers, uniform in [−@most, @most]; NULL when there is no memory, as for the others. */
SumiTensor *sumi_bench_make (SumiArena *arena, double most, int n_dims, const int *shape);
/* [1, H, W, C] with mean 0 and variance 1. */
SumiTensor *sumi_bench_make_picture (SumiArena *arena, int height, int width, int channels);
/* The same, not filled. */
SumiTensor *sumi_bench_make_output (SumiArena *arena, int height, int width, int channels);

/* Returns: (transfer full): "conv3x3/2 320-640 64x64": also what filters look at. */
static inline char *
sumi_bench_shape_dup_name (const SumiBenchShape *shape)
{
  return shape->op->dup_name (shape);
}

/* ---- networks --------------------------------------------------------- */

/* Adds @shape, or one more of it. @list: of SumiBenchShape; @shape->count: 0 counts as 1 */
void sumi_bench_add (GArray *list, SumiBenchShape shape);
/* The commonest ones. Convolutions have an odd @kernel and padding (@kernel − 1)/2, or stride = @kernel and none. */
void sumi_bench_add_conv (GArray *list, int height, int width, int ci, int co, int kernel, int stride);
void sumi_bench_add_linear (GArray *list, int rows, int di, int dout);
/* @op: of pictures with as many channels in as out */
void sumi_bench_add_norm (GArray *list, const SumiBenchOp *op, int height, int width, int c);
/* @op: of rows of tokens, @d numbers wide */
void sumi_bench_add_rows (GArray *list, const SumiBenchOp *op, int rows, int d);

typedef struct
{
  const char *key;
  const char *about; /* N_(): what one call is */
  void (*list) (GArray *list);
} SumiBenchNetwork;

/* NULL-ended. */
extern const SumiBenchNetwork *const sumi_bench_networks[];
extern const SumiBenchNetwork sumi_bench_net_restore, sumi_bench_net_unet, sumi_bench_net_vae;

/* The shapes of the restore network for a picture of @height × @width pixels. */
void sumi_bench_list_restore (GArray *list, int height, int width);

/* Operations of one call, in convolutions and linear layers. */
double sumi_bench_list_flops (const GArray *list);

G_END_DECLS
