/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Perpendicular negative: what is not wanted takes nothing from what is wanted. With Δ_i = D_i − D_u and the wanted
 * direction P = Σ w_i·Δ_i over the weights above 0,
 *
 *   D = D_u + s·(P + Σ w_j·(Δ_j − P·⟨Δ_j, P⟩/⟨P, P⟩)) over the weights w_j below 0,
 *
 * dot products per sample. Armandpour et al. 2023 (arXiv 2304.04968), who have one wanted condition of
 * weight 1. Where P is 0 every direction is perpendicular to it.
 *
 * Biased like cfg, and more: the projection differs from picture to picture, so that D is no longer the mean of any
 * density. In one dimension nothing is perpendicular: what is not wanted then has no effect. */
#include <glib/gi18n-lib.h>

#include "core/base/option.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/guidance.h"
#include "core/diffusion/samplewise.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

typedef struct
{
  double scale;
} PerpNeg;

static const SumiOption options[] = {
  {
      .key = "perp-neg-scale",
      .label = N_ ("Guidance _scale"),
      .blurb = N_ ("How strongly the conditions pull: 1 as they were learnt, above that more than that"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (PerpNeg, scale),
      .max = 100,
      .value = 3,
  },
  { NULL },
};

/* Adds to @sum what of @delta is perpendicular to @wanted. */
static void
add_perpendicular (SumiEval *ev,
                   double weight,
                   const SumiTensor *delta,
                   const SumiTensor *wanted,
                   const double *squares,
                   SumiTensor *sum)
{
  const gsize n = (gsize) sum->shape[0];
  g_autofree double *factors = g_new0 (double, n);

  sumi_samples_dot (ev, delta, wanted, factors);
  for (gsize i = 0; i < n; i++)
    factors[i] = squares[i] > 0 ? -factors[i] / squares[i] : 0;
  sumi_lincomb (ev, 1, sum, weight, sumi_samples_scale (ev, delta, factors, wanted, NULL), 0, NULL, sum);
}

static SumiTensor *
perp_neg_denoise (SumiGuidance *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  const PerpNeg *o = self->options;
  g_autofree double *squares = g_new0 (double, x->shape[0]);
  SumiTensor *base = sumi_denoise (self->parts.base, ev, x, sigma);
  SumiTensor *deltas[SUMI_MAX_CONDITIONS];
  SumiTensor *wanted = NULL, *sum;

  for (int i = 0; i < self->parts.n; i++)
    {
      const double w = sumi_guidance_weight (self, i);

      if (w == 0)
        continue;
      deltas[i] = sumi_lincomb (ev, 1, sumi_denoise (self->parts.conditions[i], ev, x, sigma), -1, base, 0, NULL, NULL);
      if (w > 0)
        wanted = sumi_lincomb (ev, w, deltas[i], 1, wanted, 0, NULL, NULL);
    }
  if (! sumi_eval_ok (ev))
    return sumi_eval_nothing (ev);
  sumi_samples_dot (ev, wanted, wanted, squares);
  sum = sumi_eval_tensor_like (ev, wanted);
  sumi_copy (ev, wanted, sum);
  for (int i = 0; i < self->parts.n && ! ev->error; i++)
    if (sumi_guidance_weight (self, i) < 0)
      add_perpendicular (ev, sumi_guidance_weight (self, i), deltas[i], wanted, squares, sum);
  return sumi_lincomb (ev, 1, base, o->scale, sum, 0, NULL, NULL);
}

const SumiGuidanceClass sumi_guidance_perp_neg = {
  .key = "perp-neg",
  .label = N_ ("Perpendicular negative"),
  .blurb = N_ ("Keeps away from what is not wanted without weakening what is, where the two have much in common"),
  .paper = "Armandpour et al. 2023, arXiv 2304.04968",
  .conditions = SUMI_GUIDANCE_SIDES,
  .options = options,
  .options_size = sizeof (PerpNeg),
  .denoise = perp_neg_denoise,
};
