/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture itself is the model: patches of its known part are the data set, and the exact denoiser of that empirical
 * distribution fills what is missing, coarse to fine. Posterior mean of patches: Kamb and Ganguli 2024, "An analytic
 * theory of creativity in convolutional diffusion models"; as σ → 0 it becomes the patch voting of Wexler, Shechtman,
 * Irani 2007. Constants and measurements: models/patches.md.
 *
 * This file drives the pyramid. At each level a denoiser, whose tensors are [1, H, W, 3] on a 0 to 255 scale over the
 * level's box, goes through the one denoising loop. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/loop.h"
#include "core/diffusion/plan.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/schedule.h"
#include "core/model/membrane.h"
#include "core/model/model.h"
#include "core/model/patches-level.h"
#include "core/model/patches-search.h"
#include "core/model/patches-vote.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define MAX_LEVELS      16
#define MIN_SIDE        48
#define MIN_SOURCES     64  /* of a coarser level */
#define FEWEST_SOURCES  12  /* for patches of this size to be of use at all */
#define SHALLOW         3.5 /* depth of hole at which no coarser level is needed */
#define SIGMA_MIN       2.0
#define SIGMA_COARSEST  60.0
#define SIGMA_QUIET     30.0 /* of the first proposal's coarsest level; all else of it runs at σ = 0 */
#define SIGMA_FINE      5.0
#define STEPS_COARSEST  30 /* noise levels; then STEPS_CLEAN at σ = 0 */
#define STEPS_FINE      12
#define STEPS_CLEAN     2
#define STEPS_QUIET     8 /* of a fine level of the first proposal, which runs without noise */
#define SWEEPS_GUIDED   8
#define BUSY            1.2e6 /* queries above which a level gets fewer steps: the coarser ones have decided most */
#define STREAMS_A_LEVEL (1u << 20)
#define MAX_STEPS       4000 /* streams are 64 per step */

typedef struct
{
  SumiDenoiser denoiser;
  PatchesLevel *level;
  const SumiEvidence *evidence;
  GCancellable *cancellable;
  guint64 seed;
  guint32 sweep;
  gboolean hard;
  guint8 *hole; /* [box] */
} LevelDenoiser;

/* One prediction. */
typedef struct
{
  SumiEval *eval;
  const SumiEvidence *evidence;
  const SumiPredict *how;
  const SumiPlanNames *defaults;
  SumiPlan *plan;
  gboolean own_sampler; /* renewal */
  gboolean quiet;       /* the first proposal */
  guint64 seed;
  SumiJob *job;
  PatchesLevel *levels[MAX_LEVELS];
  int n_levels;
} Run;

/* ---- the denoiser of one level ---------------------------------------- */

/* What stays visible of a soft pixel is mixed back, so that what is synthesised agrees with it. */
static float
mixed (const PatchesLevel *level, gsize at, gsize c, float value)
{
  const float m = level->missing[at];

  return m < 1 ? m * value + (1 - m) * level->picture[4 * at + c] : value;
}

/* A denoiser at work; tensors are rows of the box like all else. */
typedef struct
{
  const LevelDenoiser *d;
  const float *in;
  float *out;
} Rows;

static void
take_row (gpointer data, int index, int thread)
{
  const Rows *r = data;
  const gsize w = (gsize) r->d->level->box.width, first = (gsize) index * w;

  for (gsize i = first; i < first + w; i++)
    for (gsize c = 0; r->d->hole[i] && c < 3; c++)
      r->d->level->noisy[4 * i + c] = r->in[3 * i + c];
}

static void
give_row (gpointer data, int index, int thread)
{
  const Rows *r = data;
  const PatchesLevel *level = r->d->level;
  const gsize w = (gsize) level->box.width, first = (gsize) index * w;
  const gsize from = patches_at (level, level->box.x, level->box.y + index);

  for (gsize x = 0; x < w; x++)
    for (gsize i = first + x, c = 0; c < 3; c++)
      r->out[3 * i + c] = ! r->d->hole[i] ? r->in[3 * i + c] : mixed (level, from + x, c, level->noisy[4 * i + c]);
}

static SumiTensor *
level_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  LevelDenoiser *d = (LevelDenoiser *) self;
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
  patches_vote (level, d->hole, level->noisy, ev->pool);
  sumi_parallel_for (ev->pool, level->box.height, give_row, &rows);
  return out;
}

