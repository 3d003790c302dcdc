/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Potentials: one number that says how far a picture is from what is wanted (a loss), or how likely what is wanted is
 * (a classifier's ln p), and its gradient. Guidance pushes along it. States are [N, H, W, C], f32 or f64. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

struct SumiPotential
{
  /* @x: a clean picture for a loss, the noisy one for a classifier; @sigma ≥ 0: the noise level of the run, or of @x.
   * @value: (nullable) (out): the number, summed over everything.
   * Returns: (transfer none): its gradient with respect to @x, same shape, in @ev's scratch or living longer. May be
   * called while another denoiser's gradient is being worked out. */
  SumiTensor *(*gradient) (SumiPotential *self, SumiEval *ev, SumiTensor *x, double sigma, double *value);
};

/* Calls @self->gradient. A result of another shape is a sticky error; 0 in @value and nothing after one. */
SumiTensor *sumi_potential_gradient (SumiPotential *self, SumiEval *ev, SumiTensor *x, double sigma, double *value);

/* Σ map·(x0 − target)²/(2·v), v = std² + spread²·σ²/(spread² + σ²): colours wished for, where the map says so; −ln of a
 * Gaussian but for its constant. The spread, 0 at first, may be set to the standard deviation that clean values have:
 * v then counts what of x0 the noise still hides, which makes guidance of Gaussian data exact (Song et al. 2023,
 * "Pseudoinverse-guided diffusion models"). */
typedef struct
{
  SumiPotential potential;
  const SumiTensor *target; /* like x0 */
  const SumiTensor *map;    /* (nullable): [N, H, W, 1], ≥ 0; NULL: 1 everywhere */
  double std;               /* > 0, in the units of x0 */
  double spread;            /* ≥ 0, in the same */
} SumiTargetLoss;

void sumi_target_loss_init (SumiTargetLoss *self, const SumiTensor *target, const SumiTensor *map, double std);

/* Σ over samples and channels of (mean of the channel − wished mean)²/(2·std²): the picture's mean colour, whatever it
 * shows. */
typedef struct
{
  SumiPotential potential;
  const double *mean; /* [C] */
  int channels;
  double std; /* > 0, in the units of x0 */
} SumiToneLoss;

void sumi_tone_loss_init (SumiToneLoss *self, const double *mean, int channels, double std);

G_END_DECLS
