/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/potential.h"

#include "core/base/error.h"
#include "core/diffusion/arithmetic.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

SumiTensor *
sumi_potential_gradient (SumiPotential *self, SumiEval *ev, SumiTensor *x, double sigma, double *value)
{
  SumiTensor *gradient;
  double unused;

  value = value ? value : &unused;
  *value = 0;
  if (! sumi_eval_ok (ev))
    return sumi_eval_nothing (ev);
  gradient = self->gradient (self, ev, x, sigma, value);
  if (! ev->error && (! sumi_tensor_same_shape (gradient, x) || gradient->dtype != x->dtype))
    {
      g_autofree char *got = sumi_tensor_describe (gradient), *want = sumi_tensor_describe (x);

      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "a loss' gradient is %s, expected %s", got, want);
    }
  return ev->error ? sumi_eval_nothing (ev) : gradient;
}

/* ---- a target ------------------------------------------------------------ */

static SumiTensor *
target_gradient (SumiPotential *potential, SumiEval *ev, SumiTensor *x0, double sigma, double *value)
{
  const SumiTargetLoss *self = (const SumiTargetLoss *) potential;
  const double spread = self->spread * self->spread, noise = sigma * sigma;
  const double hidden = spread > 0 && noise > 0 ? spread * noise / (spread + noise) : 0;
  const double precision = 1 / (self->std * self->std + hidden);
  SumiTensor *off = sumi_lincomb (ev, 1, x0, -1, self->target, 0, NULL, NULL);
  SumiTensor *part = self->map ? sumi_blend (ev, self->map, off, NULL, NULL) : off;

  *value = ev->error ? 0 : 0.5 * precision * sumi_dot (ev, off, part);
  return sumi_lincomb (ev, precision, part, 0, NULL, 0, NULL, NULL);
}

void
sumi_target_loss_init (SumiTargetLoss *self, const SumiTensor *target, const SumiTensor *map, double std)
{
  g_return_if_fail (std > 0);
  *self = (SumiTargetLoss){ { target_gradient }, target, map, std, 0 };
}

/* ---- the mean colour ----------------------------------------------------- */

static SumiTensor *
tone_gradient (SumiPotential *potential, SumiEval *ev, SumiTensor *x0, double sigma, double *value)
{
  const SumiToneLoss *self = (const SumiToneLoss *) potential;
  const double precision = 1 / (self->std * self->std);
  const gsize channels = (gsize) self->channels;
  SumiTensor *gradient = sumi_eval_tensor_like (ev, x0);
  SumiDims dims = { .dims = { { "C", self->channels } }, .n = 1 };
  gsize pixels;

  if (! sumi_expect (ev, &dims, x0, "N H W C", "a picture whose mean colour is wished for"))
    return sumi_eval_nothing (ev);
  pixels = (gsize) x0->shape[1] * (gsize) x0->shape[2];
  for (gsize n = 0; n < (gsize) x0->shape[0]; n++)
    for (gsize c = 0; c < channels; c++)
      {
        const gsize first = n * pixels * channels + c;
        double sum = 0, off;

        for (gsize i = 0; i < pixels; i++)
          sum += sumi_tensor_get (x0, first + i * channels);
        off = sum / (double) MAX (pixels, 1) - self->mean[c];
        *value += 0.5 * precision * off * off;
        for (gsize i = 0; i < pixels; i++)
          sumi_tensor_put (gradient, first + i * channels, precision * off / (double) pixels);
      }
  return gradient;
}

void
sumi_tone_loss_init (SumiToneLoss *self, const double *mean, int channels, double std)
{
  g_return_if_fail (std > 0);
  *self = (SumiToneLoss){ { tone_gradient }, mean, channels, std };
}
