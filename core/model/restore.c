/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Family restore (models/restore.md): a cheap guess b of the picture, maps of what of it is missing, and a network that
 * predicts the residual over b in units of its expected size s: x = b + s·u. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/loop.h"
#include "core/diffusion/method.h"
#include "core/diffusion/plan.h"
#include "core/diffusion/schedule.h"
#include "core/io/weights.h"
#include "core/model/measure.h"
#include "core/model/model.h"
#include "core/model/restore-frame.h"
#include "core/model/restore-method.h"
#include "core/model/restore-net.h"
#include "core/model/restore-project.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tape.h"
#include "core/tensor/tensor.h"

#define SIGMA_MEAN 80.0 /* the special call that asks for the mean */
/* Trained for [0.01, 20]. At 5 the noise already has 25 times the residual's variance; above it the shipped model only
 * adds speckle (8 steps on photos, 2×: −1.7 dB against the mean from 20, −0.9 dB from 5). */
#define SIGMA_MAX  5.0
#define SIGMA_MIN  0.1
#define STEPS      6

typedef struct
{
  SumiDenoiser denoiser;
  const SumiRestoreNet *net;
  SumiRestoreInput input;
  SumiRestoreFrame frame;
  SumiPool *pool;
  SumiTape *tape; /* (nullable): made at the first gradient */
  SumiModel *model;
  const SumiPlan *plan; /* (nullable) for the mean */
} Restore;

/* No residual where b is exact; no luminance where only the luminance is known. */
static void
restore_project (SumiDenoiser *denoiser, SumiEval *ev, SumiTensor *x)
{
  const Restore *self = (const Restore *) denoiser;

  /* everything is coarse: nothing is known */
  if (! self->frame.evidence->coarse || self->frame.evidence->missing)
    sumi_restore_project (ev, self->frame.e, x);
}

static SumiTensor *
restore_denoise (SumiDenoiser *denoiser, SumiEval *ev, SumiTensor *x, double sigma)
{
  Restore *self = (Restore *) denoiser;
  SumiTensor *d = sumi_restore_net_denoise (self->net, ev, &self->input, x, sigma);

  if (! ev->error && ! self->frame.prior)
    restore_project (denoiser, ev, d);
  return d;
}

/* With the call it costs 2.2 plain calls. Measured on 512² and 1024² pixels of the shipped network: besides the 216
 * bytes per pixel of a plain call the tape takes 692, of which 512 are values kept for the way back, and 82 MB of
 * weights. */
static SumiTensor *
restore_vjp (SumiDenoiser *denoiser,
             SumiEval *ev,
             SumiTensor *x,
             double sigma,
             SumiCotangent cotangent,
             gpointer data,
             SumiTensor **x0)
{
  Restore *self = (Restore *) denoiser;

  if (! self->tape)
    self->tape = sumi_tape_new ();
  sumi_tape_watch (self->tape, x);
  ev->tape = self->tape;
  *x0 = restore_denoise (denoiser, ev, x, sigma);
  ev->tape = NULL;
  return sumi_tape_gradient (ev, self->tape, *x0, cotangent (data, ev, *x0), x, TRUE);
}

static void
restore_preview (SumiDenoiser *denoiser, SumiTensor *x0, SumiJob *job)
{
  const Restore *self = (const Restore *) denoiser;
  const SumiRestoreFrame *frame = &self->frame;
  const SumiRect where = { frame->evidence->x, frame->evidence->y, frame->guess->width, frame->guess->height };
  g_autoptr (SumiImage) picture = job && job->preview ? sumi_restore_compose (frame, self->pool, x0, NULL) : NULL;

  if (picture)
    sumi_job_preview (job, picture, &where);
}

/* ---- prediction ------------------------------------------------------- */

/* u ← E[u | evidence], one call */
static gboolean
predict_mean (Restore *self, SumiEval *ev, SumiTensor *u, SumiJob *job, GError **error)
{
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  SumiTensor *d = sumi_denoise (&self->denoiser, ev, u, SIGMA_MEAN);

  sumi_lincomb (ev, 1, d, 0, NULL, 0, NULL, u);
  sumi_arena_release (ev->scratch, mark);
  sumi_job_progress (job, 1, NULL);
  return sumi_eval_finish (ev, error);
}

