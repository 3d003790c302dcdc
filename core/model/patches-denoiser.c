/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/patches-denoiser.h"

#include <math.h>
#include <string.h>

#include "core/base/image.h"
#include "core/base/job.h"
#include "core/base/parallel.h"
#include "core/diffusion/loop.h"
#include "core/diffusion/sampler.h"
#include "core/model/model.h"
#include "core/model/patches-search.h"
#include "core/model/patches-vote.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define MOST 25500.0f /* of a value of y: what is beyond, or no number, the search could not round */

/* ---- pixels in and out ---------------------------------------------------- */

/* What stays visible of a soft pixel is mixed back, so that what is synthesised agrees with it. */
static float
mixed (const PatchesLevel *level, gsize at, gsize c, float value)
{
  const float m = level->missing[at];

  return m < 1 ? m * value + (1 - m) * level->picture[4 * at + c] : value;
}

/* Rows of the box like all else. */
typedef struct
{
  const PatchesDenoiser *d;
  const float *in;
  float *out;
} Rows;

static float
sane (float value)
{
  return value > -MOST ? MIN (value, MOST) : value <= -MOST ? -MOST : 0;
}

/* Known pixels keep their own T. */
static void
take_row (gpointer data, int index, int thread)
{
  const Rows *r = data;
  const PatchesDenoiser *d = r->d;
  PatchesLevel *level = d->level;
  const guint8 *where = d->base ? d->shown : d->hole;
  const float *base = d->base ? sumi_tensor_f32 (d->base) : NULL;
  const gsize w = (gsize) level->box.width, first = (gsize) index * w;
  const gsize from = patches_at (level, level->box.x, level->box.y + index);

  for (gsize x = 0; x < w; x++)
    {
      const gsize i = first + x;

      for (gsize c = 0; where[i] && c < 3; c++)
        level->noisy[4 * i + c] = sane (r->in[3 * i + c] + (base ? base[3 * i + c] : 0));
      if (where[i] && ! d->hole[i])
        level->noisy[4 * i + 3] = level->picture[4 * (from + x) + 3];
    }
}

/* Known pixels of y become exact; of the hole's, nothing changes. */
static void
restore_row (gpointer data, int index, int thread)
{
  const PatchesDenoiser *d = data;
  PatchesLevel *level = d->level;
  const gsize w = (gsize) level->box.width, first = (gsize) index * w;
  const gsize from = patches_at (level, level->box.x, level->box.y + index);

  for (gsize x = 0; x < w; x++)
    if (! d->hole[first + x])
      memcpy (level->noisy + 4 * (first + x), level->picture + 4 * (from + x), 4 * sizeof (float));
}

static void
give_row (gpointer data, int index, int thread)
{
  const Rows *r = data;
  const PatchesLevel *level = r->d->level;
  const float *base = r->d->base ? sumi_tensor_f32 (r->d->base) : NULL;
  const gsize w = (gsize) level->box.width, first = (gsize) index * w;
  const gsize from = patches_at (level, level->box.x, level->box.y + index);

  for (gsize x = 0; x < w; x++)
    for (gsize i = first + x, c = 0; c < 3; c++)
      r->out[3 * i + c] = base          ? level->noisy[4 * i + c] - base[3 * i + c] :
                          r->d->hole[i] ? mixed (level, from + x, c, level->noisy[4 * i + c]) :
                                          level->noisy[4 * i + c];
}

void
patches_denoiser_read (PatchesDenoiser *self, SumiTensor *x)
{
  SumiPool *pool = self->level->pool;

  sumi_parallel_for (pool, self->level->box.height, give_row, &(Rows){ self, NULL, sumi_tensor_f32 (x) });
}

static void
keep_row (gpointer data, int index, int thread)
{
  const Rows *r = data;
  const gsize w = (gsize) r->d->level->box.width, first = (gsize) index * w;

  for (gsize i = first; i < first + w; i++)
    for (gsize c = 0; ! r->d->hole[i] && c < 3; c++)
      r->out[3 * i + c] = r->d->level->noisy[4 * i + c];
}

void
patches_denoiser_keep_known (PatchesDenoiser *self, SumiTensor *x)
{
  sumi_parallel_for (self->level->pool, self->level->box.height, keep_row, &(Rows){ self, NULL, sumi_tensor_f32 (x) });
}

void
patches_denoiser_set_base (PatchesDenoiser *self, const SumiTensor *base)
{
  self->base = base;
  if (! base)
    sumi_parallel_for (self->level->pool, self->level->box.height, restore_row, self);
}

