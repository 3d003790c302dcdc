/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Family restore (models/restore.md): a cheap guess b of the picture, maps of what of it is missing, and a network that
 * predicts the residual over b in units of its expected size s: x = b + s·u. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/base/parallel.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/loop.h"
#include "core/diffusion/plan.h"
#include "core/io/weights.h"
#include "core/model/model.h"
#include "core/model/pushpull.h"
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
#define STEPS      8

static const float luma[] = SUMI_RESTORE_LUMA;

typedef struct
{
  SumiDenoiser denoiser;
  const SumiRestoreNet *net;
  SumiRestoreInput input;
  SumiPool *pool;
  double s;
  SumiTensor *b, *e; /* [1, H, W, 3], padded */
  SumiTape *tape;    /* (nullable): made at the first gradient */

  const SumiPlanNames *defaults;
  const SumiEvidence *evidence;
  SumiImage *guess; /* in [0, 1] colours, not clamped */
  int left, top;    /* padding before the picture: the network's cells start at multiples of its align everywhere */
} Restore;

/* Index of @i reflected into [0, n): …2 1 0 1 2… n−2 n−1 n−2… */
static int
reflect (int i, int n)
{
  const int period = MAX (1, 2 * (n - 1));

  i = i % period;
  if (i < 0)
    i += period;
  return i < n ? i : period - i;
}

/* No residual where b is exact; no luminance where only the luminance is known. */
static void
restore_project (SumiDenoiser *denoiser, SumiEval *ev, SumiTensor *x)
{
  const Restore *self = (const Restore *) denoiser;

  /* everything is coarse: nothing is known */
  if (! self->evidence->coarse || self->evidence->missing)
    sumi_restore_project (ev, self->e, x);
}

static SumiTensor *
restore_denoise (SumiDenoiser *denoiser, SumiEval *ev, SumiTensor *x, double sigma)
{
  Restore *self = (Restore *) denoiser;
  SumiTensor *d = sumi_restore_net_denoise (self->net, ev, &self->input, x, sigma);

  if (! ev->error)
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

/* ---- evidence --------------------------------------------------------- */

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

/* The picture, grey where only the luminance is known, with missing pixels filled in smoothly. */
static SumiImage *
make_guess (const SumiEvidence *evidence, SumiPool *pool, GError **error)
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
  const Restore *self;
  int any; /* atomic: anything is unknown */
} InputJob;

/* One row of b and e, padded by reflection. */
static void
input_row (gpointer data, int index, int thread)
{
  InputJob *job = data;
  const Restore *self = job->self;
  const SumiEvidence *evidence = self->evidence;
  const int width = self->guess->width, height = self->guess->height, n = self->b->shape[2];
  const int y = reflect (index - self->top, height);
  float *b = sumi_tensor_f32 (self->b) + 3 * (gsize) index * (gsize) n;
  float *e = sumi_tensor_f32 (self->e) + 3 * (gsize) index * (gsize) n;
  gboolean any = evidence->coarse;

  for (int j = 0; j < n; j++, b += 3, e += 3)
    {
      const int inside = j - self->left, x = inside >= 0 && inside < width ? inside : reflect (inside, width);
      const float *p = sumi_image_at (self->guess, x, y);
      const gboolean missing = map_value (evidence->missing, x, y) > 0;
      const gboolean grey = ! missing && map_value (evidence->grey, x, y) > 0;

      for (int c = 0; c < 3; c++)
        b[c] = CLAMP (2 * p[c] - 1, -1, 1);
      e[0] = missing;
      e[1] = grey;
      e[2] = evidence->coarse && ! missing;
      any |= missing || grey;
    }
  if (any)
    g_atomic_int_set (&job->any, TRUE);
}

/* Fills b and e. Returns: whether anything is unknown. */
static gboolean
fill_input (Restore *self, SumiPool *pool)
{
  InputJob job = { self, FALSE };

  sumi_parallel_for (pool, self->b->shape[1], input_row, &job);
  return job.any;
}

/* The residual's scale. It goes by the maps that are given, not by what is in them, so every tile of a picture has the
 * same. */
static double
residual_scale (const SumiRestoreNet *net, const SumiEvidence *evidence)
{
  double square = 0;

  if (evidence->missing)
    square += pow (sumi_restore_net_scale_fill (net), 2);
  if (evidence->grey)
    square += pow (sumi_restore_net_scale_colour (net), 2);
  if (evidence->coarse)
    square += pow (sumi_restore_net_scale_factor (net, evidence->factor), 2) + pow (evidence->noise, 2);
  return sqrt (square);
}

typedef struct
{
  const Restore *self;
  const SumiTensor *u;
  SumiImage *out;
} ComposeJob;

