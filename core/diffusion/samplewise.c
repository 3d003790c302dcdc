/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/samplewise.h"

#include <math.h>
#include <string.h>

#include "core/base/parallel.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define PIECE 4096 /* values; a sample's last piece may be shorter */

typedef struct
{
  const SumiTensor *a, *b;
  SumiTensor *out;
  gsize size;              /* of a sample */
  int pieces;              /* of a sample */
  const double *per_piece; /* [N]: a mean, or a factor */
  double *sums;            /* [N·pieces], added up in order */
} Job;

static Job
cut (const SumiTensor *a, const SumiTensor *b)
{
  const gsize size = a->shape[0] > 0 ? sumi_tensor_count (a) / (gsize) a->shape[0] : 0;

  return (Job){ .a = a, .b = b, .size = size, .pieces = (int) ((size + PIECE - 1) / PIECE) };
}

static void
get_range (const Job *j, int index, gsize *from, gsize *to)
{
  const gsize sample = (gsize) (index / j->pieces) * j->size, piece = (gsize) (index % j->pieces) * PIECE;

  *from = sample + piece;
  *to = sample + MIN (j->size, piece + PIECE);
}

static gboolean
is_ready (SumiEval *ev, const SumiTensor *a, const SumiTensor *b)
{
  SumiDims dims = { 0 };

  return sumi_eval_ok (ev) && sumi_expect (ev, &dims, a, "N H W C", "a state") &&
         (! b || sumi_expect (ev, &dims, b, "N H W C", "another state"));
}

/* Runs @func on all pieces and adds their sums up by sample. */
static void
add_up (SumiEval *ev, Job *j, SumiPoolFunc func, double *out)
{
  const int n = j->a->shape[0];
  g_autofree double *sums = g_new0 (double, (gsize) n *(gsize) j->pieces + 1);

  j->sums = sums;
  sumi_parallel_for (ev->pool, n * j->pieces, func, j);
  for (int i = 0; i < n; i++)
    {
      out[i] = 0;
      for (int k = 0; k < j->pieces; k++)
        out[i] += sums[i * j->pieces + k];
    }
}

static void
clear (const SumiTensor *a, double *out)
{
  memset (out, 0, sizeof (double) * (gsize) MAX (a->n_dims == 4 ? a->shape[0] : 0, 0));
}

static void
dot_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  gsize from, to;
  double sum = 0;

  get_range (j, index, &from, &to);
  for (gsize i = from; i < to; i++)
    sum += sumi_tensor_get (j->a, i) * sumi_tensor_get (j->b, i);
  j->sums[index] = sum;
}

void
sumi_samples_dot (SumiEval *ev, const SumiTensor *a, const SumiTensor *b, double *out)
{
  Job job = cut (a, b);

  clear (a, out);
  if (is_ready (ev, a, b))
    add_up (ev, &job, dot_piece, out);
}

static void
sum_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  gsize from, to;
  double sum = 0;

  get_range (j, index, &from, &to);
  for (gsize i = from; i < to; i++)
    sum += sumi_tensor_get (j->a, i);
  j->sums[index] = sum;
}

static void
square_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const double mean = j->per_piece[index / j->pieces];
  gsize from, to;
  double sum = 0;

  get_range (j, index, &from, &to);
  for (gsize i = from; i < to; i++)
    sum += (sumi_tensor_get (j->a, i) - mean) * (sumi_tensor_get (j->a, i) - mean);
  j->sums[index] = sum;
}

void
sumi_samples_std (SumiEval *ev, const SumiTensor *a, double *out)
{
  g_autofree double *means = NULL;
  Job job = cut (a, NULL);

  clear (a, out);
  if (! is_ready (ev, a, NULL) || job.size == 0)
    return;
  means = g_new0 (double, a->shape[0]);
  add_up (ev, &job, sum_piece, means);
  for (int i = 0; i < a->shape[0]; i++)
    means[i] /= (double) job.size;
  job.per_piece = means;
  add_up (ev, &job, square_piece, out);
  for (int i = 0; i < a->shape[0]; i++)
    out[i] = sqrt (out[i] / (double) job.size);
}

/* ---- quantiles ----------------------------------------------------------- */

typedef struct
{
  const SumiTensor *a;
  gsize size;
  double middle, q;
  double *out;
} Quantile;

/* The bits of numbers ≥ 0 rise as the numbers do. */
static guint64
get_bits (const Quantile *j, gsize i)
{
  const double value = fabs (sumi_tensor_get (j->a, i) - j->middle);
  guint64 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

/* The value that @rank others are below, found byte by byte from the top: time does not depend on the values. */
static double
select_rank (const Quantile *j, gsize first, gsize rank)
{
  guint64 found = 0;
  double value;

  for (int shift = 56; shift >= 0; shift -= 8)
    {
      gsize counts[256] = { 0 };
      int byte = 0;

      for (gsize i = first; i < first + j->size; i++)
        {
          const guint64 bits = get_bits (j, i);

          counts[bits >> shift & 255] += shift == 56 || bits >> (shift + 8) == found >> (shift + 8);
        }
      for (; rank >= counts[byte]; byte++)
        rank -= counts[byte];
      found |= (guint64) byte << shift;
    }
  memcpy (&value, &found, sizeof value);
  return value;
}

static void
quantile_sample (gpointer data, int index, int thread)
{
  const Quantile *j = data;
  const gsize first = (gsize) index * j->size;
  const double at = j->q * (double) (j->size - 1);
  const gsize rank = MIN ((gsize) at, j->size - 1);
  const double part = at - (double) rank;

  j->out[index] = select_rank (j, first, rank);
  if (part > 0 && rank + 1 < j->size)
    j->out[index] += part * (select_rank (j, first, rank + 1) - j->out[index]);
}

void
sumi_samples_quantile (SumiEval *ev, const SumiTensor *a, double middle, double q, double *out)
{
  Quantile job = { a, cut (a, NULL).size, middle, q, out };

  clear (a, out);
  if (is_ready (ev, a, NULL) && job.size > 0)
    sumi_parallel_for (ev->pool, a->shape[0], quantile_sample, &job);
}

/* ---- scaling ------------------------------------------------------------- */

static void
scale_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const double factor = j->per_piece[index / j->pieces];
  gsize from, to;

  get_range (j, index, &from, &to);
  for (gsize i = from; i < to; i++)
    sumi_tensor_put (j->out, i, (j->a ? sumi_tensor_get (j->a, i) : 0) + factor * sumi_tensor_get (j->b, i));
}

SumiTensor *
sumi_samples_scale (SumiEval *ev, const SumiTensor *a, const double *factors, const SumiTensor *b, SumiTensor *out)
{
  Job job = cut (b, b);

  if (! is_ready (ev, b, a))
    return sumi_eval_nothing (ev);
  job.a = a;
  job.per_piece = factors;
  job.out = out ? out : sumi_eval_tensor_like (ev, b);
  if (ev->error)
    return sumi_eval_nothing (ev);
  sumi_parallel_for (ev->pool, b->shape[0] * job.pieces, scale_piece, &job);
  return job.out;
}
