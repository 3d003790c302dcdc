/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to the attention kernels, their test and the bench: one block of queries against all keys, in a form for each
 * instruction set. A new instruction set is one more file that includes attention-block.h. */
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

typedef struct
{
  const char *key;
  int queries; /* of a block */
  gboolean bf16;
  gboolean (*usable) (void); /* has this CPU what it needs? */
  void (*run) (const SumiAttentionBlock *b);
} SumiAttentionVariant;

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

/* Best first, NULL-ended; bf16 ones are only taken when asked for. */
extern const SumiAttentionVariant *const sumi_attention_variants[];
extern const SumiAttentionVariant sumi_attention_plain;
#ifdef __x86_64__
extern const SumiAttentionVariant sumi_attention_avx2, sumi_attention_avx512, sumi_attention_bf16;
#endif

/* Takes the variant of that key from now on in all threads; NULL: the best f32 one again. For tests and the bench.
 * Returns: FALSE when there is no such variant or this CPU cannot run it. */
gboolean sumi_attention_use (const char *key);

G_END_DECLS
