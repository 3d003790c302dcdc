/* SPDX-License-Identifier: GPL-3.0-or-later */
/* iPNDM (Zhang and Chen 2023, arXiv 2204.13902, section 3.3): PNDM's Adams–Bashforth steps on the noise ε, begun with
 * the lower orders instead of Runge–Kutta steps, so one call a step throughout; as diff-sampler's and ComfyUI's
 * sample_ipndm. Conventions at the ends: the first step is Euler's, the next two take two and three values of ε; the
 * last step, to σ = 0, returns D.
 *
 * Of order 2 on every smooth list: the weights are those of equal steps.
 *
 * x: [N, H, W, C]; state[0…3]: ε */
#include <glib/gi18n-lib.h>

#include "core/base/option.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/multistep.h"
#include "core/diffusion/sampler.h"

typedef struct
{
  int order;
} Ipndm;

static const SumiOption options[] = {
  {
      .key = "order",
      .label = N_ ("_Order"),
      .blurb = N_ ("How many steps a multistep sampler looks at"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (Ipndm, order),
      .min = 1,
      .max = SUMI_HISTORY,
      .value = 4,
  },
  { NULL },
};

static void
ipndm_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const Ipndm *o = s->options;
  SumiHistory noises;

  if (sumi_step_edge (s, ev, x))
    return;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_history_push (s, ev, sumi_step_noise_of (s, ev, x, s->x0), o->order, &noises);
  sumi_step_along (s, ev, noises.n, sumi_adams_bashforth (noises.n), noises.value, x);
}

const SumiSamplerClass sumi_sampler_ipndm = {
  .key = "ipndm",
  .label = N_ ("iPNDM"),
  .blurb = N_ ("PNDM at one call a step from the first on; good at 8 to 15 steps"),
  .paper = "Zhang and Chen 2023, arXiv 2204.13902, section 3.3",
  .order = 2,
  .calls = 1,
  .n_state = SUMI_HISTORY,
  .options = options,
  .options_size = sizeof (Ipndm),
  .step = ipndm_step,
};