static gboolean
predict_sample (Restore *self,
                SumiEval *ev,
                const SumiPredict *how,
                SumiMethod *method,
                SumiTensor *u,
                SumiJob *job,
                GError **error)
{
  const SumiRestoreFrame *frame = &self->frame;
  const int steps = how->steps > 0 ? how->steps : STEPS;
  SumiErrorTable table;
  const SumiErrorTable *errors = NULL;
  const gboolean known = ! self->plan->schedule->needs_errors ||
                         sumi_model_find_errors (self->model, frame->evidence, &table, &errors, error);
  g_autofree double *sigmas =
      known ? sumi_plan_dup_sigmas (self->plan, steps, SIGMA_MIN, SIGMA_MAX, errors, error) : NULL;
  const SumiLoop loop = {
    .denoiser = &self->denoiser,
    .sampler = self->plan->sampler,
    .sampler_options = self->plan->sampler_options,
    .process = self->plan->process,
    .method = method,
    .sigmas = sigmas,
    .n_steps = steps,
    .churn = MAX (how->churn, 0),
    .seed = how->seed,
    .stream = (guint32) how->candidate << 24,
    .x = frame->evidence->x - frame->left,
    .y = frame->evidence->y - frame->top,
  };

  return sigmas && sumi_loop_run (&loop, ev, u, sumi_loop_start (&loop, ev, u), job, error);
}

/* The plan's method, on what is known of the picture. */
static gboolean
predict_method (Restore *self, SumiEval *ev, const SumiPredict *how, SumiTensor *u, SumiJob *job, GError **error)
{
  const SumiEvidence *evidence = self->frame.evidence;
  g_auto (SumiRestoreMethod) method = { { NULL } };
  g_autoptr (SumiImage) first = NULL;
  SumiJobRange outer;
  gboolean ok;

  if (self->plan->method->takes_guess)
    {
      const SumiPredict quick = { .mean = TRUE };

      outer = sumi_job_enter (job, 0, 0.2);
      first = sumi_model_predict (self->model, ev, evidence, &quick, job, error);
      sumi_job_leave (job, outer);
      if (! first)
        return FALSE;
    }
  if (! sumi_restore_method_init (&method, self->plan, &self->frame, first ? first : evidence->reference, ev, error) ||
      ! sumi_method_check (self->plan->method, &self->denoiser, &method.method.seen, self->model->name, error))
    return FALSE;
  outer = sumi_job_enter (job, first ? 0.2 : 0, 1);
  ok = predict_sample (self, ev, how, &method.method, u, job, error);
  sumi_job_leave (job, outer);
  return ok;
}

/* The truth's residual in @u, denoised at every level asked for. */
static gboolean
measure (Restore *self, SumiEval *ev, const SumiPredict *how, SumiTensor *u, SumiJob *job, GError **error)
{
  const SumiRestoreFrame *frame = &self->frame;
  const SumiImage *truth = how->measure->truth;
  float *p = sumi_tensor_f32 (u);

  for (int y = 0; y < u->shape[1]; y++)
    for (int x = 0; x < u->shape[2]; x++, p += 3)
      {
        const int i = sumi_restore_reflect (x - frame->left, truth->width);
        const int j = sumi_restore_reflect (y - frame->top, truth->height);

        for (int c = 0; c < 3; c++)
          p[c] = (float) (2 / frame->s * (sumi_image_at (truth, i, j)[c] - sumi_image_at (frame->guess, i, j)[c]));
      }
  restore_project (&self->denoiser, ev, u);
  return sumi_measure_run (how->measure, &self->denoiser, ev, u, how->seed, job, error);
}

/* Answers for the evidence of @self, whose maps are not filled yet; @u, @hp: memory. */
static SumiImage *
restore_run (Restore *self,
             SumiEval *ev,
             const SumiPredict *how,
             SumiTensor *u,
             SumiTensor *hp,
             SumiJob *job,
             GError **error)
{
  SumiRestoreFrame *frame = &self->frame;
  const SumiEvidence *evidence = frame->evidence;
  gboolean ok;

  if (! sumi_restore_frame_fill (frame, ev->pool))
    return sumi_image_dup (evidence->picture, error);
  if (hp)
    sumi_restore_net_detail (ev->pool, frame->b, frame->s, hp);
  self->input = (SumiRestoreInput){ .b = frame->b, .e = frame->e, .hp = hp, .factor = 1 };
  if (evidence->coarse)
    {
      self->input.factor = evidence->factor;
      self->input.noise = evidence->noise;
    }
  if (how->measure)
    return measure (self, ev, how, u, job, error) ? sumi_image_ref (evidence->picture) : NULL;
  memset (u->data, 0, sizeof (float) * sumi_tensor_count (u));
  if (how->mean)
    ok = predict_mean (self, ev, u, job, error);
  else if (self->plan->method)
    ok = predict_method (self, ev, how, u, job, error);
  else
    ok = predict_sample (self, ev, how, NULL, u, job, error);
  return ok ? sumi_restore_compose (frame, ev->pool, u, error) : NULL;
}