/* Known pixels take no noise. */
static void
level_project (SumiDenoiser *self, SumiEval *ev, SumiTensor *x)
{
  const LevelDenoiser *d = (const LevelDenoiser *) self;
  const gsize n = (gsize) d->level->box.width * (gsize) d->level->box.height;

  for (gsize i = 0; i < n; i++)
    for (gsize c = 0; ! d->hole[i] && c < 3; c++)
      sumi_tensor_f32 (x)[3 * i + c] = 0;
}

static void
level_preview (SumiDenoiser *self, SumiTensor *x0, SumiJob *job)
{
  const LevelDenoiser *d = (const LevelDenoiser *) self;
  const SumiRect *box = &d->level->box;
  const int depth = d->level->depth;
  const gsize n = (gsize) box->width * (gsize) box->height;
  g_autoptr (SumiImage) image = job && job->preview ? sumi_image_new (box->width, box->height, 3, NULL) : NULL;
  SumiRect where = { box->x << depth, box->y << depth, box->width << depth, box->height << depth };

  if (! image)
    return;
  for (gsize i = 0; i < n; i++)
    for (gsize c = 0; c < 3; c++)
      image->data[3 * i + c] = sumi_tensor_f32 (x0)[3 * i + c] / 255;
  where.x += d->evidence->x;
  where.y += d->evidence->y;
  sumi_job_preview (job, image, &where);
}

/* ---- the family's own step -------------------------------------------- */

/* models/patches.md, "Coarse to fine": a share χ of the noise in y is renewed, whatever the step's size. Unlike the
 * solvers' steps it is defined at σ = 0, where it returns D. */
static void
renewal_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const double keep = s->sigma > 0 ? sqrt (1 - s->churn * s->churn) * s->sigma_next / s->sigma : 0;
  const double fresh = s->churn * s->sigma_next;

  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_lincomb (ev, keep, x, 1 - keep, s->x0, fresh, fresh > 0 ? sumi_step_noise (s, ev, x, 0) : NULL, x);
}

static const SumiSamplerClass renewal = {
  .key = "renewal",
  .order = 1,
  .calls = 1,
  .own_churn = TRUE,
  .step = renewal_step,
};

/* ---- how a level starts ------------------------------------------------ */

static gboolean
no_memory (const PatchesLevel *level, GError **error)
{
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY,
               "no memory to fill within %d×%d pixels; close other programs, allow more memory, or fill a smaller part "
               "at a time",
               level->width, level->height);
  return FALSE;
}

/* Coarsest level: y = the membrane through the known pixels. */
static gboolean
start_from_membrane (PatchesLevel *level, GError **error)
{
  const SumiRect *box = &level->box;
  g_autofree guint8 *kind = g_try_malloc ((gsize) box->width * (gsize) box->height);

  if (! kind)
    return no_memory (level, error);
  for (int y = 0; y < box->height; y++)
    memcpy (kind + (gsize) y * (gsize) box->width, level->kind + patches_at (level, box->x, box->y + y),
            (gsize) box->width);
  return sumi_membrane_fill (level->noisy, kind, box->width, box->height, 1e-3, level->pool, error);
}

/* y = the guide's mean over the level's pixels. */
static void
read_guide (PatchesLevel *level, const SumiImage *guide)
{
  const SumiRect *box = &level->box;
  const int step = 1 << level->depth;

  for (int y = 0; y < box->height; y++)
    for (int x = 0; x < box->width; x++)
      {
        const int x0 = (box->x + x) * step, y0 = (box->y + y) * step;
        const int x1 = MIN (x0 + step, guide->width), y1 = MIN (y0 + step, guide->height);
        float *out = level->noisy + 4 * ((gsize) y * (gsize) box->width + (gsize) x);
        float sum[3] = { 0 };

        if (level->kind[patches_at (level, box->x + x, box->y + y)] != PATCHES_HOLE)
          continue;
        for (int j = y0; j < y1; j++)
          for (int i = x0; i < x1; i++)
            for (int c = 0; c < 3; c++)
              sum[c] += sumi_image_at (guide, i, j)[c];
        for (int c = 0; c < 3; c++)
          out[c] = CLAMP (sum[c] * 255 / (float) ((x1 - x0) * (y1 - y0)), -25500, 25500);
      }
}

/* A guide given by the caller. It comes without candidates: some sweeps look for them before anything is voted, or
 * chance would have it. It says nothing of texture, so they go by colour alone. */
