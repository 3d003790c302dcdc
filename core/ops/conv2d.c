/* SPDX-License-Identifier: GPL-3.0-or-later */
/* y[n, i, j, o] = b[o] + add[n, i, j, o] + Σ_{u, v, c} w[o, c, u, v]·x[n, i·stride + u − pad, j·stride + v − pad, c],
 * zero outside: cross-correlation, as torch.nn.functional.conv2d. Square kernels; the weight is in the order of model
 * files. With `enlarge`, x stands for itself doubled: x[n, i/2, j/2, c]. */
#include <string.h>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/ops/gradient.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"

static gboolean
conv2d_shape (SumiEval *ev, const SumiTensor *const *in, gconstpointer params, SumiTensor *out)
{
  const SumiConv2dParams *p = params;
  const int scale = p->enlarge ? 2 : 1;
  SumiDims dims = { 0 };
  int k, height, width;

  if (! sumi_expect (ev, &dims, in[0], "N H W Ci", "conv2d: x") ||
      ! sumi_expect (ev, &dims, in[1], "Co Ci K K", "conv2d: weight") ||
      (in[2] && ! sumi_expect (ev, &dims, in[2], "Co", "conv2d: bias")))
    return FALSE;
  k = in[1]->shape[2];
  if (sumi_tensor_count (in[1]) == 0)
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "conv2d: the weight is empty: [%d, %d, %d, %d]", in[1]->shape[0],
                      in[1]->shape[1], k, k);
      return FALSE;
    }
  height = scale * in[0]->shape[1] + 2 * p->pad;
  width = scale * in[0]->shape[2] + 2 * p->pad;
  if (p->stride < 1 || height < k || width < k)
    {
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "conv2d: a %d×%d kernel does not fit into %d×%d pixels, padding included",
                      k, k, width, height);
      return FALSE;
    }
  *out = (SumiTensor){
    .n_dims = 4,
    .shape = { in[0]->shape[0], (height - k) / p->stride + 1, (width - k) / p->stride + 1, in[1]->shape[0] },
  };
  if (in[3] && ! sumi_tensor_same_shape (in[3], out))
    {
      g_autofree char *got = sumi_tensor_describe (in[3]), *want = sumi_tensor_describe (out);

      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "conv2d: what is added is %s, expected %s", got, want);
      return FALSE;
    }
  return TRUE;
}

/* One output number. @x: one picture [H, W, Ci]; @w: one filter [Ci, K, K] */
static double
conv2d_at (const SumiTensor *const *in, const SumiConv2dParams *p, const float *x, const float *w, int i, int j)
{
  const int shift = p->enlarge ? 1 : 0, ci = in[0]->shape[3], k = in[1]->shape[2];
  const int height = in[0]->shape[1] << shift, width = in[0]->shape[2] << shift;
  const gsize stride = (gsize) in[0]->shape[2];
  double sum = 0;

  for (int u = 0; u < k; u++)
    for (int v = 0; v < k; v++)
      {
        const int row = i * p->stride + u - p->pad, column = j * p->stride + v - p->pad;

        if (row < 0 || row >= height || column < 0 || column >= width)
          continue;
        for (int c = 0; c < ci; c++)
          sum += (double) x[((gsize) (row >> shift) * stride + (gsize) (column >> shift)) * (gsize) ci + (gsize) c] *
                 w[((gsize) c * (gsize) k + (gsize) u) * (gsize) k + (gsize) v];
      }
  return sum;
}

static void
conv2d_reference (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const int co = out->shape[3];
  const gsize picture = (gsize) in[0]->shape[1] * (gsize) in[0]->shape[2] * (gsize) in[0]->shape[3];
  const gsize filter = (gsize) in[1]->shape[1] * (gsize) in[1]->shape[2] * (gsize) in[1]->shape[3];
  const float *add = in[3] ? sumi_tensor_f32 (in[3]) : NULL;
  const SumiTensor *weight = sumi_tensor_to_f32 (ev->scratch, in[1]);
  float *y = sumi_tensor_f32 (out);

  if (! weight)
    {
      sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "conv2d: no memory for the weights");
      return;
    }
  for (int n = 0; n < out->shape[0]; n++)
    for (int i = 0; i < out->shape[1]; i++)
      for (int j = 0; j < out->shape[2]; j++)
        for (int o = 0; o < co; o++)
          {
            const float *x = sumi_tensor_f32 (in[0]) + (gsize) n * picture;
            const float *w = sumi_tensor_f32 (weight) + (gsize) o * filter;
            const double start = (in[2] ? sumi_tensor_f32 (in[2])[o] : 0) + (add ? (double) *add++ : 0);

            *y++ = (float) (start + conv2d_at (in, params, x, w, i, j));
          }
}

/* ---- gradient --------------------------------------------------------- */

