/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tensor/blocks.h"

#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/tensor/eval.h"

typedef struct
{
  float *data;
  gsize count;
  gboolean used;
} Block;

struct SumiBlocks
{
  GArray *blocks; /* (element-type Block) */
  gsize bytes, peak;
};

SumiBlocks *
sumi_blocks_new (void)
{
  SumiBlocks *self = g_new0 (SumiBlocks, 1);

  self->blocks = g_array_new (FALSE, FALSE, sizeof (Block));
  return self;
}

static Block *
block_at (SumiBlocks *self, guint i)
{
  return &g_array_index (self->blocks, Block, i);
}

void
sumi_blocks_free (SumiBlocks *self)
{
  for (guint i = 0; i < self->blocks->len; i++)
    free (block_at (self, i)->data);
  g_array_unref (self->blocks);
  g_free (self);
}

static void
drop_unused (SumiBlocks *self)
{
  for (guint i = self->blocks->len; i-- > 0;)
    {
      const Block *b = block_at (self, i);

      if (b->used)
        continue;
      self->bytes -= b->count * sizeof (float);
      free (b->data);
      g_array_remove_index_fast (self->blocks, i);
    }
}

/* Returns: (nullable): the smallest unused block that holds @count. */
static Block *
find_unused (SumiBlocks *self, gsize count)
{
  Block *best = NULL;

  for (guint i = 0; i < self->blocks->len; i++)
    {
      Block *b = block_at (self, i);

      if (! b->used && b->count >= count && (! best || b->count < best->count))
        best = b;
    }
  return best;
}

float *
sumi_blocks_take (SumiBlocks *self, SumiEval *ev, gsize count)
{
  Block *old, b = { .count = MAX (count, 1), .used = TRUE };
  gsize size;

  if (ev->error)
    return NULL;
  old = find_unused (self, b.count);
  if (old)
    {
      old->used = TRUE;
      return old->data;
    }
  if (g_size_checked_mul (&size, b.count, sizeof (float)) && size <= G_MAXSIZE / 4)
    {
      b.data = sumi_memory_alloc (size);
      if (! b.data)
        {
          drop_unused (self);
          b.data = sumi_memory_alloc (size);
        }
    }
  if (! b.data)
    {
      sumi_eval_fail (ev, SUMI_ERROR_MEMORY,
                      "no memory for %.0f MB that a network's gradient needs; allow less with --memory, or close other "
                      "programs",
                      (double) count * sizeof (float) * 1e-6);
      return NULL;
    }
  g_array_append_val (self->blocks, b);
  self->bytes += size;
  self->peak = MAX (self->peak, self->bytes);
  return b.data;
}

void
sumi_blocks_give_back (SumiBlocks *self, const float *data)
{
  for (guint i = 0; data && i < self->blocks->len; i++)
    if (block_at (self, i)->data == data)
      block_at (self, i)->used = FALSE;
}

void
sumi_blocks_give_back_all (SumiBlocks *self)
{
  for (guint i = 0; i < self->blocks->len; i++)
    block_at (self, i)->used = FALSE;
}

gsize
sumi_blocks_get_peak (const SumiBlocks *self)
{
  return self->peak;
}
