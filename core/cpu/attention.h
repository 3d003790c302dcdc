/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to the attention kernels: one block of queries against all keys, in a form for each instruction set. A new
 * set is one more file that includes attention-block.h. */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* What the inner products run over is stored as 32-bit words: a float, or two bf16 neighbours (the first in the low
 * half). @k: a row of d (or ⌈d/2⌉) words for each key; @v: a row of d words for each key (or pair of keys). */
typedef struct
{
  const guint32 *k, *v;
  gsize k_stride, v_stride; /* words from row to row */
  const float *q;           /* rows of d */
  float *y;                 /* rows of d */
  gsize stride;             /* floats from row to row of q and y */
  int queries, keys, d;     /* queries ≤ the variant's */
  float scale;              /* of the scores, times log₂ e */
  float *scratch;           /* sumi_attention_scratch() floats, 64-byte aligned */
} SumiAttentionBlock;

/* A row of SumiCpuIsa. */
typedef struct SumiCpuAttention
{
  int queries; /* of a block */
  gboolean bf16;
  void (*run) (const SumiAttentionBlock *b);
} SumiCpuAttention;

/* Keys that are scored together; their weights stay in the first-level cache. Even. */
#define SUMI_ATTENTION_KEYS 60

static inline gsize
sumi_attention_scratch (int queries, int d)
{
  return (gsize) queries * (gsize) (2 * d + SUMI_ATTENTION_KEYS);
}

/* To the nearest bf16, ties away from zero. */
static inline guint32
sumi_attention_bf16_bits (float x)
{
  guint32 bits;

  memcpy (&bits, &x, sizeof bits);
  return (bits + 0x8000) >> 16;
}

extern const SumiCpuAttention sumi_attention_baseline, sumi_attention_avx, sumi_attention_avx2, sumi_attention_avx512,
    sumi_attention_avx512_bf16;

G_END_DECLS
