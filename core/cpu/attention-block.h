/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One block of queries against all keys, tile of keys by tile, with the running maximum and sum of each query (Milakov
 * and Gimelshein 2018; Dao et al. 2022, algorithm 1).
 *
 * Lanes are queries: scores and output are kept transposed, [key][query] and [d][query], so that softmax needs no sum
 * across lanes, and keys and values are broadcast from where they are. Both products are the same micro-kernel: STEP
 * rows of VECTORS vectors stay in registers. Exponentials are of base 2.
 *
 * In bf16, d is rounded up to pairs with zeros; products are exact, their sums, the softmax and its sum are f32.
 *
 * This text is compiled once per instruction set; the file that includes it may define
 *   BLOCK_TARGET   function attribute
 *   LANES, VECTORS floats of a vector, vectors of a row: LANES·VECTORS queries are a block
 *   MAXIMUM(a, b)  lane by lane; b where one is not a number
 *   BLOCK_BF16     words are pairs of bf16, and DOT(sum, a, b) adds their products, b one word */
#pragma once

#include <float.h>
#include <string.h>

#include "core/cpu/attention.h"

#ifndef LANES
#define LANES   4
#define VECTORS 2
#define BLOCK_TARGET
#endif

#define QUERIES (LANES * VECTORS)
#define STEP    6
#define KEYS    SUMI_ATTENTION_KEYS
#define INLINE  BLOCK_TARGET __attribute__ ((always_inline)) static inline

typedef float Vector __attribute__ ((vector_size (LANES * 4), may_alias));
typedef gint32 Ints __attribute__ ((vector_size (LANES * 4), may_alias));
typedef float Quad __attribute__ ((vector_size (16), may_alias));

#ifndef MAXIMUM
#define MAXIMUM(a, b) ((Vector) (((Ints) (a) & ((a) > (b))) | ((Ints) (b) & ~((a) > (b)))))
#endif

#ifdef BLOCK_BF16
#define PAIR 2
typedef guint16 __attribute__ ((may_alias)) Half;
#else
#define PAIR              1
static inline float
word_float (const guint32 *word)
{
  float x;

  memcpy (&x, word, sizeof x);
  return x;
}
#define DOT(sum, a, word) ((sum) + (a) *word_float (word))
#endif

/* sum[r][·] += Σ_i a[i][·]·b[r·row_step + i·step], @rows ≤ STEP a constant */
INLINE void
products (Vector sum[STEP][VECTORS], const float *a, const guint32 *b, gsize row_step, gsize step, int n, int rows)
{
  for (int i = 0; i < n; i++)
    {
      Vector x[VECTORS];

      for (int v = 0; v < VECTORS; v++)
        x[v] = *(const Vector *) (a + i * QUERIES + v * LANES);
      for (int r = 0; r < rows; r++)
        for (int v = 0; v < VECTORS; v++)
          sum[r][v] = DOT (sum[r][v], x[v], b + (gsize) r * row_step + (gsize) i * step);
    }
}

/* s[r][·] = products; @largest takes part in their maximum */
INLINE void
score_rows (const float *q, const guint32 *k, gsize k_stride, int n, float *s, Vector largest[VECTORS], int rows)
{
  Vector sum[STEP][VECTORS] = { 0 };

  products (sum, q, k, k_stride, 1, n, rows);
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < VECTORS; v++)
      {
        largest[v] = MAXIMUM (largest[v], sum[r][v]);
        *(Vector *) (s + r * QUERIES + v * LANES) = sum[r][v];
      }
}

/* y[r][·] = factor·y[r][·] + products; without @factor, y is not read */
INLINE void
value_rows (const float *p, const guint32 *v, gsize v_stride, int n, float *y, const Vector *factor, int rows)
{
  Vector sum[STEP][VECTORS] = { 0 };

  if (factor)
    for (int r = 0; r < rows; r++)
      for (int k = 0; k < VECTORS; k++)
        sum[r][k] = *(const Vector *) (y + r * QUERIES + k * LANES) * factor[k];
  products (sum, p, v, 1, v_stride, n, rows);
  for (int r = 0; r < rows; r++)
    for (int k = 0; k < VECTORS; k++)
      *(Vector *) (y + r * QUERIES + k * LANES) = sum[r][k];
}

