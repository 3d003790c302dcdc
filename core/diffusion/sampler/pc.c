/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Predictor–corrector sampling (Song et al. 2021, arXiv 2011.13456, algorithms 1 to 5) in the coordinates X = α·x of
 * the chosen process, where the score of X is s = (D − x)/(α·σ²).
 *
 * Predictors, with the process' own transition X_t = a·X_t' + √v·z, a = α/α', v = α²·(σ² − σ'²):
 *   reverse-diffusion: X' = X − (a − 1)·X + v·s + √v·z (eq. 46)
 *   ancestral: X' = (X + v·s)/a + noise, for α = 1 of the posterior's variance, else of v (appendix F)
 *   em: Euler and Maruyama's step, see em.c
 * In sub-VP, where score_sde's reverse diffusion falls back to em and it has no ancestral one, the exact transition is
 * taken, as for the others.
 * Corrector: Langevin steps X += e·s + √(2e)·z with e = 2·A·(snr·|z|/|s|)², A = 1 where the signal keeps its scale and
 * α_t = 1 − β_t, here (α/α')² of the step, where it does not. Norms are means over the pictures of a batch.
 *
 * Conventions, score_sde's: in every step the corrector comes first, at σ, the predictor after it, so in the first step
 * too; the last predictor, to σ = 0, leaves the noise out: D of the corrected state.
 *
 * x: [N, H, W, C] */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "core/base/option.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/variance.h"
#include "core/ops/ops.h"

typedef struct
{
  char *predictor;
  int corrector_steps;
  double snr;
} Pc;

static const SumiChoice predictors[] = {
  { "reverse-diffusion", N_ ("Reverse diffusion") },
  { "ancestral", N_ ("Ancestral") },
  { "em", N_ ("Euler–Maruyama") },
  { NULL, NULL },
};

static const SumiOption options[] = {
  {
      .key = "predictor",
      .label = N_ ("_Predictor"),
      .blurb = N_ ("The step from one noise level to the next"),
      .type = SUMI_OPTION_CHOICE,
      .offset = G_STRUCT_OFFSET (Pc, predictor),
      .text = "reverse-diffusion",
      .choices = predictors,
  },
  {
      .key = "corrector-steps",
      .label = N_ ("_Corrector steps"),
      .blurb = N_ ("Langevin steps at each noise level; each costs a call"),
      .type = SUMI_OPTION_INT,
      .offset = G_STRUCT_OFFSET (Pc, corrector_steps),
      .max = 32,
      .value = 1,
  },
  {
      .key = "snr",
      .label = N_ ("_Signal to noise"),
      .blurb = N_ ("Size of a Langevin step: its pull over its noise"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Pc, snr),
      .max = 1,
      .value = 0.16,
  },
  { NULL },
};

/* One Langevin step at σ; @damp: A of the head comment; @draw: of its noise. */
static void
correct (SumiStep *s, SumiEval *ev, SumiTensor *x, double alpha, double damp, int draw)
{
  const Pc *o = s->options;
  const double scale = 1 / (alpha * s->sigma * s->sigma); /* s = scale·(D − x) */
  const SumiTensor *noise = sumi_step_noise (s, ev, x, draw), *rest;
  double score_norm, ratio, e;

  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  rest = sumi_lincomb (ev, scale, s->x0, -scale, x, 0, NULL, NULL);
  score_norm = sumi_mean_norm (ev, rest);
  if (score_norm <= 0) /* nothing pulls: a step of any length would be noise alone */
    return;
  ratio = o->snr * sumi_mean_norm (ev, noise) / score_norm;
  e = 2 * damp * ratio * ratio;
  sumi_lincomb (ev, 1, x, e / alpha, rest, sqrt (2 * e) / alpha, noise, x);
}

/* x' = keep·x + pull·D + fresh·z, all in x. */
typedef struct
{
  double keep, pull, fresh;
} Move;

static Move
predict (const SumiStep *s, const SumiInstant *now)
{
  const Pc *o = s->options;
  const double t_next = s->process->time (s->sigma_next), alpha_next = s->process->alpha (t_next);
  const double a = now->alpha / alpha_next, dt = t_next - now->t;
  /* v/α'² over σ² is how far a step goes towards D, times a */
  const double gap = (s->sigma - s->sigma_next) * (s->sigma + s->sigma_next), part = gap / (s->sigma * s->sigma);

  if (! strcmp (o->predictor, "ancestral"))
    return (Move){ 1 - part, part, now->alpha == alpha_next ? s->sigma_next * sqrt (part) : a * sqrt (gap) };
  if (! strcmp (o->predictor, "em"))
    {
      const double pull = -now->g2 * dt / (now->alpha * alpha_next * s->sigma * s->sigma);

      return (Move){ a * (1 + now->drift * dt) - pull, pull, sqrt (-now->g2 * dt) / alpha_next };
    }
  return (Move){ a * (2 - a) - a * part, a * part, a * sqrt (gap) };
}

static void
pc_step (SumiStep *s, SumiEval *ev, SumiTensor *x)
{
  const Pc *o = s->options;
  SumiInstant now;
  double alpha_next;
  Move m;

  if (s->sigma <= 0)
    return;
  now = sumi_process_instant (s->process, s->sigma);
  alpha_next = s->sigma_next > 0 ? s->process->alpha (s->process->time (s->sigma_next)) : 1;
  for (int i = 0; i < o->corrector_steps; i++)
    correct (s, ev, x, now.alpha, (now.alpha / alpha_next) * (now.alpha / alpha_next), i + 1);
  if (sumi_step_ends (s, ev, x) || s->sigma <= s->sigma_next)
    return;
  m = predict (s, &now);
  s->x0 = sumi_denoise (s->denoiser, ev, x, s->sigma);
  sumi_lincomb (ev, m.keep, x, m.pull, s->x0, m.fresh, sumi_step_noise (s, ev, x, 0), x);
}

const SumiSamplerClass sumi_sampler_pc = {
  .key = "pc",
  .label = N_ ("Predictor–corrector"),
  .blurb = N_ ("A step of the reverse SDE, mended by Langevin's; what score SDE models were tuned for, at 500 steps"),
  .paper = "Song et al. 2021, arXiv 2011.13456, algorithms 1 to 5",
  .calls = 2,
  .stochastic = TRUE,
  .options = options,
  .options_size = sizeof (Pc),
  .step = pc_step,
};
