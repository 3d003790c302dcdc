/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which patches of a level are sources and which are queries, and what search and vote keep for each query. */
#include <math.h>
#include <string.h>

#include "core/base/image.h"
#include "core/base/parallel.h"
#include "core/model/patches-level.h"

/* known pixels are exact: they count this much more than synthesised ones; with the texture's weight as it is, 30 keeps
 * SSIM .004 above what 15 does */
#define KNOWN_WEIGHT 30.0f
/* of confidence per pixel of distance from what is known */
#define FALL         1.1
#define BAND         32 /* rows that a thread does in one go; of sources, so that threads share no word of bits */

/* ---- sources ------------------------------------------------------------ */

typedef struct
{
  PatchesLevel *level;
  int *count; /* of each band */
  gboolean failed;
} Sources;

/* How many of the 2r + 1 pixels around each of a row are known. @known: [width + 2r], zeros at both ends; @out: zeros
 */
static void
count_row (const PatchesLevel *level, int y, guint8 *restrict known, guint8 *restrict out)
{
  const gsize w = (gsize) level->width, r = (gsize) level->radius;
  const guint8 *kind = level->kind + patches_at (level, 0, y);

  for (gsize x = 0; x < w; x++)
    known[r + x] = kind[x] == PATCHES_KNOWN;
  for (gsize d = 0; d <= 2 * r; d++)
    for (gsize x = 0; x < w; x++)
      out[x] += known[x + d];
}

static void
find_sources (gpointer data, int index, int thread)
{
  Sources *s = data;
  PatchesLevel *level = s->level;
  const int w = level->width, h = level->height, r = level->radius, whole = (2 * r + 1) * (2 * r + 1);
  const int y0 = index * BAND, y1 = MIN (y0 + BAND, h), from = MAX (y0 - r, 0), to = MIN (y1 + r, h);
  const gsize row = (gsize) w, n = row * (gsize) (y1 - y0);
  guint32 *bits = level->is_source + row * (gsize) index;
  g_autofree guint8 *known = g_try_new0 (guint8, row + 2 * (gsize) r);
  g_autofree guint8 *counts = g_try_new0 (guint8, row * (gsize) (to - from));
  g_autofree guint8 *sum = g_try_new0 (guint8, n + 32);

  if (! known || ! counts || ! sum)
    {
      s->failed = TRUE;
      return;
    }
  for (int y = from; y < to; y++)
    count_row (level, y, known, counts + row * (gsize) (y - from));
  for (int y = y0; y < y1; y++)
    for (int dy = MAX (0, y - r); dy <= MIN (h - 1, y + r); dy++)
      for (gsize x = 0; x < row; x++)
        sum[row * (gsize) (y - y0) + x] += counts[row * (gsize) (dy - from) + x];
  for (gsize i = 0; i < n; i += 32)
    {
      guint32 word = 0;

      for (int b = 0; b < 32; b++)
        word |= (guint32) (sum[i + (gsize) b] == whole) << b;
      bits[i / 32] = word;
      s->count[index] += __builtin_popcount (word);
    }
}

gboolean
patches_level_set_radius (PatchesLevel *level, int radius, GError **error)
{
  const gsize n = (gsize) level->width * (gsize) level->height;
  const int bands = (level->height + BAND - 1) / BAND;
  g_autofree int *count = g_new0 (int, bands);
  Sources s = { level, count };

  level->radius = radius;
  g_free (level->is_source);
  level->is_source = patches_take (n / 32 + 1, sizeof (guint32));
  if (! level->is_source)
    return patches_no_memory (level, error);
  sumi_parallel_for (level->pool, bands, find_sources, &s);
  if (s.failed)
    return patches_no_memory (level, error);
  level->n_sources = 0;
  for (int i = 0; i < bands; i++)
    level->n_sources += count[i];
  g_clear_pointer (&level->sources, g_free);
  if ((gsize) level->n_sources > n / 2)
    return TRUE;
  level->sources = patches_take ((gsize) level->n_sources, sizeof (int));
  if (! level->sources)
    return patches_no_memory (level, error);
  for (int at = 0, k = 0; k < level->n_sources; at++)
    if (patches_is_source (level, at))
      level->sources[k++] = at;
  return TRUE;
}

/* ---- queries ------------------------------------------------------------ */