/* [Co, Ci, K, K] → [Ci, Co, K, K], the kernels turned by half a turn */
static void
turn_kernels (const SumiTensor *w, const SumiTensor *out)
{
  const gsize co = (gsize) w->shape[0], ci = (gsize) w->shape[1], taps = (gsize) w->shape[2] * (gsize) w->shape[3];

  for (gsize o = 0; o < co; o++)
    for (gsize c = 0; c < ci; c++)
      for (gsize t = 0; t < taps; t++)
        sumi_gradient_element (w, (o * ci + c) * taps + t, out, (c * co + o) * taps + taps - 1 - t);
}

/* [Co, Ci, 2, 2] → [4·Ci, Co, 1, 1], rows in pixel-shuffle's order */
static void
split_kernels (const SumiTensor *w, const SumiTensor *out)
{
  const gsize co = (gsize) w->shape[0], rows = 4 * (gsize) w->shape[1];

  for (gsize o = 0; o < co; o++)
    for (gsize r = 0; r < rows; r++)
      sumi_gradient_element (w, o * rows + r, out, r * co + o);
}

typedef struct
{
  const SumiTensor *g;
  int stride, cut;
  SumiTensor *out;
} SpreadJob;

/* One row of the output. */
static void
spread_row (gpointer data, int index, int thread)
{
  const SpreadJob *job = data;
  const int height = job->out->shape[1], width = job->out->shape[2], n = index / height;
  const int row = index % height + job->cut, i = row / job->stride;
  const gsize channels = (gsize) job->g->shape[3];
  float *to = sumi_tensor_f32 (job->out) + (gsize) index * (gsize) width * channels;

  memset (to, 0, sizeof (float) * (gsize) width * channels);
  if (row % job->stride || i >= job->g->shape[1])
    return;
  for (int x = 0; x < width; x++, to += channels)
    {
      const int column = x + job->cut, j = column / job->stride;

      if (column % job->stride == 0 && j < job->g->shape[2])
        memcpy (to,
                sumi_tensor_f32 (job->g) +
                    (((gsize) n * (gsize) job->g->shape[1] + (gsize) i) * (gsize) job->g->shape[2] + (gsize) j) *
                        channels,
                sizeof (float) * channels);
    }
}

/* What the gradient of the result would be had the step been 1, @height × @width: zeros where no result was computed;
 * less @cut pixels on each side, which saw nothing but padding. */
static SumiTensor *
spread (SumiEval *ev, const SumiTensor *g, int stride, int cut, int height, int width)
{
  const int shape[] = { g->shape[0], MAX (height - 2 * cut, 0), MAX (width - 2 * cut, 0), g->shape[3] };
  SpreadJob job = { g, stride, cut, sumi_eval_tensor (ev, 4, shape) };

  if (! ev->error)
    sumi_parallel_for (ev->pool, shape[0] * shape[1], spread_row, &job);
  return job.out;
}

/* A kernel 2×2 of step 2: four products, put where their pixels are. */
static void
halve_gradient (SumiEval *ev, const SumiBackward *b)
{
  const SumiTensor *w = b->in[1];
  const int shape[] = { 4 * w->shape[1], w->shape[0], 1, 1 };
  const SumiTensor *split = sumi_tape_derive (ev, b->tape, w, "conv2d-split", 4, shape, split_kernels);

  if (split)
    sumi_gradient_finish (
        ev, b, sumi_pixel_shuffle (ev, sumi_conv2d (ev, b->g, split, NULL, 1, 0, NULL), sumi_gradient_place (b)));
}

/* For step 1: the convolution of g by the turned kernels, padding K − 1 − pad. What enlarging did four times is summed,
 * before a 1×1 kernel, which does not mind, or after. */
static void
conv2d_gradient (SumiEval *ev, const SumiBackward *b)
{
  const SumiConv2dParams *p = b->params;
  const SumiTensor *x = b->in[0], *w = b->in[1], *g = b->g, *turned;
  const int k = w->shape[2], scale = p->enlarge ? 2 : 1, cut = MAX (p->pad - (k - 1), 0);
  const gboolean pointwise = k == 1 && p->stride == 1 && p->pad == 0;

  if (! b->grad[0])
    return;
  if (k == 2 && p->stride == 2 && p->pad == 0 && ! p->enlarge && x->shape[1] % 2 == 0 && x->shape[2] % 2 == 0)
    {
      halve_gradient (ev, b);
      return;
    }
  turned = sumi_tape_derive (ev, b->tape, w, "conv2d-turned", 4, (const int[]){ w->shape[1], w->shape[0], k, k },
                             turn_kernels);
  if (! turned)
    return;
  if (p->enlarge && pointwise)
    {
      SumiTensor *small = sumi_eval_tensor (ev, 4, (const int[]){ x->shape[0], x->shape[1], x->shape[2], w->shape[0] });

      if (! ev->error)
        sumi_gradient_channels (ev, g, 0, TRUE, NULL, small);
      g = small;
    }
  else if (p->stride > 1 || cut)
    g = spread (ev, g, p->stride, cut, scale * x->shape[1] + 2 * p->pad - k + 1,
                scale * x->shape[2] + 2 * p->pad - k + 1);
  if (! p->enlarge || pointwise)
    sumi_conv2d_add (ev, g, turned, NULL, b->add[0], FALSE, MAX (k - 1 - p->pad, 0), b->grad[0]);
  else
    {
      const SumiTensor *large = sumi_conv2d (ev, g, turned, NULL, 1, MAX (k - 1 - p->pad, 0), NULL);

      if (! ev->error)
        sumi_gradient_channels (ev, large, 0, TRUE, b->add[0], b->grad[0]);
    }
}