/* Calls @call with the constants STEP, then what is left. */
#define BY_ROWS(count, call)                                                                                           \
  for (int row = 0; row < (count); row += STEP)                                                                        \
    switch (MIN (STEP, (count) -row))                                                                                  \
      {                                                                                                                \
      case 1:                                                                                                          \
        call (1);                                                                                                      \
        break;                                                                                                         \
      case 2:                                                                                                          \
        call (2);                                                                                                      \
        break;                                                                                                         \
      case 3:                                                                                                          \
        call (3);                                                                                                      \
        break;                                                                                                         \
      case 4:                                                                                                          \
        call (4);                                                                                                      \
        break;                                                                                                         \
      case 5:                                                                                                          \
        call (5);                                                                                                      \
        break;                                                                                                         \
      default:                                                                                                         \
        call (STEP);                                                                                                   \
      }

/* 2^x for x ≤ 0, to 2 ulp: 2^n·p(r), n nearest to x, p the minimax polynomial of degree 5 on |r| ≤ ½. Below 2^-125,
 * that. */
INLINE Vector
power_of_2 (Vector x)
{
  const Vector lowest = (Vector){ 0 } - 125.0f;
  const Vector y = MAXIMUM (lowest, x);
  const Vector shifted = y + 0x1.8p23f; /* n is in its low bits */
  const Vector r = y - (shifted - 0x1.8p23f);
  const Vector p =
      ((((0.0013276472f * r + 0.0096755413f) * r + 0.0555071327f) * r + 0.2402211972f) * r + 0.6931469671f) * r +
      1.0000000717f;

  return (Vector) ((Ints) p + ((Ints) shifted << 23));
}

#ifdef BLOCK_BF16
/* Nearest, ties up: what is packed is finite or spoilt anyway. */
INLINE Vector
pack_pair (Vector low, Vector high)
{
  const Ints l = (Ints) low + 0x8000, h = (Ints) high + 0x8000;

  return (Vector) (((l >> 16) & 0xffff) | (h & (gint32) 0xffff0000));
}
#endif

/* Scores of the tile become weights 2^(s − largest), words for the next product; adds them to @sum. */
INLINE void
weigh (float *s, int keys, const Vector largest[VECTORS], Vector sum[VECTORS])
{
  for (int v = 0; v < VECTORS; v++)
    {
      float *at = s + v * LANES;
      const Vector top = largest[v];
      Vector total = sum[v];
#ifdef BLOCK_BF16
      float *to = at;
      int t = 0;

      for (; t + 2 <= keys; t += 2, at += 2 * QUERIES, to += QUERIES)
        {
          const Vector a = power_of_2 (*(Vector *) at - top), b = power_of_2 (*(Vector *) (at + QUERIES) - top);

          total += a;
          total += b;
          *(Vector *) to = pack_pair (a, b);
        }
      if (t < keys)
        {
          const Vector a = power_of_2 (*(Vector *) at - top);

          total += a;
          *(Vector *) to = pack_pair (a, (Vector){ 0 });
        }
#else
      for (int t = 0; t < keys; t++, at += QUERIES)
        {
          const Vector w = power_of_2 (*(Vector *) at - top);

          total += w;
          *(Vector *) at = w;
        }
#endif
      sum[v] = total;
    }
}

/* to[i][r] = from[r][i]·factor[i], 4×4; without @factor, bits are moved as they are */
INLINE void
transpose_4 (const float *from, gsize from_stride, float *to, gsize to_stride, const float *factor)
{
  Quad r[4], t[4];

  for (int i = 0; i < 4; i++)
    {
      memcpy (r + i, from + (gsize) i * from_stride, sizeof *r);
      if (factor)
        r[i] *= *(const Quad *) factor;
    }
  t[0] = __builtin_shufflevector (r[0], r[1], 0, 4, 1, 5);
  t[1] = __builtin_shufflevector (r[2], r[3], 0, 4, 1, 5);
  t[2] = __builtin_shufflevector (r[0], r[1], 2, 6, 3, 7);
  t[3] = __builtin_shufflevector (r[2], r[3], 2, 6, 3, 7);
  r[0] = __builtin_shufflevector (t[0], t[1], 0, 1, 4, 5);
  r[1] = __builtin_shufflevector (t[0], t[1], 2, 3, 6, 7);
  r[2] = __builtin_shufflevector (t[2], t[3], 0, 1, 4, 5);
  r[3] = __builtin_shufflevector (t[2], t[3], 2, 3, 6, 7);
  for (int i = 0; i < 4; i++)
    memcpy (to + (gsize) i * to_stride, r + i, sizeof *r);
}