static void
start_from_guide (const Run *run, LevelDenoiser *d)
{
  PatchesLevel *level = d->level;

  read_guide (level, run->evidence->guide);
  patches_level_use_texture (level, FALSE);
  for (int i = 0; i < SWEEPS_GUIDED; i++)
    patches_search (level, PATCHES_SEARCH_SWEEP, d->seed, d->sweep++, run->eval->pool, d->cancellable);
  patches_level_use_texture (level, TRUE);
  patches_vote_weigh (level, 0, TRUE, run->eval->pool);
  patches_vote (level, d->hole, level->noisy, run->eval->pool);
}

/* What the coarser level's query at half the place found, moved and doubled. */
static void
inherit (const PatchesLevel *coarse, int x, int y, const PatchesLevel *level, PatchesFound *f)
{
  const int r = coarse->radius;
  const int cx = CLAMP (x / 2, r, coarse->width - 1 - r), cy = CLAMP (y / 2, r, coarse->height - 1 - r);
  const SumiRect *box = &coarse->box;
  int from, n = 0;

  if (cx < box->x || cy < box->y || cx >= box->x + box->width || cy >= box->y + box->height)
    return;
  from = coarse->query_at[patches_box_at (coarse, cx, cy)];
  for (int k = 0; from >= 0 && k < PATCHES_K; k++)
    {
      const int at = coarse->found[from].at[k];
      const int sx = 2 * (at % coarse->width) + x - 2 * cx, sy = 2 * (at / coarse->width) + y - 2 * cy;

      if (at < 0 || sx < 0 || sy < 0 || sx >= level->width || sy >= level->height ||
          ! patches_is_source (level, (int) patches_at (level, sx, sy)))
        continue;
      f->at[n] = (int) patches_at (level, sx, sy);
      f->error[n++] = coarse->found[from].error[k];
    }
}

typedef struct
{
  const Run *run;
  PatchesLevel *level;
  const PatchesLevel *coarse;
} Inherit;

static void
inherit_row (gpointer data, int index, int thread)
{
  const Inherit *i = data;
  PatchesLevel *level = i->level;

  for (int q = level->first[index]; q < level->first[index + 1]; q++)
    {
      PatchesFound *f = level->found + q;

      inherit (i->coarse, level->query_x[q], level->query_y[q], level, f);
      if (f->at[0] >= 0)
        continue;
      f->at[0] = patches_any_source (
          level, sumi_random_hash (i->run->seed, (guint64) level->depth << 32 | 0xffffffff, (guint64) q));
      f->error[0] = 1e6; /* finite, so that weights stay numbers */
    }
}

/* y = the hard vote of the coarser level's answers. */
static void
start_from_coarser (const Run *run, PatchesLevel *level, const PatchesLevel *coarse, const guint8 *hole)
{
  level->inherits = TRUE;
  sumi_parallel_for (run->eval->pool, level->box.height, inherit_row, &(Inherit){ run, level, coarse });
  patches_vote_weigh (level, 0, TRUE, run->eval->pool);
  patches_vote (level, hole, level->noisy, run->eval->pool);
}

/* ---- one level --------------------------------------------------------- */

/* @n steps over the σ in @sigmas (@n + 1); @clean: they are all 0. */
static gboolean
run_loop (Run *run,
          LevelDenoiser *d,
          gboolean clean,
          const double *sigmas,
          int n,
          guint32 stream,
          SumiTensor *x,
          GError **error)
{
  const SumiRect *box = &d->level->box;
  const gboolean own = clean || run->own_sampler;
  const double churn = run->how->churn;
  const SumiLoop loop = {
    .denoiser = &d->denoiser,
    .sampler = own ? &renewal : run->plan->sampler,
    .sampler_options = own ? NULL : run->plan->sampler_options,
    .process = run->plan->process,
    .sigmas = sigmas,
    .n_steps = n,
    .churn = churn >= 0 ? churn :
             own        ? 1 :
                          0,
    .seed = run->seed,
    .stream = stream,
    .x = (run->evidence->x >> d->level->depth) + box->x,
    .y = (run->evidence->y >> d->level->depth) + box->y,
  };

  return sumi_loop_run (&loop, run->eval, x, sumi_loop_start (&loop, run->eval, x), run->job, error);
}

/* Whether nothing is known yet of what the hole holds: no guide, and deeper than its surroundings decide. */
static gboolean
starts_blank (const Run *run, const PatchesLevel *level)
{
  return level == run->levels[run->n_levels - 1] && ! run->evidence->guide &&
         (level->depth > 0 || level->deepest > SHALLOW);
}

