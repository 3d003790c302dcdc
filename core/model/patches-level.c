/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/patches-level.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/parallel.h"
#include "core/model/model.h"

/* beyond this a float picture is damaged rather than bright; keeps squares finite */
#define RANGE    25500.0f
#define DIAGONAL 1.41f
#define FAR      1e6f
/* rows that a thread does in one go */
#define BAND     16

gpointer
patches_take (gsize n, gsize size)
{
  return g_try_malloc0_n (n + PATCHES_PAD, size);
}

gboolean
patches_no_memory (const PatchesLevel *level, GError **error)
{
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY,
               "no memory to fill within %d×%d pixels; close other programs, allow more memory, or fill a smaller part "
               "at a time",
               level->width, level->height);
  return FALSE;
}

void
patches_level_close (PatchesLevel *level)
{
  g_clear_pointer (&level->is_source, g_free);
  g_clear_pointer (&level->sources, g_free);
  g_clear_pointer (&level->noisy, g_free);
  g_clear_pointer (&level->weight, g_free);
  g_clear_pointer (&level->compact, g_free);
  g_clear_pointer (&level->sought, g_free);
  g_clear_pointer (&level->scale, g_free);
  g_clear_pointer (&level->total, g_free);
  g_clear_pointer (&level->fade, g_free);
  g_clear_pointer (&level->distance, g_free);
  g_clear_pointer (&level->query_at, g_free);
  g_clear_pointer (&level->query_x, g_free);
  g_clear_pointer (&level->query_y, g_free);
  g_clear_pointer (&level->first, g_free);
  g_clear_pointer (&level->found, g_free);
  g_clear_pointer (&level->before, g_free);
  g_clear_pointer (&level->votes, g_free);
}

void
patches_level_free (PatchesLevel *level)
{
  if (! level)
    return;
  patches_level_close (level);
  g_free (level->picture);
  g_free (level->missing);
  g_free (level->kind);
  g_free (level);
}

static PatchesLevel *
level_alloc (int width, int height, int depth, SumiPool *pool, GError **error)
{
  g_autoptr (PatchesLevel) level = g_new0 (PatchesLevel, 1);
  const gsize n = (gsize) width * (gsize) height;

  level->width = width;
  level->height = height;
  level->depth = depth;
  level->pool = pool;
  level->picture = patches_take (n, 4 * sizeof (float));
  level->missing = patches_take (n, sizeof (float));
  level->kind = patches_take (n, 1);
  if (! level->picture || ! level->missing || ! level->kind)
    {
      patches_no_memory (level, error);
      return NULL;
    }
  return g_steal_pointer (&level);
}

/* Two passes. */
void
patches_chamfer (const PatchesLevel *level, const SumiRect *box, float *distance)
{
  const int w = box->width, h = box->height;

  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      distance[(gsize) y * (gsize) w + (gsize) x] =
          level->kind[patches_at (level, box->x + x, box->y + y)] == PATCHES_KNOWN ? 0 : FAR;
  for (int pass = 0; pass < 2; pass++)
    for (int j = 0; j < h; j++)
      for (int i = 0; i < w; i++)
        {
          const int y = pass ? h - 1 - j : j, x = pass ? w - 1 - i : i, s = pass ? 1 : -1;
          float *d = distance + (gsize) y * (gsize) w + (gsize) x;
          const float *row = d + s * w;
          const gboolean vertical = j > 0;

          if (*d == 0)
            continue;
          if (i > 0)
            *d = MIN (*d, d[s] + 1);
          if (vertical)
            *d = MIN (*d, row[0] + 1);
          if (vertical && x > 0)
            *d = MIN (*d, row[-1] + DIAGONAL);
          if (vertical && x + 1 < w)
            *d = MIN (*d, row[1] + DIAGONAL);
        }
}

/* What one thread needs to know of the others: the first and last rows and columns that are not wholly known. */
static void
find_extent (PatchesLevel *level)
{
  const int w = level->width, h = level->height;
  int x0 = w, x1 = -1, y0 = h, y1 = -1;

  level->n_known = level->n_holes = 0;
  for (int y = 0; y < h; y++)
    {
      const guint8 *kind = level->kind + patches_at (level, 0, y);
      int known = 0, holes = 0, a = 0, b = w - 1;

      for (int x = 0; x < w; x++)
        {
          known += kind[x] == PATCHES_KNOWN;
          holes += kind[x] == PATCHES_HOLE;
        }
      level->n_known += (gsize) known;
      level->n_holes += (gsize) holes;
      if (known == w)
        continue;
      while (kind[a] == PATCHES_KNOWN)
        a++;
      while (kind[b] == PATCHES_KNOWN)
        b--;
      x0 = MIN (x0, a), x1 = MAX (x1, b);
      y0 = MIN (y0, y), y1 = y;
    }
  x0 = MAX (x0 - 1, 0), y0 = MAX (y0 - 1, 0);
  level->unknown = x1 < 0 ? (SumiRect){ 0, 0, 1, 1 } : (SumiRect){ x0, y0, MIN (x1 + 2, w) - x0, MIN (y1 + 2, h) - y0 };
}

