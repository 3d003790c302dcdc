/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cleaning of noise and JPEG wear without a model, as a first pass under one: thresholding of overlapping 8 × 8 DCT
 * blocks in decorrelated colours (Yu and Sapiro, "DCT image denoising", IPOL 2011). */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Context around a pixel that its result depends on. */
#define SUMI_CLEAN_MARGIN 8

/* The noise that a strength in [0, 1] stands for: its σ in [0, 1] colours; and the part that is left after cleaning,
 * in the models' [−1, 1] units. */
double sumi_clean_sigma (double strength);
double sumi_clean_left (double strength);

/* Returns: σ of the noise in the first channel of @pixels, from the median of the finest diagonal differences (Donoho
 * and Johnstone 1994); texture counts as noise. */
double sumi_noise_sigma (const SumiImage *pixels);

/* Cleans the first three channels of @pixels (3 or 4) in place.
 * @x, @y: where its first pixel lies in the whole picture: blocks keep to an absolute grid. Results are those of the
 *   whole picture but for the outer %SUMI_CLEAN_MARGIN pixels.
 * @sigma: of the noise in each colour, independent; noise that is the same in all three counts √3 times
 * R = G = B stays so. */
gboolean sumi_clean (SumiPool *pool, SumiImage *pixels, int x, int y, double sigma, GError **error);

G_END_DECLS
