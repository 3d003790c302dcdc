/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chunks grow geometrically up to a size and are kept on release: after the first denoiser call the arena no longer
 * asks the system for memory. */
#include "core/base/arena.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <sys/mman.h>

#define ALIGN       64
#define FIRST_CHUNK ((gsize) 1 << 20)
#define MOST_AHEAD  ((gsize) 8 << 20)

typedef struct Chunk Chunk;
struct Chunk
{
  Chunk *next;
  gsize size, used;
  gsize before; /* bytes used in the chunks before this one, when it became current */
};

/* large memory is made of these where the system has them: fewer page faults and misses of the address cache */
#define HUGE_PAGE ((gsize) 2 << 20)

#define HEAD ((sizeof (Chunk) + ALIGN - 1) / ALIGN * ALIGN)

struct SumiArena
{
  Chunk *first, *current;
  gsize total; /* of all chunks */
  gsize peak;
  gsize least; /* of the next chunk, when there is none */
};

gpointer
sumi_memory_alloc (gsize size)
{
  gpointer p;

  if (size > G_MAXSIZE / 2)
    return NULL;
  if (size < 2 * HUGE_PAGE)
    return aligned_alloc (ALIGN, (size + ALIGN - 1) / ALIGN * ALIGN);
  p = aligned_alloc (HUGE_PAGE, (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
#ifdef MADV_HUGEPAGE
  if (p)
    madvise (p, size, MADV_HUGEPAGE);
#endif
  return p;
}

void
sumi_memory_keep (void)
{
#ifdef __GLIBC__
  /* the largest there is; the other is what tiles and bands take */
  mallopt (M_MMAP_THRESHOLD, 32 << 20);
  mallopt (M_TRIM_THRESHOLD, 512 << 20);
#endif
}

SumiArena *
sumi_arena_new (void)
{
  return g_new0 (SumiArena, 1);
}

void
sumi_arena_free (SumiArena *arena)
{
  if (! arena)
    return;
  for (Chunk *c = arena->first, *next; c; c = next)
    {
      next = c->next;
      free (c);
    }
  g_free (arena);
}

/* Frees what comes after @after, or all; nothing there is in use. Returns: its size. */
static gsize
drop_chunks (SumiArena *arena, Chunk *after)
{
  Chunk **first = after ? &after->next : &arena->first;
  gsize freed = 0;

  for (Chunk *c = *first, *next; c; c = next)
    {
      next = c->next;
      freed += c->size;
      free (c);
    }
  *first = NULL;
  arena->total -= freed;
  return freed;
}

/* A chunk for @size and more behind @after, the last one, or as the first. */
static Chunk *
chunk_add (SumiArena *arena, Chunk *after, gsize size, gsize wish)
{
  gsize want = MAX (MAX (size, wish), FIRST_CHUNK);
  Chunk *c = NULL;

  if (want > G_MAXSIZE / 2)
    return NULL;
  want = (want + ALIGN - 1) / ALIGN * ALIGN;
  c = sumi_memory_alloc (HEAD + want);
  if (! c && want > size)
    {
      want = (size + ALIGN - 1) / ALIGN * ALIGN;
      c = sumi_memory_alloc (HEAD + want);
    }
  if (! c)
    return NULL;
  c->size = want;
  c->used = 0;
  c->next = NULL;
  if (after)
    after->next = c;
  else
    arena->first = c;
  arena->total += want;
  arena->least = 0;
  return c;
}

gpointer
sumi_arena_alloc (SumiArena *arena, gsize size)
{
  Chunk *c = arena->current;
  gpointer p;

  if (size > G_MAXSIZE / 4)
    return NULL;
  size = (MAX (size, 1) + ALIGN - 1) / ALIGN * ALIGN;
  if (! c || c->size - c->used < size)
    {
      Chunk *next = c ? c->next : arena->first;
      gsize before = c ? c->before + c->used : 0;

      if (! next || next->size < size)
        {
          const gsize dropped = drop_chunks (arena, c);

          next = chunk_add (arena, c, size, MAX (dropped, MAX (MIN (arena->total / 2, MOST_AHEAD), arena->least)));
        }
      if (! next)
        return NULL;
      next->used = 0;
      next->before = before;
      arena->current = c = next;
    }
  p = (char *) c + HEAD + c->used;
  c->used += size;
  arena->peak = MAX (arena->peak, c->before + c->used);
  return p;
}

SumiArenaMark
sumi_arena_mark (SumiArena *arena)
{
  return (SumiArenaMark){ arena->current, arena->current ? arena->current->used : 0 };
}

void
sumi_arena_release (SumiArena *arena, SumiArenaMark mark)
{
  arena->current = mark.chunk;
  if (arena->current)
    arena->current->used = mark.used;
  else if (arena->first && arena->first->next)
    {
      /* several chunks become one that holds the peak, at the next allocation: what grew bit by bit, or with every
       * tile, would keep chunks that are too small for anything */
      drop_chunks (arena, NULL);
      arena->least = arena->peak;
    }
}

gsize
sumi_arena_get_peak (const SumiArena *arena)
{
  return arena->peak;
}