/* A pixel's nearest known one is at the border of what is unknown, or reached from there. */
static gboolean
measure_depth (PatchesLevel *level, GError **error)
{
  const SumiRect *u = &level->unknown;
  g_autofree float *distance = NULL;

  find_extent (level);
  distance = patches_take ((gsize) u->width * (gsize) u->height, sizeof (float));
  if (! distance)
    return patches_no_memory (level, error);
  patches_chamfer (level, u, distance);
  level->deepest = 0;
  for (int y = 0; y < u->height; y++)
    for (int x = 0; x < u->width; x++)
      if (level->kind[patches_at (level, u->x + x, u->y + y)] == PATCHES_HOLE)
        level->deepest = MAX (level->deepest, distance[(gsize) y * (gsize) u->width + (gsize) x]);
  return TRUE;
}

/* ---- texture strength --------------------------------------------------- */

typedef struct
{
  PatchesLevel *level;
  gboolean failed;
} Texture;

static float
difference_of (const float *a, const float *b)
{
  return fabsf (b[0] - a[0]) + fabsf (b[1] - a[1]) + fabsf (b[2] - a[2]);
}

/* Σ over R, G, B of the absolute difference to the right and lower neighbour, where both are known, and how many. */
static void
differences (const PatchesLevel *level, int y, float *restrict sum, float *restrict count)
{
  const int w = level->width;
  const guint8 *kind = level->kind + patches_at (level, 0, y);
  const float *p = level->picture + 4 * patches_at (level, 0, y);

  for (int x = 0; x < w - 1; x++)
    {
      const float both = kind[x] == PATCHES_KNOWN && kind[x + 1] == PATCHES_KNOWN;

      sum[x] = both * difference_of (p + 4 * x, p + 4 * x + 4);
      count[x] = both * 3;
    }
  sum[w - 1] = count[w - 1] = 0;
  for (int x = 0; x < w && y + 1 < level->height; x++)
    {
      const float both = kind[x] == PATCHES_KNOWN && kind[x + w] == PATCHES_KNOWN;

      sum[x] += both * difference_of (p + 4 * x, p + 4 * x + 4 * w);
      count[x] += both * 3;
    }
}

/* Texture strength T: mean over 5×5 of the mean absolute difference to the right and lower neighbour, known pixels
 * only. */
static void
texture_band (gpointer data, int index, int thread)
{
  Texture *t = data;
  PatchesLevel *level = t->level;
  const int w = level->width, h = level->height;
  const int y0 = index * BAND, y1 = MIN (y0 + BAND, h), from = MAX (y0 - 2, 0), to = MIN (y1 + 2, h);
  const gsize row = (gsize) w + 4; /* with two zeros at either end */
  g_autofree float *all = g_try_new0 (float, 2 * (gsize) (to - from + 1) * row);
  float *sum, *count;

  if (! all)
    {
      t->failed = TRUE;
      return;
    }
  for (int y = from; y < to; y++)
    differences (level, y, all + 2 * (gsize) (y - from) * row + 2, all + (2 * (gsize) (y - from) + 1) * row + 2);
  sum = all + 2 * (gsize) (to - from) * row;
  count = sum + row;
  for (int y = y0; y < y1; y++)
    {
      float *out = level->picture + 4 * patches_at (level, 0, y) + 3;
      const guint8 *kind = level->kind + patches_at (level, 0, y);

      memset (sum, 0, 2 * row * sizeof (float));
      for (int dy = MAX (0, y - 2); dy <= MIN (h - 1, y + 2); dy++)
        for (gsize i = 0; i < 2 * row; i++)
          sum[i] += all[2 * (gsize) (dy - from) * row + i];
      for (int x = 0; x < w; x++)
        {
          const float total = sum[x] + sum[x + 1] + sum[x + 2] + sum[x + 3] + sum[x + 4];
          const float n = count[x] + count[x + 1] + count[x + 2] + count[x + 3] + count[x + 4];

          if (kind[x] == PATCHES_KNOWN)
            out[4 * x] = PATCHES_TEXTURE * total / MAX (n, 1);
        }
    }
}

/* ---- full size ---------------------------------------------------------- */

typedef struct
{
  PatchesLevel *level;
  const SumiEvidence *evidence;
} Read;