/* The network's cells, and with a method the blocks of an enlarged guide too, begin at multiples of this. */
static int
get_align (const SumiRestoreNet *net, const SumiEvidence *evidence, gboolean prior)
{
  const int align = sumi_restore_net_get_align (net), factor = (int) evidence->factor;
  int both = align;

  while (prior && evidence->coarse && factor > 1 && both % factor)
    both += align;
  return both;
}

static SumiImage *
restore_predict (SumiModel *model,
                 SumiEval *ev,
                 const SumiEvidence *evidence,
                 const SumiPredict *how,
                 SumiJob *job,
                 GError **error)
{
  const SumiRestoreNet *net = model->data;
  g_auto (SumiPlan) plan = { NULL };
  const gboolean planned = how->mean || sumi_plan_init (&plan, &how->names, &model->family->defaults, error);
  const gboolean wants_detail = sumi_restore_net_wants_detail (net), prior = plan.method != NULL;
  const int align = get_align (net, evidence, prior);
  const int left = (evidence->x % align + align) % align, top = (evidence->y % align + align) % align;
  const int width = (left + evidence->picture->width + align - 1) / align * align;
  const int height = (top + evidence->picture->height + align - 1) / align * align;
  const int shape[] = { 1, height, width, 3 };
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  g_autoptr (SumiImage) guess = planned ? sumi_restore_make_guess (evidence, ev->pool, error) : NULL;
  SumiImage *out = NULL;
  SumiTensor *u, *hp;
  Restore self = {
    .denoiser = { .denoise = restore_denoise,
                  .vjp = restore_vjp,
                  .project = prior ? NULL : restore_project,
                  .preview = restore_preview },
    .net = net,
    .frame = { .evidence = evidence,
               .guess = guess,
               .left = left,
               .top = top,
               .s = sumi_restore_get_scale (net, evidence, prior),
               .prior = prior,
               .b = sumi_tensor_new (ev->scratch, SUMI_DTYPE_F32, 4, shape),
               .e = sumi_tensor_new (ev->scratch, SUMI_DTYPE_F32, 4, shape) },
    .pool = ev->pool,
    .model = model,
    .plan = &plan,
  };

  u = sumi_tensor_new (ev->scratch, SUMI_DTYPE_F32, 4, shape);
  hp = wants_detail ? sumi_tensor_new (ev->scratch, SUMI_DTYPE_F32, 4, shape) : NULL;
  if (guess && (! self.frame.b || ! self.frame.e || ! u || (wants_detail && ! hp)))
    g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY,
                 "no memory for a network input of %d×%d pixels; allow less with --memory", width, height);
  else if (guess)
    out = restore_run (&self, ev, how, u, hp, job, error);
  sumi_tape_free (self.tape);
  sumi_arena_release (ev->scratch, mark);
  return out;
}

/* ---- family ----------------------------------------------------------- */

static gboolean
restore_match (SumiWeights *weights)
{
  return ! g_strcmp0 (sumi_weights_get_meta (weights, "sumi.family"), "restore");
}

static gpointer
restore_load (SumiWeights *weights, GError **error)
{
  SumiRestoreNet *net = sumi_restore_net_load (weights, error);
  g_autofree char *identity = NULL, *path = net ? sumi_model_dup_cache_path (weights, &identity) : NULL;

  if (path)
    sumi_restore_net_keep (net, path, identity);
  return net;
}

static void
restore_free (gpointer data)
{
  sumi_restore_net_free (data);
}

const SumiFamilyClass sumi_family_restore = {
  .key = "restore",
  .label = N_ ("Restorer"),
  .blurb = N_ ("One small network for every kind of evidence: enlarges, cleans, colours, repairs"),
  .needs_weights = TRUE,
  .evidence = SUMI_EVIDENCE_MISSING | SUMI_EVIDENCE_GREY | SUMI_EVIDENCE_COARSE,
  .has_mean = TRUE,
  .has_errors = TRUE,
  .sigma_min = SIGMA_MIN,
  .sigma_max = SIGMA_MAX,
  .defaults = { .sampler = "unipc", .schedule = "karras" },
  .align = 16,
  .margin = 32, /* measured on photos, mean and samples of every kind: 0.11/255 left at 24, less than 0.005 at 32 */
  .bytes = 320, /* measured on 1024² pixels: 277 for the mean, 24 of them pictures; 27 more where pixels are missing */
  .sample_bytes = 96,
  .weight_bytes = 15,
  .gradient_bytes = 700,
  .gradient_weight_bytes = 18,
  .match = restore_match,
  .load = restore_load,
  .free = restore_free,
  .predict = restore_predict,
};