static void
count_steps (const Run *run, const PatchesLevel *level, int *noisy, int *clean)
{
  const gboolean blank = starts_blank (run, level), noise = blank || ! run->quiet;
  const int asked = run->how->steps;
  int steps = run->quiet ? STEPS_QUIET : STEPS_FINE + STEPS_CLEAN;

  if (run->evidence->guide)
    steps /= 2; /* large holes come this way, and the guide has decided most */

  if (asked > 0)
    steps = blank ? MIN (4 * asked, MAX_STEPS) : asked;
  else if (blank)
    steps = STEPS_COARSEST + STEPS_CLEAN;
  if (asked == 0 && level->n_queries > BUSY)
    steps = MAX (2, (int) (steps * BUSY / level->n_queries));
  *clean = noise ? MIN (STEPS_CLEAN, MAX (steps - 1, 1)) : steps;
  *noisy = steps - *clean;
}

/* Noise levels from high to low, then σ = 0, the last step of the finest level with the best candidate only. */
static gboolean
run_steps (Run *run, LevelDenoiser *d, SumiTensor *x, GError **error)
{
  const guint32 stream = (guint32) d->level->depth * STREAMS_A_LEVEL;
  const gboolean finest = d->level->depth == 0;
  g_autofree double *zeros = NULL;
  SumiJobRange outer;
  double share;
  int noisy, clean;
  gboolean ok;

  count_steps (run, d->level, &noisy, &clean);
  share = (double) noisy / (noisy + clean);
  if (noisy > 0)
    {
      const double top = ! starts_blank (run, d->level) ? SIGMA_FINE : run->quiet ? SIGMA_QUIET : SIGMA_COARSEST;

      g_autofree double *sigmas = sumi_plan_dup_sigmas (run->plan, noisy, SIGMA_MIN, top, NULL, error);

      if (! sigmas)
        return FALSE;
      outer = sumi_job_enter (run->job, 0, share);
      ok = run_loop (run, d, FALSE, sigmas, noisy, stream, x, error);
      sumi_job_leave (run->job, outer);
      if (! ok)
        return FALSE;
    }
  zeros = g_new0 (double, clean + 1);
  outer = sumi_job_enter (run->job, share, 1);
  ok = clean - finest < 1 || run_loop (run, d, TRUE, zeros, clean - finest, stream, x, error);
  d->hard = TRUE;
  ok = ok && (! finest || run_loop (run, d, TRUE, zeros, 1, stream, x, error));
  sumi_job_leave (run->job, outer);
  return ok;
}

/* ---- the finish -------------------------------------------------------- */

