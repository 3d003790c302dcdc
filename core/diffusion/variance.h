/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much of a step's noise is fresh: what the stochastic samplers share. */
#pragma once

#include "core/base/option.h"
#include "core/base/types.h"

G_BEGIN_DECLS

/* Parts σ_next into a level to fall to and fresh noise, down² + up² = σ_next², as k-diffusion's get_ancestral_step():
 * up = η·σ_next·√(1 − σ_next²/σ²), which is the posterior's for η = 1, at most σ_next. */
void sumi_ancestral_split (double sigma, double sigma_next, double eta, double *down, double *up);

/* The settings of the samplers that are called ancestral: η, and a scale of the fresh noise. */
typedef struct
{
  double eta, s_noise;
} SumiAncestral;

extern const SumiOption sumi_ancestral_options[];

/* The choices of a sampler's setting "variance": posterior, beta, analytic. */
extern const SumiChoice sumi_variance_choices[];

/* The standard deviation of the noise that follows the step x' = D + √(σ_next² − λ²)·(x − D)/σ, 0 ≤ λ ≤ σ_next, by the
 * variance
 *   posterior: λ²
 *   beta: η²·(α/α_next)²·(σ² − σ_next²): η² of what the process adds from σ_next to σ (DDPM's β over ᾱ_next), where
 *         η² = λ²/(σ_next²·(1 − σ_next²/σ²))
 *   analytic: λ² + (σ − √(σ_next² − λ²))²·(1 − Γ): Bao et al. 2022 (arXiv 2201.06503, theorem 1 over ᾱ_next), with
 *         Γ = mean ε², ε = (x − D)/σ, of this very call instead of a table kept per model, clipped to [0, 1], the
 *         bounds of theorem 2. Their further bound for data in [a, b] is left out: states have no such range here.
 * @x, @x0: the state and D (x; σ). */
double sumi_step_deviation (const SumiStep *step,
                            SumiEval *ev,
                            const char *variance,
                            double lambda,
                            const SumiTensor *x,
                            const SumiTensor *x0);

/* The step to σ_next = 0: x = D (x; σ); nothing where σ is 0 already. Returns: whether σ_next is 0. */
gboolean sumi_step_ends (SumiStep *step, SumiEval *ev, SumiTensor *x);

/* Where a step of the reverse SDE starts or ends, in the process' own time and coordinates X = α·x. */
typedef struct
{
  double t, alpha;
  double std;   /* of X's noise: α·σ */
  double drift; /* f */
  double g2;    /* g² */
} SumiInstant;

SumiInstant sumi_process_instant (const SumiProcessClass *process, double sigma);

G_END_DECLS
