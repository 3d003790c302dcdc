/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks of queries of one head are shared out; each runs over all keys (attention-block.h). */
#include "core/cpu/attention.h"

#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/fast.h"
#include "core/base/parallel.h"
#include "core/cpu/backend.h"
#include "core/cpu/isa.h"
#include "core/ops/params.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define PACK_ROWS 64 /* keys that a piece of packing takes; even */

typedef struct
{
  const SumiCpuAttention *variant;
  const float *q, *k, *v;
  float *y;
  int heads, queries, keys, d;
  int blocks;                 /* per head */
  float scale;                /* of the scores, times log₂ e */
  guint32 *k_words, *v_words; /* bf16: [N, heads, Tk, ⌈d/2⌉], [N, heads, ⌈Tk/2⌉, d] */
  float *scratch;             /* of all threads */
  gsize scratch_each;
} Job;

static gsize
k_words (const Job *j)
{
  return (gsize) j->keys * (gsize) ((j->d + 1) / 2);
}

static gsize
v_words (const Job *j)
{
  return (gsize) ((j->keys + 1) / 2) * (gsize) j->d;
}

SUMI_CLONES static void
pack_key (const float *restrict k, guint32 *restrict to, int d)
{
  int i = 0;

  for (; i + 1 < d; i += 2)
    to[i / 2] = sumi_attention_bf16_bits (k[i]) | sumi_attention_bf16_bits (k[i + 1]) << 16;
  if (i < d)
    to[i / 2] = sumi_attention_bf16_bits (k[i]);
}

/* @next: NULL after the last */
SUMI_CLONES static void
pack_values (const float *restrict v, const float *restrict next, guint32 *restrict to, int d)
{
  if (next)
    for (int i = 0; i < d; i++)
      to[i] = sumi_attention_bf16_bits (v[i]) | sumi_attention_bf16_bits (next[i]) << 16;
  else
    for (int i = 0; i < d; i++)
      to[i] = sumi_attention_bf16_bits (v[i]);
}

/* PACK_ROWS keys and values of one head */
static void
pack_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const int pieces = (j->keys + PACK_ROWS - 1) / PACK_ROWS, start = index % pieces * PACK_ROWS;
  const int end = MIN (j->keys, start + PACK_ROWS), d = j->d, words = (d + 1) / 2;
  const gsize head = (gsize) (index / pieces), stride = (gsize) (j->heads * d);
  const gsize at = (head / (gsize) j->heads) * (gsize) j->keys * stride + (head % (gsize) j->heads) * (gsize) d;

  for (int t = start; t < end; t++)
    {
      const float *k = j->k + at + (gsize) t * stride, *v = j->v + at + (gsize) t * stride;

      pack_key (k, j->k_words + head * k_words (j) + (gsize) t * (gsize) words, d);
      if (t % 2 == 0)
        pack_values (v, t + 1 < end ? v + stride : NULL, j->v_words + head * v_words (j) + (gsize) (t / 2) * (gsize) d,
                     d);
    }
}

static void
block_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize head = (gsize) (index / j->blocks), stride = (gsize) (j->heads * j->d);
  const gsize n = head / (gsize) j->heads, h = (head % (gsize) j->heads) * (gsize) j->d;
  const int start = index % j->blocks * j->variant->queries;
  const gsize of_q = (n * (gsize) j->queries + (gsize) start) * stride + h, of_k = n * (gsize) j->keys * stride + h;
  SumiAttentionBlock b = {
    .k = (const guint32 *) (j->k + of_k),
    .v = (const guint32 *) (j->v + of_k),
    .k_stride = stride,
    .v_stride = stride,
    .q = j->q + of_q,
    .y = j->y + of_q,
    .stride = stride,
    .queries = MIN (j->variant->queries, j->queries - start),
    .keys = j->keys,
    .d = j->d,
    .scale = j->scale,
    .scratch = j->scratch + (gsize) thread * j->scratch_each,
  };

  if (j->variant->bf16)
    {
      b.k = j->k_words + head * k_words (j);
      b.v = j->v_words + head * v_words (j);
      b.k_stride = (gsize) ((j->d + 1) / 2);
      b.v_stride = (gsize) j->d;
    }
  j->variant->run (&b);
}

static void
attention_run (SumiEval *ev, const SumiTensor *const *in, SumiTensor *out, gconstpointer params)
{
  const SumiAttentionParams *p = params;
  const SumiCpuIsa *isa = sumi_cpu_isa ();
  const SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  const gsize threads = (gsize) sumi_pool_get_n_threads (ev->pool);
  Job job = {
    .variant = ev->bf16 && isa->attention_bf16 ? isa->attention_bf16 : isa->attention,
    .q = sumi_tensor_f32 (in[0]),
    .k = sumi_tensor_f32 (in[1]),
    .v = sumi_tensor_f32 (in[2]),
    .y = sumi_tensor_f32 (out),
    .heads = p->heads,
    .queries = out->shape[1],
    .keys = in[1]->shape[1],
    .d = out->shape[2] / p->heads,
  };
  const int heads = out->shape[0] * p->heads;
  gsize bytes;

  if (! sumi_tensor_count (out))
    return;
  job.scale = (float) ((p->scale > 0 ? p->scale : 1 / sqrt ((double) job.d)) * M_LOG2E);
  job.blocks = (job.queries + job.variant->queries - 1) / job.variant->queries;
  /* whole cache lines, so that threads share none */
  job.scratch_each = (sumi_attention_scratch (job.variant->queries, job.d) + 15) / 16 * 16;
  bytes = threads * job.scratch_each * sizeof (float);
  job.scratch = sumi_arena_alloc (ev->scratch, bytes);
  if (job.variant->bf16)
    {
      const gsize words = (gsize) heads * (k_words (&job) + v_words (&job));

      bytes += words * sizeof (guint32);
      job.k_words = sumi_arena_alloc (ev->scratch, words * sizeof (guint32));
      job.v_words = job.k_words ? job.k_words + (gsize) heads * k_words (&job) : NULL;
    }
  if (! job.scratch || (job.variant->bf16 && ! job.k_words))
    {
      sumi_arena_release (ev->scratch, mark);
      sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "attention: no memory for %.0f MB; allow less with --memory",
                      (double) bytes * 1e-6);
      return;
    }
  if (job.variant->bf16)
    sumi_parallel_for (ev->pool, heads * ((job.keys + PACK_ROWS - 1) / PACK_ROWS), pack_piece, &job);
  sumi_parallel_for (ev->pool, heads * job.blocks, block_piece, &job);
  sumi_arena_release (ev->scratch, mark);
}

const SumiCpuKernel sumi_cpu_attention = { "attention", attention_run };