/* The difference that the vote leaves on the ring just outside the hole, 3×3 means, carried inwards by the membrane. */
static gboolean
add_membrane (const PatchesLevel *level, float *voted, const guint8 *hole, const guint8 *where, GError **error)
{
  const SumiRect *box = &level->box;
  const int w = box->width, h = box->height;
  const gsize n = (gsize) w * (gsize) h;
  g_autofree float *difference = g_try_new0 (float, 4 * n);
  g_autofree guint8 *kind = g_try_malloc0 (n);

  if (! difference || ! kind)
    return no_memory (level, error);
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      {
        const gsize i = (gsize) y * (gsize) w + (gsize) x;
        float sum[3] = { 0 }, count = 0;

        kind[i] = level->kind[patches_at (level, box->x + x, box->y + y)];
        if (! where[i] || hole[i])
          continue;
        for (int py = MAX (y - 1, 0); py <= MIN (y + 1, h - 1); py++)
          for (int px = MAX (x - 1, 0); px <= MIN (x + 1, w - 1); px++)
            {
              const gsize j = (gsize) py * (gsize) w + (gsize) px;
              const float *known = level->picture + 4 * patches_at (level, box->x + px, box->y + py);

              if (! where[j] || hole[j])
                continue;
              for (gsize c = 0; c < 3; c++)
                sum[c] += known[c] - voted[4 * j + c];
              count += 1;
            }
        for (gsize c = 0; c < 3; c++)
          difference[4 * i + c] = sum[c] / count;
      }
  if (! sumi_membrane_fill (difference, kind, w, h, 1e-3, level->pool, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    for (gsize c = 0; hole[i] && c < 3; c++)
      voted[4 * i + c] += difference[4 * i + c];
  return TRUE;
}

/* @where: the hole and the known pixels up to 2 from it, in each direction. */
static void
widen (const PatchesLevel *level, const guint8 *hole, guint8 *where)
{
  const int w = level->box.width, h = level->box.height;

  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      {
        gboolean near = FALSE;

        if (level->kind[patches_at (level, level->box.x + x, level->box.y + y)] != PATCHES_VOID)
          for (int j = MAX (y - 2, 0); j <= MIN (y + 2, h - 1) && ! near; j++)
            for (int i = MAX (x - 2, 0); i <= MIN (x + 2, w - 1) && ! near; i++)
              near = hole[(gsize) j * (gsize) w + (gsize) i];
        where[(gsize) y * (gsize) w + (gsize) x] = near;
      }
}

static gboolean
finish (Run *run, LevelDenoiser *d, SumiImage *out, GError **error)
{
  PatchesLevel *level = d->level;
  const SumiRect *box = &level->box;
  g_autofree guint8 *where = g_try_malloc ((gsize) box->width * (gsize) box->height);

  if (! where)
    return no_memory (level, error);
  widen (level, d->hole, where);
  /* known pixels that no query covers must not count as differing */
  for (int y = 0; y < box->height; y++)
    memcpy (level->noisy + 4 * (gsize) y * (gsize) box->width,
            level->picture + 4 * patches_at (level, box->x, box->y + y), 4 * sizeof (float) * (gsize) box->width);
  patches_vote (level, where, level->noisy, run->eval->pool);
  if (! add_membrane (level, level->noisy, d->hole, where, error))
    return FALSE;
  for (int y = 0; y < box->height; y++)
    for (int x = 0; x < box->width; x++)
      {
        const gsize i = (gsize) y * (gsize) box->width + (gsize) x;

        for (gsize c = 0; d->hole[i] && c < 3; c++)
          sumi_image_at (out, box->x + x, box->y + y)[c] = level->noisy[4 * i + c] / 255;
      }
  return TRUE;
}

/* ---- coarse to fine ---------------------------------------------------- */

static gboolean
run_level (Run *run, int index, SumiImage *out, GError **error)
{
  PatchesLevel *level = run->levels[index];
  const gboolean coarsest = index == run->n_levels - 1;
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autofree guint8 *hole = NULL;
  LevelDenoiser d = {
    .denoiser = { .denoise = level_denoise, .project = level_project, .preview = level_preview },
    .level = level,
    .evidence = run->evidence,
    .cancellable = run->job && run->job->cancellable ? run->job->cancellable : run->eval->cancellable,
    .seed = run->seed,
  };
  const SumiRect *box = &level->box;
  SumiTensor *x;
  gsize n;

  if (! patches_level_open (level, error))
    return FALSE;
  if (level->n_queries == 0)
    return TRUE;
  n = (gsize) box->width * (gsize) box->height;
  d.hole = hole = g_try_malloc (n);
  x = sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, (const int[]){ 1, box->height, box->width, 3 });
  if (! hole || ! x)
    return no_memory (level, error);
  for (int y = 0; y < box->height; y++)
    for (int px = 0; px < box->width; px++)
      hole[y * box->width + px] = level->kind[patches_at (level, box->x + px, box->y + y)] == PATCHES_HOLE;

  if (! coarsest)
    start_from_coarser (run, level, run->levels[index + 1], hole);
  else if (! start_from_membrane (level, error))
    return FALSE;
  else if (run->evidence->guide)
    start_from_guide (run, &d);
  for (gsize i = 0; i < n; i++)
    for (gsize c = 0; c < 3; c++)
      sumi_tensor_f32 (x)[3 * i + c] = level->noisy[4 * i + c];
  sumi_parallel_for (run->eval->pool, box->height, give_row, &(Rows){ &d, sumi_tensor_f32 (x), sumi_tensor_f32 (x) });
  return run_steps (run, &d, x, error) && (index > 0 || finish (run, &d, out, error));
}

static gboolean
build_levels (Run *run, int radius, GError **error)
{
  const int most = run->evidence->guide ?
                       CLAMP ((int) lround (log2 (MAX (run->evidence->guide_factor, 1))), 0, MAX_LEVELS - 1) + 1 :
                       MAX_LEVELS;

  while (run->n_levels < most)
    {
      const PatchesLevel *last = run->levels[run->n_levels - 1];
      g_autoptr (PatchesLevel) next = NULL;

      if ((last->deepest <= SHALLOW && ! run->evidence->guide) || (MIN (last->width, last->height) + 1) / 2 < MIN_SIDE)
        break;
      next = patches_level_shrink (last, error);
      if (! next || ! patches_level_set_radius (next, radius, error))
        return FALSE;
      if (next->n_sources < MIN_SOURCES || next->deepest == 0)
        break;
      run->levels[run->n_levels++] = g_steal_pointer (&next);
    }
  return TRUE;
}

static gboolean
run_levels (Run *run, SumiImage *out, GError **error)
{
  double done = 0, total = 0;

  for (int i = 0; i < run->n_levels; i++)
    total += pow (0.25, i) * (i == run->n_levels - 1 ? 4 : 1);
  for (int i = run->n_levels - 1; i >= 0; i--)
    {
      const double share = pow (0.25, i) * (i == run->n_levels - 1 ? 4 : 1) / total;
      SumiJobRange outer = sumi_job_enter (run->job, done, MIN (1, done + share));
      gboolean ok = run_level (run, i, out, error);

      sumi_job_leave (run->job, outer);
      if (! ok)
        return FALSE;
      done += share;
      if (i + 1 < run->n_levels)
        g_clear_pointer (&run->levels[i + 1], patches_level_free);
    }
  return TRUE;
}

/* Hardly anything to copy from: the membrane alone. */
static gboolean
fill_smoothly (const PatchesLevel *level, SumiImage *out, GError **error)
{
  const gsize n = (gsize) level->width * (gsize) level->height;
  g_autofree float *u = g_memdup2 (level->picture, 4 * n * sizeof (float));

  if (! sumi_membrane_fill (u, level->kind, level->width, level->height, 1e-4, level->pool, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    for (gsize c = 0; level->kind[i] == PATCHES_HOLE && c < 3; c++)
      out->data[3 * i + c] = u[4 * i + c] / 255;
  return TRUE;
}

static gboolean
is_auto (const char *key)
{
  return ! key || ! *key || ! strcmp (key, "auto");
}

static gboolean
run_prepare (Run *run, GError **error)
{
  const SumiPredict *how = run->how;

  run->own_sampler = is_auto (how->names.sampler);
  run->quiet = how->seed == 0 && how->candidate == 0 && run->own_sampler && is_auto (how->names.schedule) &&
               how->churn < 0 && is_auto (how->names.process) && is_auto (how->names.method) &&
               is_auto (how->names.settings);
  run->seed = sumi_random_hash (how->seed, (guint64) how->candidate, 0);
  return sumi_plan_init (run->plan, &how->names, run->defaults, error);
}

static SumiImage *
patches_predict (SumiModel *model,
                 SumiEval *eval,
                 const SumiEvidence *evidence,
                 const SumiPredict *how,
                 SumiJob *job,
                 GError **error)
{
  g_auto (SumiPlan) plan = { NULL };
  Run run = {
    .eval = eval, .evidence = evidence, .how = how, .job = job, .defaults = &model->family->defaults, .plan = &plan
  };
  g_autoptr (SumiImage) out = sumi_image_dup (evidence->picture, error);
  g_autoptr (PatchesLevel) level = out ? patches_level_new (evidence, eval->pool, error) : NULL;
  int radius = PATCHES_RADIUS_MAX;
  gboolean ok;

  if (! level || ! run_prepare (&run, error))
    return NULL;
  if (level->n_holes == 0)
    return g_steal_pointer (&out);
  if (level->n_known == 0)
    {
      g_set_error_literal (
          error, SUMI_ERROR, SUMI_ERROR_INPUT,
          "nothing of the picture is left to copy from: everything is marked or transparent; mark a smaller part");
      return NULL;
    }

  for (; radius > 0; radius--)
    {
      if (! patches_level_set_radius (level, radius, error))
        return NULL;
      if (level->n_sources >= FEWEST_SOURCES)
        break;
    }
  if (radius == 0)
    return fill_smoothly (level, out, error) ? g_steal_pointer (&out) : NULL;
  run.levels[run.n_levels++] = g_steal_pointer (&level);
  ok = build_levels (&run, radius, error) && run_levels (&run, out, error);
  for (int i = 0; i < run.n_levels; i++)
    patches_level_free (run.levels[i]);
  return ok ? g_steal_pointer (&out) : NULL;
}

const SumiFamilyClass sumi_family_patches = {
  .key = "patches",
  .label = N_ ("Patches of the picture"),
  .blurb = N_ ("Fills with what the picture itself shows elsewhere; needs no model file"),
  .evidence = SUMI_EVIDENCE_MISSING,
  .defaults = { .sampler = "ddim", .schedule = "exponential" },
  .align = 1,
  .bytes = 170,
  .takes_guide = TRUE,
  .predict = patches_predict,
};
