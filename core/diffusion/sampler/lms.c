/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linear multistep (Adams and Bashforth on any list of σ), as k-diffusion's sample_lms: the slopes (x − D)/σ of up to
 * `order` steps are extended by the polynomial through them, which is integrated exactly from σ to σ'. Conventions at
 * the ends: the first steps use the lower orders that there are slopes for; the last step, to σ = 0, is like all
 * others.
 *
 * x: [N, H, W, C]; state[0…3]: slopes */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "core/base/option.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/sampler.h"

typedef struct
{
  int order;
} Lms;

static const SumiOption options[] = {
  {
      .key = "order",
      .label = N_ ("_Order"),
      .blurb = N_ ("How many steps a multistep sampler looks at"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (Lms, order),
      .min = 1,
      .max = SUMI_HISTORY,
      .value = 4,
  },
  { NULL },
};

/* The mean of Lagrange's polynomial @j over the step. Two nodes of Gauss and Legendre are exact to degree 3. */
static double
mean_lagrange (const SumiStep *s, int n, const double *nodes, int j)
{
  const double middle = (s->sigma + s->sigma_next) / 2, half = (s->sigma_next - s->sigma) / (2 * sqrt (3));

  return (sumi_lagrange (n, nodes, j, middle - half) + sumi_lagrange (n, nodes, j, middle + half)) / 2;
}

static void
lms_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const Lms *o = s->options;
  SumiHistory slopes;
  double weights[SUMI_HISTORY];

  if (sumi_step_begin (s, ev, x))
    return;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_history_push (s, ev, sumi_step_noise_of (s, ev, x, s->x0), o->order, &slopes);
  for (int j = 0; j < slopes.n; j++)
    weights[j] = mean_lagrange (s, slopes.n, slopes.sigma, j);
  sumi_step_along (s, ev, slopes.n, weights, slopes.value, x);
}

const SumiSamplerClass sumi_sampler_lms = {
  .key = "lms",
  .label = N_ ("LMS"),
  .blurb = N_ ("Fourth order at one call a step; good from 15 steps on, restless below"),
  .paper = "Karras et al. 2022, arXiv 2206.00364, eq. 4, by Adams and Bashforth",
  .order = 4,
  .calls = 1,
  .n_state = SUMI_HISTORY,
  .options = options,
  .options_size = sizeof (Lms),
  .step = lms_step,
};
