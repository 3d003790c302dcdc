/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/patches-level.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/model/model.h"

/* the rows that search reads are 8 pixels wide, wherever they start; or of 32 patches side by side */
#define PAD          40
/* beyond this a float picture is damaged rather than bright; keeps squares finite */
#define RANGE        25500.0f
/* known pixels are exact: they count this much more than synthesised ones; with the texture's weight as it is, 30 keeps
 * SSIM .004 above what 15 does */
#define KNOWN_WEIGHT 30.0f
/* of confidence per pixel of distance from what is known */
#define FALL         1.1
#define DIAGONAL     1.41f
#define FAR          1e6f

static gpointer
take (gsize n, gsize size)
{
  return g_try_malloc0_n (n + PAD, size);
}

static gboolean
no_memory (const PatchesLevel *level, GError **error)
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
level_alloc (int width, int height, int depth, GError **error)
{
  g_autoptr (PatchesLevel) level = g_new0 (PatchesLevel, 1);
  const gsize n = (gsize) width * (gsize) height;

  level->width = width;
  level->height = height;
  level->depth = depth;
  level->picture = take (n, 4 * sizeof (float));
  level->missing = take (n, sizeof (float));
  level->kind = take (n, 1);
  if (! level->picture || ! level->missing || ! level->kind)
    {
      no_memory (level, error);
      return NULL;
    }
  return g_steal_pointer (&level);
}

/* How far the hole reaches from what is known: two passes of the chamfer distance over the whole picture. */
static gboolean
chamfer (const PatchesLevel *level, const SumiRect *box, float *distance)
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
  return TRUE;
}

/* Texture strength T: mean over 5×5 of the mean absolute difference to the right and lower neighbour, known pixels
 * only. */
static gboolean
texture (PatchesLevel *level, GError **error)
{
  const int w = level->width, h = level->height;
  const gsize n = (gsize) w * (gsize) h;
  g_autofree float *sum = take (2 * n, sizeof (float)); /* column sums of differences and of their number */
  g_autofree float *difference = take (2 * n, sizeof (float));

  if (! sum || ! difference)
    return no_memory (level, error);
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      {
        const gsize at = patches_at (level, x, y);
        const float *p = level->picture + 4 * at;

        if (level->kind[at] != PATCHES_KNOWN)
          continue;
        if (x + 1 < w && level->kind[at + 1] == PATCHES_KNOWN)
          {
            difference[2 * at] += fabsf (p[4] - p[0]) + fabsf (p[5] - p[1]) + fabsf (p[6] - p[2]);
            difference[2 * at + 1] += 3;
          }
        if (y + 1 < h && level->kind[at + (gsize) w] == PATCHES_KNOWN)
          {
            const float *q = p + 4 * (gsize) w;

            difference[2 * at] += fabsf (q[0] - p[0]) + fabsf (q[1] - p[1]) + fabsf (q[2] - p[2]);
            difference[2 * at + 1] += 3;
          }
      }
  for (int y = 0; y < h; y++)
    for (int dy = MAX (0, y - 2); dy <= MIN (h - 1, y + 2); dy++)
      for (gsize x = 0; x < 2 * (gsize) w; x++)
        sum[2 * (gsize) y * (gsize) w + x] += difference[2 * (gsize) dy * (gsize) w + x];
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      {
        const gsize at = patches_at (level, x, y);
        float total = 0, count = 0;

        if (level->kind[at] != PATCHES_KNOWN)
          continue;
        for (int dx = MAX (0, x - 2); dx <= MIN (w - 1, x + 2); dx++)
          {
            total += sum[2 * patches_at (level, dx, y)];
            count += sum[2 * patches_at (level, dx, y) + 1];
          }
        level->picture[4 * at + 3] = PATCHES_TEXTURE * total / MAX (count, 1);
      }
  return TRUE;
}

static gboolean
measure_depth (PatchesLevel *level, GError **error)
{
  const gsize n = (gsize) level->width * (gsize) level->height;
  g_autofree float *distance = take (n, sizeof (float));

  if (! distance)
    return no_memory (level, error);
  chamfer (level, &(SumiRect){ 0, 0, level->width, level->height }, distance);
  level->deepest = 0;
  for (gsize i = 0; i < n; i++)
    if (level->kind[i] == PATCHES_HOLE)
      level->deepest = MAX (level->deepest, distance[i]);
  return TRUE;
}