/* Marks in @touched [@area] every position whose patch holds a pixel of the hole. */
static gboolean
find_touched (const PatchesLevel *level, const SumiRect *area, guint8 *touched, GError **error)
{
  const int r = level->radius, w = area->width, h = area->height;
  g_autofree guint8 *rows = patches_take ((gsize) w * (gsize) h, 1);

  if (! rows)
    return patches_no_memory (level, error);
  for (int y = 0; y < h; y++)
    {
      const guint8 *kind = level->kind + patches_at (level, area->x, area->y + y);
      guint8 *out = rows + (gsize) y * (gsize) w;

      for (int d = -r; d <= r; d++)
        for (int x = MAX (0, -d); x < MIN (w, w - d); x++)
          out[x] |= kind[x + d] == PATCHES_HOLE;
    }
  for (int y = 0; y < h; y++)
    for (int dy = MAX (0, y - r); dy <= MIN (h - 1, y + r); dy++)
      for (gsize x = 0; x < (gsize) w; x++)
        touched[(gsize) y * (gsize) w + x] |= rows[(gsize) dy * (gsize) w + x];
  return TRUE;
}

/* The positions that queries may have, of which @touched speaks: patches inside the picture. */
static void
find_box (PatchesLevel *level, const SumiRect *area, const guint8 *touched)
{
  const int r = level->radius;
  int x0 = level->width, x1 = -1, y0 = level->height, y1 = -1;

  level->n_queries = 0;
  for (int y = MAX (area->y, r); y < MIN (area->y + area->height, level->height - r); y++)
    for (int x = MAX (area->x, r); x < MIN (area->x + area->width, level->width - r); x++)
      if (touched[(gsize) (y - area->y) * (gsize) area->width + (gsize) (x - area->x)])
        {
          x0 = MIN (x0, x);
          x1 = MAX (x1, x);
          y0 = MIN (y0, y);
          y1 = MAX (y1, y);
          level->n_queries++;
        }
  level->box =
      x1 < 0 ? (SumiRect){ 0, 0, 1, 1 } : (SumiRect){ x0 - r, y0 - r, x1 - x0 + 2 * r + 1, y1 - y0 + 2 * r + 1 };
}

typedef struct
{
  PatchesLevel *level;
  const SumiRect *area;
  const guint8 *touched; /* [area] */
} Open;

static gboolean
is_query (const Open *o, int x, int y)
{
  const int r = o->level->radius;
  const SumiRect *a = o->area;

  return x >= r && y >= r && x < o->level->width - r && y < o->level->height - r && x >= a->x && y >= a->y &&
         x < a->x + a->width && y < a->y + a->height &&
         o->touched[(gsize) (y - a->y) * (gsize) a->width + (gsize) (x - a->x)];
}

/* The box's pixels, and who queries where. */
static void
open_row (gpointer data, int index, int thread)
{
  const Open *o = data;
  PatchesLevel *level = o->level;
  const SumiRect *box = &level->box;
  const gsize first = (gsize) index * (gsize) box->width, from = patches_at (level, box->x, box->y + index);
  int k = level->first[index];

  memcpy (level->noisy + 4 * first, level->picture + 4 * from, 4 * sizeof (float) * (gsize) box->width);
  for (int x = 0; x < box->width; x++)
    {
      const gsize at = first + (gsize) x;
      const gboolean query = is_query (o, box->x + x, box->y + index);

      level->weight[at] = level->kind[from + (gsize) x] == PATCHES_VOID ?
                              0 :
                              KNOWN_WEIGHT + (1 - KNOWN_WEIGHT) * level->missing[from + (gsize) x];
      level->query_at[at] = query ? k : -1;
      if (! query)
        continue;
      level->query_x[k] = box->x + x;
      level->query_y[k] = box->y + index;
      for (int j = 0; j < PATCHES_K; j++)
        {
          level->found[k].at[j] = -1;
          level->found[k].error[j] = INFINITY;
        }
      k++;
    }
}

void
patches_level_use_texture (PatchesLevel *level, gboolean use)
{
  const gsize n = (gsize) level->box.width * (gsize) level->box.height;

  level->uses_texture = use;
  for (gsize i = 0; i < n; i++)
    {
      const gint16 scale = (gint16) (2 * sqrtf (level->weight[i]) + 0.5f);

      for (int c = 0; c < 3; c++)
        level->scale[4 * i + (gsize) c] = scale;
      level->scale[4 * i + 3] = use ? (gint16) (scale * (int) PATCHES_COARSE) : 0;
    }
}

