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
#include "core/diffusion/method.h"
#include "core/diffusion/plan.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/schedule.h"
#include "core/model/membrane.h"
#include "core/model/model.h"
#include "core/model/patches-denoiser.h"
#include "core/model/patches-finish.h"
#include "core/model/patches-level.h"
#include "core/model/patches-method.h"
#include "core/model/patches-start.h"
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
#define STEPS_FINE      6
#define STEPS_CLEAN     2
#define STEPS_QUIET     8     /* of a fine level of the first proposal, which runs without noise */
#define BUSY            1.2e6 /* queries above which a level gets fewer steps: the coarser ones have decided most */
#define STREAMS_A_LEVEL (1u << 20)
#define MAX_STEPS       4000       /* streams are 64 per step */
#define STREAMS_METHOD  (1u << 24) /* which may repeat steps */

/* One prediction. */
typedef struct
{
  SumiEval *eval;
  const SumiEvidence *evidence;
  const SumiPredict *how;
  const SumiPlanNames *defaults;
  const char *name; /* the model's */
  SumiPlan *plan;
  gboolean own_sampler; /* renewal */
  gboolean quiet;       /* the first proposal */
  guint64 seed;
  SumiJob *job;
  PatchesLevel *levels[MAX_LEVELS];
  int n_levels;
} Run;

/* ---- one level --------------------------------------------------------- */

/* Some steps of a level. */
typedef struct
{
  const double *sigmas; /* n + 1 */
  int n;
  gboolean clean;     /* the σ are all 0: no solver is needed */
  SumiMethod *method; /* (nullable) */
} Steps;

