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
#include "core/diffusion/denoiser.h"
#include "core/diffusion/loop.h"
#include "core/diffusion/sampler.h"
#include "core/io/weights.h"
#include "core/model/model.h"
#include "core/model/pushpull.h"
#include "core/model/restore-net.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define SIGMA_MEAN 80.0 /* the special call that asks for the mean */
#define SIGMA_MAX  20.0 /* trained for [0.01, 20] */
#define SIGMA_MIN  0.02
#define STEPS      8

static const float luma[] = { 0.299f, 0.587f, 0.114f };

typedef struct
{
  SumiDenoiser denoiser;
  const SumiRestoreNet *net;
  SumiRestoreInput input;
  double s;
  SumiTensor *b, *e; /* [1, 3, H, W], padded */
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
  const gsize plane = (gsize) x->shape[2] * (gsize) x->shape[3];
  const float *missing = sumi_tensor_f32 (self->e), *grey = missing + plane, *coarse = grey + plane;
  float *r = sumi_tensor_f32 (x), *g = r + plane, *b = g + plane;

  if (ev->error)
    return;
  for (gsize i = 0; i < plane; i++)
    {
      if (missing[i] > 0 || coarse[i] > 0)
        continue;
      if (grey[i] > 0)
        {
          const float y = luma[0] * r[i] + luma[1] * g[i] + luma[2] * b[i];

          r[i] -= y;
          g[i] -= y;
          b[i] -= y;
        }
      else
        r[i] = g[i] = b[i] = 0;
    }
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

/* ---- evidence --------------------------------------------------------- */

/* The guess in [0, 1] colours: the picture, with missing pixels filled in smoothly. */
static SumiImage *
make_guess (const SumiEvidence *evidence, GError **error)
{
  g_autoptr (SumiImage) guess = NULL;

  if (! evidence->missing)
    return sumi_image_ref (evidence->picture);
  guess = sumi_image_dup (evidence->picture, error);
  if (! guess || ! sumi_pushpull_fill (guess, evidence->missing, error))
    return NULL;
  return g_steal_pointer (&guess);
}

static float
map_value (const SumiImage *map, int x, int y)
{
  return map ? *sumi_image_at (map, x, y) : 0;
}

/* Fills b and e, padded by reflection, and s. */
static void
fill_input (Restore *self, const SumiEvidence *evidence, const SumiImage *guess)
{
  const int width = guess->width, height = guess->height, padded_width = self->b->shape[3];
  const gsize plane = (gsize) self->b->shape[2] * (gsize) padded_width;
  float *b = sumi_tensor_f32 (self->b), *e = sumi_tensor_f32 (self->e);
  gboolean any_missing = FALSE, any_grey = FALSE;
  double square = 0;

  for (int i = 0; i < self->b->shape[2]; i++)
    for (int j = 0; j < padded_width; j++)
      {
        const int x = reflect (j, width), y = reflect (i, height);
        const gsize at = (gsize) i * (gsize) padded_width + (gsize) j;
        const float *p = sumi_image_at (guess, x, y);
        const gboolean missing = map_value (evidence->missing, x, y) > 0;
        const gboolean grey = ! missing && map_value (evidence->grey, x, y) > 0;

        for (int c = 0; c < 3; c++)
          b[(gsize) c * plane + at] = CLAMP (2 * p[c] - 1, -1, 1);
        e[at] = missing;
        e[plane + at] = grey;
        e[2 * plane + at] = evidence->coarse && ! missing;
        any_missing |= missing;
        any_grey |= grey;
      }
  if (any_missing)
    square += pow (sumi_restore_net_scale_fill (self->net), 2);
  if (any_grey)
    square += pow (sumi_restore_net_scale_colour (self->net), 2);
  if (evidence->coarse)
    square += pow (sumi_restore_net_scale_factor (self->net, evidence->factor), 2) + pow (evidence->noise, 2);
  self->s = sqrt (square);
}

/* ---- prediction ------------------------------------------------------- */

/* u ← E[u | evidence], one call */
static gboolean
predict_mean (Restore *self, SumiEval *ev, SumiTensor *u, SumiJob *job, GError **error)
{
  SumiTensor *d = sumi_denoise (&self->denoiser, ev, u, SIGMA_MEAN);

  sumi_lincomb (ev, 1, d, 0, NULL, 0, NULL, u);
  sumi_job_progress (job, 1, NULL);
  return sumi_eval_finish (ev, error);
}

static gboolean
predict_sample (Restore *self,
                SumiEval *ev,
                const SumiEvidence *evidence,
                const SumiPredict *how,
                SumiTensor *u,
                SumiJob *job,
                GError **error)
{
  const int steps = how->steps > 0 ? how->steps : STEPS;
  const gboolean own_sampler = ! how->sampler || ! strcmp (how->sampler, "auto");
  const gboolean own_schedule = ! how->schedule || ! strcmp (how->schedule, "auto");
  const SumiSamplerClass *sampler = sumi_sampler_find (own_sampler ? "dpmpp-2m" : how->sampler, error);
  const SumiScheduleClass *schedule =
      sampler ? sumi_schedule_find (own_schedule ? "karras" : how->schedule, error) : NULL;
  g_autofree double *sigmas = g_new (double, steps + 1);
  SumiLoop loop = {
    .denoiser = &self->denoiser,
    .sampler = sampler,
    .sigmas = sigmas,
    .n_steps = steps,
    .churn = MAX (how->churn, 0),
    .seed = how->seed,
    .stream = (guint32) how->candidate << 16,
    .x = evidence->x,
    .y = evidence->y,
  };

  if (! schedule)
    return FALSE;
  schedule->sigmas (steps, SIGMA_MIN, SIGMA_MAX, sigmas);
  sumi_loop_start (&loop, ev, u);
  return sumi_loop_run (&loop, ev, u, job, error);
}

/* b + s·u over the unclamped guess. Where only the luminance is known the chroma is made exactly luminance-free in
 * double; partly missing pixels are mixed. */
static SumiImage *
compose (const Restore *self, const SumiEvidence *evidence, const SumiImage *guess, const SumiTensor *u, GError **error)
{
  g_autoptr (SumiImage) out = sumi_image_dup (guess, error);
  const gsize stride = (gsize) u->shape[3], plane = (gsize) u->shape[2] * stride;

  if (! out)
    return NULL;
  for (int y = 0; y < out->height; y++)
    for (int x = 0; x < out->width; x++)
      {
        const float m = map_value (evidence->missing, x, y);
        const gboolean grey = map_value (evidence->grey, x, y) > 0;
        float *p = sumi_image_at (out, x, y);
        double r[3], luminance = 0;

        if (! (m > 0) && ! grey && ! evidence->coarse)
          continue;
        for (int c = 0; c < 3; c++)
          {
            r[c] = 0.5 * self->s * sumi_tensor_f32 (u)[(gsize) c * plane + (gsize) y * stride + (gsize) x];
            luminance += (double) luma[c] * r[c];
          }
        for (int c = 0; c < 3; c++)
          p[c] = (float) (p[c] + r[c] - (grey && ! (m > 0) && ! evidence->coarse ? luminance : 0));
        if (m > 0 && m < 1)
          for (int c = 0; c < 3; c++)
            p[c] = m * p[c] + (1 - m) * sumi_image_at (evidence->picture, x, y)[c];
      }
  return g_steal_pointer (&out);
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
  const int width = (evidence->picture->width + align - 1) / align * align;
  const int height = (evidence->picture->height + align - 1) / align * align;
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiImage) guess = make_guess (evidence, error);
  const int shape[] = { 1, 3, height, width };
  SumiTensor *u, *hp = NULL;
  Restore self = {
    .denoiser = { .denoise = restore_denoise, .project = restore_project },
    .net = net,
    .b = sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, shape),
    .e = sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, shape),
  };

  if (! guess)
    return NULL;
  u = sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, shape);
  if (sumi_restore_net_wants_detail (net))
    hp = sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, shape);
  if (! self.b || ! self.e || ! u || (sumi_restore_net_wants_detail (net) && ! hp))
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY,
                   "no memory for a network input of %d×%d pixels; allow less with --memory", width, height);
      return NULL;
    }
  fill_input (&self, evidence, guess);
  if (! (self.s > 0)) /* nothing is unknown */
    return sumi_image_dup (evidence->picture, error);
  if (hp)
    sumi_restore_net_detail (self.b, self.s, hp);
  self.input = (SumiRestoreInput){
    .b = self.b, .e = self.e, .hp = hp, .factor = MAX (evidence->factor, 1), .noise = evidence->noise
  };
  memset (u->data, 0, sizeof (float) * sumi_tensor_count (u));
  if (! (how->mean ? predict_mean (&self, ev, u, job, error) :
                     predict_sample (&self, ev, evidence, how, u, job, error)))
    return NULL;
  return compose (&self, evidence, guess, u, error);
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
  return sumi_restore_net_load (weights, error);
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
  .align = 16,
  .margin = 48,
  .match = restore_match,
  .load = restore_load,
  .free = restore_free,
  .predict = restore_predict,
};