PatchesLevel *
patches_level_new (const SumiEvidence *evidence, GError **error)
{
  const int w = evidence->picture->width, h = evidence->picture->height;
  const gsize n = (gsize) w * (gsize) h;
  g_autoptr (PatchesLevel) level = level_alloc (w, h, 0, error);

  if (! level)
    return NULL;
  for (gsize i = 0; i < n; i++)
    {
      const float m = evidence->missing ? evidence->missing->data[i] : 0;

      level->missing[i] = CLAMP (m, 0, 1);
      level->kind[i] = m > 0                                                 ? PATCHES_HOLE :
                       evidence->source && ! (evidence->source->data[i] > 0) ? PATCHES_VOID :
                                                                               PATCHES_KNOWN;
      /* soft pixels keep their own colour to be mixed with; what is wholly unknown is never looked at */
      if (level->kind[i] != PATCHES_VOID)
        for (gsize c = 0; c < 3; c++)
          level->picture[4 * i + c] = CLAMP (evidence->picture->data[3 * i + c] * 255, -RANGE, RANGE);
    }
  return texture (level, error) && measure_depth (level, error) ? g_steal_pointer (&level) : NULL;
}

/* [1 3 3 1]/8 in both directions, normalised over the pixels that count: known ones for a known pixel, what shows
 * through for one of the hole. */
static void
shrink_pixel (const PatchesLevel *fine, PatchesLevel *coarse, int x, int y)
{
  static const float filter[4] = { 1, 3, 3, 1 };
  const gsize at = patches_at (coarse, x, y);
  int inside = 0, known = 0, holes = 0;
  float sum[4] = { 0 }, total = 0, missing = 0;

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
        for (int c = 0; c < 4; c++)
          sum[c] += w * fine->picture[4 * from + (gsize) c];
        total += w;
      }
  for (int c = 0; total > 0 && c < 4; c++)
    coarse->picture[4 * at + (gsize) c] = sum[c] / total;
}

PatchesLevel *
patches_level_shrink (const PatchesLevel *fine, GError **error)
{
  g_autoptr (PatchesLevel) coarse = level_alloc ((fine->width + 1) / 2, (fine->height + 1) / 2, fine->depth + 1, error);

  if (! coarse)
    return NULL;
  for (int y = 0; y < coarse->height; y++)
    for (int x = 0; x < coarse->width; x++)
      shrink_pixel (fine, coarse, x, y);
  return measure_depth (coarse, error) ? g_steal_pointer (&coarse) : NULL;
}

/* Marks in @out every position whose patch holds (@any) or does not hold (! @any) a pixel of @kind == / != @wanted;
 * two passes of running counts. */
static gboolean
count_in_patches (const PatchesLevel *level, PatchesKind kind, guint8 *out, GError **error)
{
  const int w = level->width, h = level->height, r = level->radius;
  g_autofree guint8 *rows = take ((gsize) w * (gsize) h, 1);

  if (! rows)
    return no_memory (level, error);
  for (int y = 0; y < h; y++)
    {
      const guint8 *k = level->kind + patches_at (level, 0, y);
      int count = 0;

      for (int x = 0; x < MIN (r, w); x++)
        count += k[x] == kind;
      for (int x = 0; x < w; x++)
        {
          count += x + r < w ? k[x + r] == kind : 0;
          rows[patches_at (level, x, y)] = (guint8) count;
          count -= x - r >= 0 ? k[x - r] == kind : 0;
        }
    }
  memset (out, 0, (gsize) w * (gsize) h);
  for (int y = 0; y < h; y++)
    for (int dy = MAX (0, y - r); dy <= MIN (h - 1, y + r); dy++)
      for (int x = 0; x < w; x++)
        out[patches_at (level, x, y)] += rows[patches_at (level, x, dy)];
  return TRUE;
}

gboolean
patches_level_set_radius (PatchesLevel *level, int radius, GError **error)
{
  const gsize n = (gsize) level->width * (gsize) level->height;
  const int whole = (2 * radius + 1) * (2 * radius + 1);
  g_autofree guint8 *known = take (n, 1);

  level->radius = radius;
  g_free (level->is_source);
  level->is_source = take (n / 32 + 1, sizeof (guint32));
  if (! level->is_source || ! known)
    return no_memory (level, error);
  if (! count_in_patches (level, PATCHES_KNOWN, known, error))
    return FALSE;
  level->n_sources = 0;
  for (gsize i = 0; i < n; i++)
    if (known[i] == whole)
      {
        level->is_source[i / 32] |= 1u << i % 32;
        level->n_sources++;
      }
  g_clear_pointer (&level->sources, g_free);
  if ((gsize) level->n_sources > n / 2)
    return TRUE;
  level->sources = take ((gsize) level->n_sources, sizeof (int));
  if (! level->sources)
    return no_memory (level, error);
  for (gsize i = 0, k = 0; i < n; i++)
    if (known[i] == whole)
      level->sources[k++] = (int) i;
  return TRUE;
}