/* ---- cases ------------------------------------------------------------ */

static const SumiConv2dParams same = { 1, 1 }, one = { 1, 0 }, halve = { 2, 0 }, wide = { 1, 2 }, stride = { 2, 1 };
static const SumiConv2dParams larger = { 1, 1, TRUE }, larger_one = { 1, 0, TRUE };

static const SumiOpCase conv2d_cases[] = {
  { .in = { { 1, 1, 1, 1 }, { 1, 1, 3, 3 }, { 1 } }, .params = &same },
  { .in = { { 1, 1, 9, 3 }, { 5, 3, 3, 3 } }, .params = &same },
  { .in = { { 2, 13, 11, 4 }, { 7, 4, 3, 3 }, { 7 } }, .params = &same },
  { .in = { { 1, 24, 40, 36 }, { 48, 36, 3, 3 }, { 48 } }, .params = &same },
  { .in = { { 1, 37, 70, 33 }, { 12, 33, 3, 3 }, { 12 } }, .params = &same },
  { .in = { { 1, 5, 6, 17 }, { 9, 17, 1, 1 }, { 9 } }, .params = &one },
  { .in = { { 2, 16, 16, 64 }, { 32, 64, 1, 1 } }, .params = &one },
  { .in = { { 1, 8, 10, 6 }, { 10, 6, 2, 2 }, { 10 } }, .params = &halve },
  { .in = { { 1, 9, 7, 6 }, { 10, 6, 2, 2 }, { 10 } }, .params = &halve },
  { .in = { { 1, 9, 8, 3 }, { 4, 3, 5, 5 }, { 4 } }, .params = &wide },
  { .in = { { 1, 12, 9, 5 }, { 6, 5, 3, 3 }, { 6 } }, .params = &stride },
  /* Winograd's tiles: whole, cut, many blocks, panels that are not full */
  { .in = { { 1, 16, 16, 16 }, { 16, 16, 3, 3 } }, .params = &same },
  { .in = { { 1, 31, 33, 48 }, { 50, 48, 3, 3 }, { 50 }, { 1, 31, 33, 50 } }, .params = &same },
  { .in = { { 3, 18, 10, 5 }, { 3, 5, 3, 3 }, { 3 }, { 3, 18, 10, 3 } }, .params = &same },
  { .in = { { 1, 40, 44, 130 }, { 97, 130, 3, 3 }, { 97 } }, .params = &same },
  { .in = { { 1, 9, 10, 20 }, { 24, 20, 3, 3 }, { 24 }, { 1, 18, 20, 24 } }, .params = &larger },
  { .in = { { 1, 3, 4, 6 }, { 5, 6, 3, 3 }, { 5 } }, .params = &larger },
  { .in = { { 2, 7, 6, 9 }, { 20, 9, 1, 1 }, { 20 }, { 2, 14, 12, 20 } }, .params = &larger_one },
  { .in = { { 1, 6, 5, 700 }, { 40, 700, 1, 1 }, { 40 }, { 1, 6, 5, 40 } }, .params = &one },
};

const SumiOpClass sumi_op_conv2d = {
  .key = "conv2d",
  .n_in = 4,
  .optional = 1 << 2 | 1 << 3,
  .inplace = 1 << 3,
  .weights = 1 << 1,
  .shape = conv2d_shape,
  .reference = conv2d_reference,
  .cases = conv2d_cases,
  .n_cases = G_N_ELEMENTS (conv2d_cases),
  .tolerance = 2e-10, /* Winograd's, measured: 5e-11 at 1280 channels; products stay below 1e-12 */
  .params_size = sizeof (SumiConv2dParams),
  .gradient = conv2d_gradient,
  .fixed = 1 << 1 | 1 << 2,
  .passes = 1 << 3,
};

SumiTensor *
sumi_conv2d (SumiEval *ev,
             const SumiTensor *x,
             const SumiTensor *w,
             const SumiTensor *b,
             int step,
             int pad,
             SumiTensor *out)
{
  SumiConv2dParams params = { step, pad, FALSE };

  return sumi_op_call (ev, &sumi_op_conv2d, (const SumiTensor *const[]){ x, w, b, NULL }, &params, out);
}

SumiTensor *
sumi_conv2d_add (SumiEval *ev,
                 const SumiTensor *x,
                 const SumiTensor *w,
                 const SumiTensor *b,
                 const SumiTensor *add,
                 gboolean enlarge,
                 int pad,
                 SumiTensor *out)
{
  SumiConv2dParams params = { 1, pad, enlarge };

  return sumi_op_call (ev, &sumi_op_conv2d, (const SumiTensor *const[]){ x, w, b, add }, &params, out);
}