/* What does not change of a row's queries while the level is worked on. */
static void
weigh_row (gpointer data, int index, int thread)
{
  const PatchesLevel *level = data;
  const SumiRect *box = &level->box;
  const int r = level->radius;

  for (int q = level->first[index]; q < level->first[index + 1]; q++)
    {
      const gsize at = (gsize) index * (gsize) box->width + (gsize) (level->query_x[q] - box->x);
      int sum = 0;

      for (int dy = -r; dy <= r; dy++)
        for (int dx = -r; dx <= r; dx++)
          {
            const int scale = level->scale[4 * ((gssize) at + dy * box->width + dx)];

            sum += scale * scale;
          }
      level->total[q] = (float) (3 * MAX (sum, 1));
      level->fade[q] = (float) pow (FALL, -(double) level->distance[at]);
    }
}

/* The picture in bytes. */
static void
compact_band (gpointer data, int index, int thread)
{
  const PatchesLevel *level = data;
  const gsize first = patches_at (level, 0, index * BAND);
  const gsize end = patches_at (level, 0, MIN ((index + 1) * BAND, level->height));

  for (gsize i = first; i < end; i++)
    {
      const float *in = level->picture + 4 * i;
      guint8 *out = level->compact + 4 * i;

      for (int c = 0; c < 3; c++)
        out[c] = (guint8) (CLAMP (in[c], 0, 255) + 0.5f);
      out[3] = (guint8) (CLAMP (in[3] / PATCHES_COARSE, 0, 255) + 0.5f);
    }
}

static gboolean
open_alloc (PatchesLevel *level, GError **error)
{
  const gsize n = (gsize) level->box.width * (gsize) level->box.height, q = (gsize) level->n_queries;

  level->noisy = patches_take (n, 4 * sizeof (float));
  level->weight = patches_take (n, sizeof (float));
  level->compact = patches_take ((gsize) level->width * (gsize) level->height, 4);
  level->sought = patches_take (n, 4 * sizeof (gint16));
  level->scale = patches_take (n, 4 * sizeof (gint16));
  level->total = patches_take (q, sizeof (float));
  level->fade = patches_take (q, sizeof (float));
  level->distance = patches_take (n, sizeof (float));
  level->query_at = patches_take (n, sizeof (int));
  level->query_x = patches_take (q, sizeof (int));
  level->query_y = patches_take (q, sizeof (int));
  level->first = patches_take ((gsize) level->box.height + 1, sizeof (int));
  level->found = patches_take (q, sizeof (PatchesFound));
  level->before = patches_take (q, sizeof (PatchesFound));
  level->votes = patches_take (q, sizeof *level->votes);
  return (level->noisy && level->weight && level->compact && level->sought && level->scale && level->total &&
          level->fade && level->distance && level->query_at && level->query_x && level->query_y && level->first &&
          level->found && level->before && level->votes) ||
         patches_no_memory (level, error);
}

gboolean
patches_level_open (PatchesLevel *level, GError **error)
{
  const int r = level->radius;
  const SumiRect whole = { 0, 0, level->width, level->height }, *u = &level->unknown, *box = &level->box;
  const SumiRect wide = { u->x - r, u->y - r, u->width + 2 * r, u->height + 2 * r };
  g_autofree guint8 *touched = NULL;
  SumiRect area;
  Open o = { level, &area };

  sumi_rect_intersect (&whole, &wide, &area);
  o.touched = touched = patches_take ((gsize) area.width * (gsize) area.height, 1);
  if (! touched)
    return patches_no_memory (level, error);
  if (! find_touched (level, &area, touched, error))
    return FALSE;
  find_box (level, &area, touched);
  if (! open_alloc (level, error))
    return FALSE;
  for (int y = 0; y < box->height; y++)
    {
      level->first[y + 1] = level->first[y];
      for (int x = 0; x < box->width; x++)
        level->first[y + 1] += is_query (&o, box->x + x, box->y + y);
    }
  patches_chamfer (level, box, level->distance);
  sumi_parallel_for (level->pool, box->height, open_row, &o);
  patches_level_use_texture (level, TRUE);
  sumi_parallel_for (level->pool, box->height, weigh_row, level);
  sumi_parallel_for (level->pool, (level->height + BAND - 1) / BAND, compact_band, level);
  return TRUE;
}
