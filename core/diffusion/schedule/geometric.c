/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A geometric sequence of σ, then 0: NCSN's levels (its ten go from 1 to 0.01). The same list as exponential and
 * lambda.
 *
 * NCSNv2's rules (Song and Ermon 2020, arXiv 2006.09011) for who chooses range and number: σ_max near the largest
 * distance between two pictures of the data (technique 1); and a ratio γ between neighbours for which, in D dimensions,
 * Φ(√(2D)·(γ − 1) + 3γ) − Φ(√(2D)·(γ − 1) − 3γ) ≈ 0.5 (technique 2): D = 3·32² takes γ ≈ 1.04, hundreds of levels. */
#include <glib/gi18n-lib.h>

#include "core/diffusion/schedule.h"
#include "core/diffusion/schedule/ratios.h"

const SumiScheduleClass sumi_schedule_geometric = {
  .key = "geometric",
  .label = N_ ("Geometric"),
  .blurb = N_ ("The geometric levels of annealed Langevin sampling, for ald and cas; the same levels as exponential"),
  .paper = "Song and Ermon 2019, arXiv 1907.05600, section 4.3",
  .sigmas = sumi_schedule_ratios,
};
