/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multistep consistency sampling (Song et al. 2023, arXiv 2303.01469, algorithm 1), as latent consistency models use it
 * (Luo et al. 2023, arXiv 2310.04378, algorithm 3): the clean picture, noised afresh to the next level:
 *   x' = D + σ'·z.
 * Exact for models whose answer is the end of the trajectory (consistency models). Of a denoiser, whose answer is a
 * mean, it loses variance with every step: on N(0, s²) the variance then obeys v' = (s²/(s² + σ²))²·v + σ'².
 * Conventions, diffusers': no first step of its own; the last, to σ = 0, returns D, without noise.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>

#include "core/diffusion/denoiser.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/variance.h"
#include "core/ops/ops.h"

static void
lcm_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  if (sumi_step_ends (s, ev, x))
    return;
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  /* x comes first because it is written to */
  sumi_lincomb (ev, 0, x, 1, s->x0, s->sigma_next, sumi_step_noise (s, ev, x, 0), x);
}

const SumiSamplerClass sumi_sampler_lcm = {
  .key = "lcm",
  .label = N_ ("LCM"),
  .blurb = N_ ("For consistency models alone: 1 to 8 steps"),
  .paper = "Luo et al. 2023, arXiv 2310.04378, algorithm 3",
  .calls = 1,
  .stochastic = TRUE,
  .step = lcm_step,
};