/* @touched: [height, width]: hole pixels in the patch around. */
static void
find_box (PatchesLevel *level, const guint8 *touched)
{
  const int r = level->radius, w = level->width, h = level->height;
  int x0 = w, x1 = -1, y0 = h, y1 = -1;

  level->n_queries = 0;
  for (int y = r; y < h - r; y++)
    for (int x = r; x < w - r; x++)
      if (touched[patches_at (level, x, y)])
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

void
patches_level_use_texture (PatchesLevel *level, gboolean use)
{
  const gsize n = (gsize) level->box.width * (gsize) level->box.height;

  for (gsize i = 0; i < n; i++)
    {
      const gint16 scale = (gint16) lrintf (2 * sqrtf (level->weight[i]));

      for (int c = 0; c < 3; c++)
        level->scale[4 * i + (gsize) c] = scale;
      level->scale[4 * i + 3] = use ? (gint16) (scale * (int) PATCHES_COARSE) : 0;
    }
}

/* 3·Σ scale² of each query's patch. */
static void
sum_weights (PatchesLevel *level)
{
  const int r = level->radius;

  for (int q = 0; q < level->n_queries; q++)
    {
      int sum = 0;

      for (int y = level->query_y[q] - r; y <= level->query_y[q] + r; y++)
        for (int x = level->query_x[q] - r; x <= level->query_x[q] + r; x++)
          {
            const int scale = level->scale[4 * patches_box_at (level, x, y)];

            sum += scale * scale;
          }
      level->total[q] = (float) (3 * MAX (sum, 1));
      level->fade[q] =
          (float) pow (FALL, -(double) level->distance[patches_box_at (level, level->query_x[q], level->query_y[q])]);
    }
}

/* The picture in bytes. */
static void
compact_row (const PatchesLevel *level, int y)
{
  const gsize first = 4 * patches_at (level, 0, y);
  const float *in = level->picture + first;
  guint8 *out = level->compact + first;

  for (int i = 0; i < 4 * level->width; i++)
    {
      const float v = in[i] * (i % 4 == 3 ? 1 / PATCHES_COARSE : 1);

      out[i] = (guint8) (CLAMP (v, 0, 255) + 0.5f);
    }
}

gboolean
patches_level_open (PatchesLevel *level, GError **error)
{
  const int r = level->radius;
  const gsize all = (gsize) level->width * (gsize) level->height;
  g_autofree guint8 *touched = take (all, 1);
  SumiRect *box = &level->box;
  gsize n, q;
  int k = 0;

  if (! touched || ! count_in_patches (level, PATCHES_HOLE, touched, error))
    return touched ? FALSE : no_memory (level, error);
  find_box (level, touched);
  n = (gsize) box->width * (gsize) box->height;
  q = (gsize) level->n_queries;
  level->noisy = take (n, 4 * sizeof (float));
  level->weight = take (n, sizeof (float));
  level->compact = take (all, 4);
  level->sought = take (n, 4 * sizeof (gint16));
  level->scale = take (n, 4 * sizeof (gint16));
  level->total = take (q, sizeof (float));
  level->fade = take (q, sizeof (float));
  level->distance = take (n, sizeof (float));
  level->query_at = take (n, sizeof (int));
  level->query_x = take (q, sizeof (int));
  level->query_y = take (q, sizeof (int));
  level->first = take ((gsize) box->height + 1, sizeof (int));
  level->found = take (q, sizeof (PatchesFound));
  level->before = take (q, sizeof (PatchesFound));
  level->votes = take (q, sizeof *level->votes);
  if (! level->noisy || ! level->weight || ! level->compact || ! level->sought || ! level->scale || ! level->total ||
      ! level->fade || ! level->distance || ! level->query_at || ! level->query_x || ! level->query_y ||
      ! level->first || ! level->found || ! level->before || ! level->votes)
    return no_memory (level, error);

  chamfer (level, box, level->distance);
  for (int y = 0; y < box->height; y++)
    {
      const int py = box->y + y;

      level->first[y] = k;
      for (int x = 0; x < box->width; x++)
        {
          const int px = box->x + x;
          const gsize at = (gsize) y * (gsize) box->width + (gsize) x, from = patches_at (level, px, py);
          const gboolean is_query =
              px >= r && py >= r && px < level->width - r && py < level->height - r && touched[from];

          memcpy (level->noisy + 4 * at, level->picture + 4 * from, 4 * sizeof (float));
          level->weight[at] =
              level->kind[from] == PATCHES_VOID ? 0 : KNOWN_WEIGHT + (1 - KNOWN_WEIGHT) * level->missing[from];
          level->query_at[at] = is_query ? k : -1;
          if (is_query)
            {
              level->query_x[k] = px;
              level->query_y[k++] = py;
            }
        }
    }
  level->first[box->height] = k;
  patches_level_use_texture (level, TRUE);
  sum_weights (level);
  for (int y = 0; y < level->height; y++)
    compact_row (level, y);
  for (int i = 0; i < k; i++)
    for (int j = 0; j < PATCHES_K; j++)
      {
        level->found[i].at[j] = -1;
        level->found[i].error[j] = INFINITY;
      }
  return TRUE;
}