static void
read_band (gpointer data, int index, int thread)
{
  const Read *r = data;
  const SumiEvidence *e = r->evidence;
  PatchesLevel *level = r->level;
  const gsize end = patches_at (level, 0, MIN ((index + 1) * BAND, level->height));

  for (gsize i = patches_at (level, 0, index * BAND); i < end; i++)
    {
      const float m = e->missing ? e->missing->data[i] : 0;
      float *out = level->picture + 4 * i;

      level->missing[i] = CLAMP (m, 0, 1);
      level->kind[i] = m > 0 ? PATCHES_HOLE : e->source && ! (e->source->data[i] > 0) ? PATCHES_VOID : PATCHES_KNOWN;
      /* soft pixels keep their own colour to be mixed with; what is wholly unknown is never looked at */
      if (level->kind[i] != PATCHES_VOID)
        for (gsize c = 0; c < 3; c++)
          out[c] = CLAMP (e->picture->data[3 * i + c] * 255, -RANGE, RANGE);
    }
}

PatchesLevel *
patches_level_new (const SumiEvidence *evidence, SumiPool *pool, GError **error)
{
  const int h = evidence->picture->height, bands = (h + BAND - 1) / BAND;
  g_autoptr (PatchesLevel) level = level_alloc (evidence->picture->width, h, 0, pool, error);
  Texture texture = { level };

  if (! level)
    return NULL;
  sumi_parallel_for (pool, bands, read_band, &(Read){ level, evidence });
  sumi_parallel_for (pool, bands, texture_band, &texture);
  if (texture.failed)
    {
      patches_no_memory (level, error);
      return NULL;
    }
  return measure_depth (level, error) ? g_steal_pointer (&level) : NULL;
}

/* ---- coarser sizes ------------------------------------------------------ */

typedef float V4 __attribute__ ((vector_size (16), aligned (4), may_alias));

/* [1 3 3 1]/8 in both directions, normalised over the pixels that count: known ones for a known pixel, what shows
 * through for one of the hole. */
static void
shrink_pixel (const PatchesLevel *fine, PatchesLevel *coarse, int x, int y)
{
  static const float filter[4] = { 1, 3, 3, 1 };
  const gsize at = patches_at (coarse, x, y);
  int inside = 0, known = 0, holes = 0;
  float total = 0, missing = 0;
  V4 sum = { 0 };

  for (int j = 2 * y; j < MIN (2 * y + 2, fine->height); j++)
    for (int i = 2 * x; i < MIN (2 * x + 2, fine->width); i++)
      {
        const gsize from = patches_at (fine, i, j);

        inside++;
        known += fine->kind[from] == PATCHES_KNOWN;
        holes += fine->kind[from] == PATCHES_HOLE;
        missing += fine->missing[from];
      }
  coarse->kind[at] = 4 * known >= 3 * inside ? PATCHES_KNOWN : holes ? PATCHES_HOLE : PATCHES_VOID;
  coarse->missing[at] = coarse->kind[at] == PATCHES_HOLE ? MIN (1, missing / (float) holes) : 0;
  if (coarse->kind[at] == PATCHES_VOID)
    return;
  for (int j = 0; j < 4; j++)
    for (int i = 0; i < 4; i++)
      {
        const int fx = 2 * x - 1 + i, fy = 2 * y - 1 + j;
        gsize from;
        float w;

        if (fx < 0 || fy < 0 || fx >= fine->width || fy >= fine->height)
          continue;
        from = patches_at (fine, fx, fy);
        if (fine->kind[from] == PATCHES_VOID ||
            (coarse->kind[at] == PATCHES_KNOWN && fine->kind[from] != PATCHES_KNOWN))
          continue;
        w = filter[i] * filter[j] * (fine->kind[from] == PATCHES_KNOWN ? 1 : 1 - fine->missing[from]);
        sum += w * *(const V4 *) (fine->picture + 4 * from);
        total += w;
      }
  if (total > 0)
    *(V4 *) (coarse->picture + 4 * at) = sum / total;
}

typedef struct
{
  const PatchesLevel *fine;
  PatchesLevel *coarse;
} Shrink;

static void
shrink_row (gpointer data, int index, int thread)
{
  const Shrink *s = data;

  for (int x = 0; x < s->coarse->width; x++)
    shrink_pixel (s->fine, s->coarse, x, index);
}

PatchesLevel *
patches_level_shrink (const PatchesLevel *fine, GError **error)
{
  g_autoptr (PatchesLevel) coarse =
      level_alloc ((fine->width + 1) / 2, (fine->height + 1) / 2, fine->depth + 1, fine->pool, error);

  if (! coarse)
    return NULL;
  sumi_parallel_for (fine->pool, coarse->height, shrink_row, &(Shrink){ fine, coarse });
  return measure_depth (coarse, error) ? g_steal_pointer (&coarse) : NULL;
}