static void
compose_row (gpointer data, int y, int thread)
{
  const ComposeJob *job = data;
  const Restore *self = job->self;
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

/* b + s·u over the unclamped guess. Where only the luminance is known the chroma is made exactly luminance-free in
 * double; partly missing pixels are mixed. */
static SumiImage *
compose (const Restore *self, SumiPool *pool, const SumiTensor *u, GError **error)
{
  SumiImage *out = sumi_image_new_unset (self->guess->width, self->guess->height, 3, error);

  if (out)
    sumi_parallel_for (pool, out->height, compose_row, &(ComposeJob){ self, u, out });
  return out;
}

static void
restore_preview (SumiDenoiser *denoiser, SumiTensor *x0, SumiJob *job)
{
  const Restore *self = (const Restore *) denoiser;
  const SumiRect where = { self->evidence->x, self->evidence->y, self->guess->width, self->guess->height };
  g_autoptr (SumiImage) picture = job && job->preview ? compose (self, self->pool, x0, NULL) : NULL;

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
predict_sample (Restore *self, SumiEval *ev, const SumiPredict *how, SumiTensor *u, SumiJob *job, GError **error)
{
  const int steps = how->steps > 0 ? how->steps : STEPS;
  g_auto (SumiPlan) plan = { NULL };
  g_autofree double *sigmas = NULL;
  SumiLoop loop = {
    .denoiser = &self->denoiser,
    .n_steps = steps,
    .churn = MAX (how->churn, 0),
    .seed = how->seed,
    .stream = (guint32) how->candidate << 24,
    .x = self->evidence->x - self->left,
    .y = self->evidence->y - self->top,
  };

  if (! sumi_plan_init (&plan, &how->names, self->defaults, error))
    return FALSE;
  loop.sigmas = sigmas = sumi_plan_dup_sigmas (&plan, steps, SIGMA_MIN, SIGMA_MAX, NULL, error);
  if (! sigmas)
    return FALSE;
  loop.sampler = plan.sampler;
  loop.sampler_options = plan.sampler_options;
  loop.process = plan.process;
  return sumi_loop_run (&loop, ev, u, sumi_loop_start (&loop, ev, u), job, error);
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
  const SumiEvidence *evidence = self->evidence;

  if (! fill_input (self, ev->pool))
    return sumi_image_dup (evidence->picture, error);
  if (hp)
    sumi_restore_net_detail (ev->pool, self->b, self->s, hp);
  self->input = (SumiRestoreInput){ .b = self->b, .e = self->e, .hp = hp, .factor = 1 };
  if (evidence->coarse)
    {
      self->input.factor = evidence->factor;
      self->input.noise = evidence->noise;
    }
  memset (u->data, 0, sizeof (float) * sumi_tensor_count (u));
  if (! (how->mean ? predict_mean (self, ev, u, job, error) : predict_sample (self, ev, how, u, job, error)))
    return NULL;
  return compose (self, ev->pool, u, error);
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
  const int align = sumi_restore_net_get_align (net);
  const gboolean wants_detail = sumi_restore_net_wants_detail (net);
  const int left = evidence->x & (align - 1), top = evidence->y & (align - 1);
  const int width = (left + evidence->picture->width + align - 1) / align * align;
  const int height = (top + evidence->picture->height + align - 1) / align * align;
  const int shape[] = { 1, height, width, 3 };
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  g_autoptr (SumiImage) guess = make_guess (evidence, ev->pool, error);
  SumiImage *out = NULL;
  SumiTensor *u, *hp;
  Restore self = {
    .denoiser = { .denoise = restore_denoise,
                  .vjp = restore_vjp,
                  .project = restore_project,
                  .preview = restore_preview },
    .net = net,
    .defaults = &model->family->defaults,
    .pool = ev->pool,
    .s = residual_scale (net, evidence),
    .b = sumi_tensor_new (ev->scratch, SUMI_DTYPE_F32, 4, shape),
    .e = sumi_tensor_new (ev->scratch, SUMI_DTYPE_F32, 4, shape),
    .evidence = evidence,
    .guess = guess,
    .left = left,
    .top = top,
  };

  u = sumi_tensor_new (ev->scratch, SUMI_DTYPE_F32, 4, shape);
  hp = wants_detail ? sumi_tensor_new (ev->scratch, SUMI_DTYPE_F32, 4, shape) : NULL;
  if (guess && (! self.b || ! self.e || ! u || (wants_detail && ! hp)))
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
  .has_gradient = TRUE,
  .defaults = { .sampler = "dpmpp-2m", .schedule = "karras" },
  .align = 16,
  .margin = 32, /* measured on photos, mean and samples of every kind: 0.11/255 left at 24, less than 0.005 at 32 */
  .bytes = 320, /* measured on 1024² pixels: 277 for the mean, 24 of them pictures; 27 more where pixels are missing */
  .weight_bytes = 15,
  .match = restore_match,
  .load = restore_load,
  .free = restore_free,
  .predict = restore_predict,
};