/* ---- the denoiser ---------------------------------------------------------- */

static SumiTensor *
level_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  PatchesDenoiser *d = (PatchesDenoiser *) self;
  PatchesLevel *level = d->level;
  SumiTensor *out = sumi_eval_tensor_like (ev, x);
  Rows rows = { d };

  if (! sumi_eval_ok (ev))
    return out;
  rows.in = sumi_tensor_f32 (x);
  rows.out = sumi_tensor_f32 (out);
  sumi_parallel_for (ev->pool, level->box.height, take_row, &rows);
  patches_search (level, PATCHES_SEARCH_AUTO, d->seed, d->sweep++, ev->pool, d->cancellable);
  patches_vote_weigh (level, sigma, d->hard, ev->pool);
  /* the vote reads only the clean picture; y is read anew by the next call, T stays for it */
  if (d->base)
    sumi_parallel_for (ev->pool, level->box.height, restore_row, d); /* where no patch has a vote */
  patches_vote (level, d->base ? d->shown : d->hole, level->noisy, ev->pool);
  sumi_parallel_for (ev->pool, level->box.height, give_row, &rows);
  return out;
}

/* Known pixels take no noise, and nothing is where nothing is shown. */
static void
level_project (SumiDenoiser *self, SumiEval *ev, SumiTensor *x)
{
  const PatchesDenoiser *d = (const PatchesDenoiser *) self;
  const gsize n = (gsize) d->level->box.width * (gsize) d->level->box.height;
  const guint8 *where = d->base ? d->shown : d->hole;

  for (gsize i = 0; i < n; i++)
    for (gsize c = 0; ! where[i] && c < 3; c++)
      sumi_tensor_f32 (x)[3 * i + c] = 0;
}

static void
level_preview (SumiDenoiser *self, SumiTensor *x0, SumiJob *job)
{
  const PatchesDenoiser *d = (const PatchesDenoiser *) self;
  const SumiRect *box = &d->level->box;
  const int depth = d->level->depth;
  const gsize n = (gsize) box->width * (gsize) box->height;
  g_autoptr (SumiImage) image = job && job->preview ? sumi_image_new (box->width, box->height, 3, NULL) : NULL;
  SumiRect where = { box->x << depth, box->y << depth, box->width << depth, box->height << depth };

  if (! image)
    return;
  for (gsize i = 0; i < 3 * n; i++)
    image->data[i] = (sumi_tensor_f32 (x0)[i] + (d->base ? sumi_tensor_f32 (d->base)[i] : 0)) / 255;
  where.x += d->evidence->x;
  where.y += d->evidence->y;
  sumi_job_preview (job, image, &where);
}

gboolean
patches_denoiser_init (PatchesDenoiser *self,
                       PatchesLevel *level,
                       const SumiEvidence *evidence,
                       guint64 seed,
                       GCancellable *cancellable,
                       GError **error)
{
  const SumiRect *box = &level->box;
  const gsize n = (gsize) box->width * (gsize) box->height;

  *self = (PatchesDenoiser){
    .denoiser = { .denoise = level_denoise, .project = level_project, .preview = level_preview },
    .level = level,
    .evidence = evidence,
    .cancellable = cancellable,
    .seed = seed,
    .hole = g_try_malloc (n),
    .shown = g_try_malloc (n),
  };
  if (! self->hole || ! self->shown)
    return patches_no_memory (level, error);
  for (int y = 0; y < box->height; y++)
    for (int x = 0; x < box->width; x++)
      {
        const guint8 kind = level->kind[patches_at (level, box->x + x, box->y + y)];
        const gsize i = (gsize) y * (gsize) box->width + (gsize) x;

        self->hole[i] = kind == PATCHES_HOLE;
        self->shown[i] = kind != PATCHES_VOID;
      }
  return TRUE;
}

void
patches_denoiser_clear (PatchesDenoiser *self)
{
  g_clear_pointer (&self->hole, g_free);
  g_clear_pointer (&self->shown, g_free);
}

/* ---- the family's own step -------------------------------------------------- */

static void
renewal_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const double keep = s->sigma > 0 ? sqrt (1 - s->churn * s->churn) * s->sigma_next / s->sigma : 0;
  const double fresh = s->churn * s->sigma_next;

  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_lincomb (ev, keep, x, 1 - keep, s->x0, fresh, fresh > 0 ? sumi_step_noise (s, ev, x, 0) : NULL, x);
}

const SumiSamplerClass patches_renewal = {
  .key = "renewal",
  .order = 1,
  .calls = 1,
  .own_churn = TRUE,
  .step = renewal_step,
};