/* [words][query] from q, scaled; queries that are not there are zero. @rows: room for it before it is transposed. */
BLOCK_TARGET static void
pack_queries (const SumiAttentionBlock *b, int words, float *rows, float *packed)
{
  int i = 0;

  for (int t = 0; t < b->queries; t++)
    {
      const float *q = b->q + (gsize) t * b->stride;
      float *to = rows + t * words;

#ifdef BLOCK_BF16
      to[words - 1] = 0;
      for (int w = 0; w < b->d; w++)
        ((Half *) to)[w] = (Half) sumi_attention_bf16_bits (q[w] * b->scale);
#else
      for (int w = 0; w < words; w++)
        to[w] = q[w] * b->scale;
#endif
    }
  memset (rows + b->queries * words, 0, (gsize) ((QUERIES - b->queries) * words) * sizeof (float));
  for (; i + 4 <= words; i += 4)
    for (int t = 0; t < QUERIES; t += 4)
      transpose_4 (rows + t * words + i, (gsize) words, packed + i * QUERIES + t, QUERIES, NULL);
  for (; i < words; i++)
    for (int t = 0; t < QUERIES; t++)
      packed[i * QUERIES + t] = rows[t * words + i];
}

BLOCK_TARGET static void
unpack_values (const SumiAttentionBlock *b, const float *values, const float *factor)
{
  const int d = b->d / 4 * 4, queries = b->queries / 4 * 4;

  for (int t = 0; t < queries; t += 4)
    for (int i = 0; i < d; i += 4)
      transpose_4 (values + i * QUERIES + t, QUERIES, b->y + (gsize) t * b->stride + i, b->stride, factor + t);
  for (int t = 0; t < b->queries; t++)
    for (int i = t < queries ? d : 0; i < b->d; i++)
      b->y[(gsize) t * b->stride + (gsize) i] = values[i * QUERIES + t] * factor[t];
}

BLOCK_TARGET static void
attention_block (const SumiAttentionBlock *b)
{
  const int words = (b->d + PAIR - 1) / PAIR;
  float *q = b->scratch, *y = q + b->d * QUERIES, *s = y + b->d * QUERIES;
  Vector largest[VECTORS], sum[VECTORS], factor[VECTORS];

  pack_queries (b, words, y, q);
  for (int v = 0; v < VECTORS; v++)
    {
      largest[v] = (Vector){ 0 } - FLT_MAX;
      sum[v] = (Vector){ 0 };
    }
  for (int start = 0; start < b->keys; start += KEYS)
    {
      const int keys = MIN (KEYS, b->keys - start);
      const guint32 *k = b->k + (gsize) start * b->k_stride, *value = b->v + (gsize) (start / PAIR) * b->v_stride;
      Vector top[VECTORS];

      memcpy (top, largest, sizeof top);
#define SCORE(rows) score_rows (q, k + (gsize) row * b->k_stride, b->k_stride, words, s + row * QUERIES, top, rows)
      BY_ROWS (keys, SCORE)
      for (int v = 0; v < VECTORS; v++)
        {
          factor[v] = power_of_2 (largest[v] - top[v]);
          sum[v] *= factor[v];
          largest[v] = top[v];
        }
      weigh (s, keys, top, sum);
#define VALUE(rows)                                                                                                    \
  value_rows (s, value + row, b->v_stride, (keys + PAIR - 1) / PAIR, y + row * QUERIES, start ? factor : NULL, rows)
      BY_ROWS (b->d, VALUE)
    }
  for (int v = 0; v < VECTORS; v++)
    factor[v] = 1.0f / sum[v];
  unpack_values (b, y, (const float *) factor);
}
