/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/restore-frame.h"

#include <math.h>
#include <string.h>

#include "core/base/image.h"
#include "core/base/parallel.h"
#include "core/model/model.h"
#include "core/model/pushpull.h"
#include "core/model/restore-project.h"
#include "core/tensor/tensor.h"

static const float luma[] = SUMI_RESTORE_LUMA;

int
sumi_restore_reflect (int i, int n)
{
  const int period = MAX (1, 2 * (n - 1));

  i = i % period;
  if (i < 0)
    i += period;
  return i < n ? i : period - i;
}

static float
map_value (const SumiImage *map, int x, int y)
{
  return map ? *sumi_image_at (map, x, y) : 0;
}

/* Luminance; exactly v for (v, v, v). */
static float
luminance_of (const float *p)
{
  return p[0] == p[1] && p[1] == p[2] ? p[0] : luma[0] * p[0] + luma[1] * p[1] + luma[2] * p[2];
}

typedef struct
{
  const SumiImage *grey;
  SumiImage *guess;
} GreyJob;

static void
grey_row (gpointer data, int y, int thread)
{
  const GreyJob *job = data;

  for (int x = 0; x < job->guess->width; x++)
    if (map_value (job->grey, x, y) > 0)
      {
        float *p = sumi_image_at (job->guess, x, y);

        p[0] = p[1] = p[2] = luminance_of (p);
      }
}

SumiImage *
sumi_restore_make_guess (const SumiEvidence *evidence, SumiPool *pool, GError **error)
{
  g_autoptr (SumiImage) guess = NULL;

  if (! evidence->missing && ! evidence->grey)
    return sumi_image_ref (evidence->picture);
  guess = sumi_image_dup (evidence->picture, error);
  if (! guess)
    return NULL;
  if (evidence->grey)
    sumi_parallel_for (pool, guess->height, grey_row, &(GreyJob){ evidence->grey, guess });
  if (evidence->missing && ! sumi_pushpull_fill (guess, evidence->missing, evidence->x, evidence->y, error))
    return NULL;
  return g_steal_pointer (&guess);
}

typedef struct
{
  const SumiRestoreFrame *self;
  int any; /* atomic: anything is unknown */
} InputJob;

/* One row of b and e, padded by reflection. */
static void
input_row (gpointer data, int index, int thread)
{
  InputJob *job = data;
  const SumiRestoreFrame *self = job->self;
  const SumiEvidence *evidence = self->evidence;
  const int width = self->guess->width, height = self->guess->height, n = self->b->shape[2];
  const int y = sumi_restore_reflect (index - self->top, height);
  float *b = sumi_tensor_f32 (self->b) + 3 * (gsize) index * (gsize) n;
  float *e = sumi_tensor_f32 (self->e) + 3 * (gsize) index * (gsize) n;
  gboolean any = evidence->coarse;

  for (int j = 0; j < n; j++, b += 3, e += 3)
    {
      const int inside = j - self->left,
                x = inside >= 0 && inside < width ? inside : sumi_restore_reflect (inside, width);
      const float *p = sumi_image_at (self->guess, x, y);
      const gboolean missing = map_value (evidence->missing, x, y) > 0;
      const gboolean grey = ! missing && map_value (evidence->grey, x, y) > 0;

      for (int c = 0; c < 3; c++)
        b[c] = CLAMP (2 * p[c] - 1, -1, 1);
      e[0] = missing;
      e[1] = grey;
      e[2] = evidence->coarse && ! missing ? 1 : self->prior && ! missing && ! grey;
      any |= missing || grey;
    }
  if (any)
    g_atomic_int_set (&job->any, TRUE);
}

gboolean
sumi_restore_frame_fill (SumiRestoreFrame *self, SumiPool *pool)
{
  InputJob job = { self, FALSE };

  sumi_parallel_for (pool, self->b->shape[1], input_row, &job);
  return job.any;
}

double
sumi_restore_get_scale (const SumiRestoreNet *net, const SumiEvidence *evidence, gboolean prior)
{
  double square = 0;

  if (evidence->missing)
    square += pow (sumi_restore_net_scale_fill (net), 2);
  if (evidence->grey)
    square += pow (sumi_restore_net_scale_colour (net), 2);
  if (evidence->coarse)
    square += pow (sumi_restore_net_scale_factor (net, evidence->factor), 2) + pow (evidence->noise, 2);
  else if (prior)
    square += pow (sumi_restore_net_scale_factor (net, 1), 2);
  return sqrt (square);
}

typedef struct
{
  const SumiRestoreFrame *self;
  const SumiTensor *u;
  SumiImage *out;
} ComposeJob;

static void
compose_row (gpointer data, int y, int thread)
{
  const ComposeJob *job = data;
  const SumiRestoreFrame *self = job->self;
  const SumiEvidence *evidence = self->evidence;
  const gsize stride = (gsize) job->u->shape[2];
  const float *r = sumi_tensor_f32 (job->u) + 3 * ((gsize) (y + self->top) * stride + (gsize) self->left);
  const float *from = sumi_image_at (self->guess, 0, y);
  const double half = 0.5 * self->s; /* the network's colours span 2 */
  float *p = sumi_image_at (job->out, 0, y);

  if (evidence->coarse && ! evidence->missing)
    {
      for (int i = 0; i < 3 * job->out->width; i++)
        p[i] = (float) (from[i] + half * r[i]);
      return;
    }
  memcpy (p, from, 3 * sizeof (float) * (gsize) job->out->width);
  for (int x = 0; x < job->out->width; x++, p += 3, r += 3)
    {
      const float m = map_value (evidence->missing, x, y);
      const gboolean grey = map_value (evidence->grey, x, y) > 0 && ! (m > 0) && ! evidence->coarse;
      double luminance = 0;

      if (! (m > 0) && ! grey && ! evidence->coarse)
        continue;
      if (grey)
        luminance = luma[0] * (double) r[0] + luma[1] * (double) r[1] + luma[2] * (double) r[2];
      for (int c = 0; c < 3; c++)
        p[c] = (float) (p[c] + half * (r[c] - luminance));
      if (m > 0 && m < 1)
        for (int c = 0; c < 3; c++)
          p[c] = m * p[c] + (1 - m) * sumi_image_at (evidence->picture, x, y)[c];
    }
}

SumiImage *
sumi_restore_compose (const SumiRestoreFrame *self, SumiPool *pool, const SumiTensor *u, GError **error)
{
  SumiImage *out = sumi_image_new_unset (self->guess->width, self->guess->height, 3, error);

  if (out)
    sumi_parallel_for (pool, out->height, compose_row, &(ComposeJob){ self, u, out });
  return out;
}
