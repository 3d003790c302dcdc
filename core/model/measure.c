/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/measure.h"

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/loop.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"

gboolean
sumi_model_measure (SumiModel *model,
                    SumiEval *ev,
                    const SumiEvidence *evidence,
                    SumiMeasure *measure,
                    guint64 seed,
                    SumiJob *job,
                    GError **error)
{
  const SumiPredict how = { .seed = seed, .measure = measure };
  g_autoptr (SumiImage) picture = NULL;

  if (! model->family->has_errors)
    {
      g_set_error (
          error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
          "the model “%s” (family “%s”) has no table of errors: how well it denoises depends on each picture; only "
          "networks can be measured",
          model->name, model->family->key);
      return FALSE;
    }
  g_return_val_if_fail (
      measure->truth->width == evidence->picture->width && measure->truth->height == evidence->picture->height, FALSE);
  for (int i = 0; i < measure->n; i++)
    measure->errors[i] = 0;
  picture = sumi_model_predict (model, ev, evidence, &how, job, error);
  return picture != NULL;
}

/* The noise's own energy, after projection, counts the values that are open. */
static double
error_at (SumiDenoiser *denoiser, SumiEval *ev, const SumiTensor *x0, double sigma, guint64 seed, int stream)
{
  SumiTensor *z = sumi_eval_tensor_like (ev, x0), *x, *d, *wrong;
  double energy;

  sumi_noise_fill (ev, z, seed, (guint32) stream, 0, 0);
  if (sumi_eval_ok (ev) && denoiser->project)
    denoiser->project (denoiser, ev, z);
  energy = sumi_dot (ev, z, z);
  x = sumi_lincomb (ev, 1, x0, sigma, z, 0, NULL, NULL);
  d = sumi_denoise (denoiser, ev, x, sigma);
  wrong = sumi_lincomb (ev, 1, x0, -1, d, 0, NULL, NULL);
  return energy > 0 ? sumi_dot (ev, wrong, wrong) / energy : 0;
}

gboolean
sumi_measure_run (SumiMeasure *measure,
                  SumiDenoiser *denoiser,
                  SumiEval *ev,
                  const SumiTensor *x0,
                  guint64 seed,
                  SumiJob *job,
                  GError **error)
{
  for (int i = 0; i < measure->n && sumi_eval_ok (ev); i++)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);

      if (! sumi_job_check (job, error))
        return FALSE;
      measure->errors[i] = error_at (denoiser, ev, x0, measure->sigmas[i], seed, i);
      sumi_arena_release (ev->scratch, mark);
      sumi_job_progress (job, (i + 1.0) / measure->n, NULL);
    }
  return sumi_eval_finish (ev, error);
}