static gboolean
run_loop (Run *run, PatchesDenoiser *d, const Steps *steps, SumiTensor *x, GError **error)
{
  const SumiRect *box = &d->level->box;
  const gboolean own = steps->clean || run->own_sampler;
  const double churn = run->how->churn;
  const SumiLoop loop = {
    .denoiser = &d->denoiser,
    .sampler = own ? &patches_renewal : run->plan->sampler,
    .sampler_options = own ? NULL : run->plan->sampler_options,
    .process = run->plan->process,
    .method = steps->method,
    .sigmas = steps->sigmas,
    .n_steps = steps->n,
    .churn = churn >= 0 ? churn :
             own        ? 1 :
                          0,
    .seed = run->seed,
    .stream = (guint32) d->level->depth * (steps->method ? STREAMS_METHOD : STREAMS_A_LEVEL),
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

/* Whether the level runs under the method asked for. Those that start from a picture do so at the coarsest level, and
 * finer ones go on from there; where a guide is given, it has come that way. */
static gboolean
has_method (const Run *run, const PatchesLevel *level)
{
  const SumiMethodClass *method = run->plan->method;

  return method && (! method->needs_reference || (level == run->levels[run->n_levels - 1] && ! run->evidence->guide));
}

/* Whether the level begins in noise that leaves nothing. */
static gboolean
starts_high (const Run *run, const PatchesLevel *level)
{
  return starts_blank (run, level) || (has_method (run, level) && run->plan->method->needs_reference);
}

static void
count_steps (const Run *run, const PatchesLevel *level, int *noisy, int *clean)
{
  const gboolean blank = starts_high (run, level), noise = blank || ! run->quiet;
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

/* Noise levels from high to low. */
static gboolean
run_noisy (Run *run, PatchesDenoiser *d, int n, SumiTensor *x, GError **error)
{
  const PatchesLevel *level = d->level;
  const double top = ! starts_high (run, level) ? SIGMA_FINE : run->quiet ? SIGMA_QUIET : SIGMA_COARSEST;
  g_autofree double *sigmas = sumi_plan_dup_sigmas (run->plan, n, SIGMA_MIN, top, NULL, error);
  Steps steps = { sigmas, n };

  return sigmas && run_loop (run, d, &steps, x, error);
}

/* The same under a method, in differences u from what x is now, and for which the known pixels are noisy too;
 * afterwards they are exact again. */
static gboolean
run_method (Run *run, PatchesDenoiser *d, int n, SumiTensor *x, GError **error)
{
  const double top = starts_high (run, d->level) ? SIGMA_COARSEST : SIGMA_FINE;
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autofree double *sigmas = sumi_plan_dup_sigmas (run->plan, n, SIGMA_MIN, top, NULL, error);
  g_auto (PatchesMethod) method = { { NULL } };
  const Steps steps = { sigmas, n, FALSE, &method.method };
  SumiTensor *u = sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, x->shape);
  gboolean ok;

  if (! sigmas || ! u)
    return sigmas ? patches_no_memory (d->level, error) : FALSE;
  if (! patches_method_init (&method, run->plan, d, x, arena, run->name, error))
    return FALSE;
  memset (u->data, 0, sizeof (float) * sumi_tensor_count (u));
  patches_denoiser_set_base (d, x);
  ok = run_loop (run, d, &steps, u, error);
  patches_denoiser_set_base (d, NULL);
  for (gsize i = 0; ok && i < sumi_tensor_count (u); i++)
    sumi_tensor_f32 (x)[i] += sumi_tensor_f32 (u)[i];
  patches_denoiser_keep_known (d, x);
  return ok;
}

/* Noise levels, then σ = 0, the last step of the finest level with the best candidate only. */
static gboolean
run_steps (Run *run, PatchesDenoiser *d, SumiTensor *x, GError **error)
{
  const gboolean finest = d->level->depth == 0;
  g_autofree double *zeros = NULL;
  SumiJobRange outer;
  double share;
  int noisy, clean;
  gboolean ok = TRUE;

  count_steps (run, d->level, &noisy, &clean);
  share = (double) noisy / (noisy + clean);
  outer = sumi_job_enter (run->job, 0, share);
  if (noisy > 0)
    ok = has_method (run, d->level) ? run_method (run, d, noisy, x, error) : run_noisy (run, d, noisy, x, error);
  sumi_job_leave (run->job, outer);
  if (! ok)
    return FALSE;

  zeros = g_new0 (double, clean + 1);
  outer = sumi_job_enter (run->job, share, 1);
  ok = clean - finest < 1 || run_loop (run, d, &(Steps){ zeros, clean - finest, TRUE }, x, error);
  d->hard = TRUE;
  ok = ok && (! finest || run_loop (run, d, &(Steps){ zeros, 1, TRUE }, x, error));
  sumi_job_leave (run->job, outer);
  return ok;
}

/* ---- coarse to fine ---------------------------------------------------- */

static gboolean
run_level (Run *run, int index, SumiImage *out, GError **error)
{
  PatchesLevel *level = run->levels[index];
  const gboolean coarsest = index == run->n_levels - 1;
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_auto (PatchesDenoiser) d = { { NULL } };
  SumiTensor *x;

  if (! patches_level_open (level, error))
    return FALSE;
  if (level->n_queries == 0)
    return TRUE;
  if (! patches_denoiser_init (&d, level, run->evidence, run->seed,
                               run->job && run->job->cancellable ? run->job->cancellable : run->eval->cancellable,
                               error))
    return FALSE;
  x = sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, (const int[]){ 1, level->box.height, level->box.width, 3 });
  if (! x)
    return patches_no_memory (level, error);

  if (! coarsest)
    patches_start_from_coarser (&d, run->levels[index + 1]);
  else if (! patches_start_from_membrane (level, error))
    return FALSE;
  else if (run->evidence->guide)
    patches_start_from_guide (&d);
  patches_denoiser_read (&d, x);
  return run_steps (run, &d, x, error) && (index > 0 || patches_finish (&d, out, error));
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
run_prepare (Run *run, GError **error)
{
  const SumiPredict *how = run->how;

  run->own_sampler = sumi_plan_is_auto (how->names.sampler);
  run->quiet = how->seed == 0 && how->candidate == 0 && run->own_sampler && sumi_plan_is_auto (how->names.schedule) &&
               how->churn < 0 && sumi_plan_is_auto (how->names.process) && sumi_plan_is_auto (how->names.method) &&
               sumi_plan_is_auto (how->names.settings);
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
  Run run = { .eval = eval,
              .evidence = evidence,
              .how = how,
              .job = job,
              .defaults = &model->family->defaults,
              .name = model->name,
              .plan = &plan };
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
