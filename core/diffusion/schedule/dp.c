/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of n levels that is cheapest by the variational bound for one model, found by dynamic programming. Watson,
 * Ho, Norouzi and Chan 2021 (arXiv 2106.03802), algorithms 1 and 2.
 *
 * The cost of a step from σ to σ' is the divergence KL (q (x'|x, x0) ‖ p (x'|x)). In variance-exploding coordinates
 * both are Gaussians of variance V = σ'²·(σ² − σ'²)/σ² whose means differ by (1 − σ'²/σ²)·(x0 − D), so per value
 *
 *   L (σ, σ') = (1 − σ'²/σ²)²·E (x0 − D)²/(2V) = ½·(1/σ'² − 1/σ²)·E (x0 − D (x; σ))²,
 *
 * the form of variational diffusion models (Kingma et al. 2021, arXiv 2107.00630). With σ' → 0 that is
 * infinite: the last step is the reconstruction −ln p (x0|x) instead. A Gaussian of mean D and the best variance there,
 * E (x0 − D)², makes it ½·ln (2πe·E (x0 − D (x; σ_min))²); it depends on σ_min, which every list ends with, so it and
 * the prior's term at σ_max are the same for all lists and play no part in the choice.
 *
 * Candidates are GRID levels of equal ratios, and those of the Karras list of n, so that the result is never worse than
 * that by the cost. The bound cares for every detail of the data alike, seen or not: it favours more steps at low noise
 * than the eye. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/error.h"
#include "core/diffusion/errors.h"
#include "core/diffusion/schedule.h"
#include "core/diffusion/schedule/ratios.h"

#define MOST 1000 /* the search takes n·(GRID + n)² */
#define GRID 512

static int
falling (const void *a, const void *b)
{
  const double x = *(const double *) a, y = *(const double *) b;

  return (x < y) - (x > y);
}

/* Returns: how many there are, all different, the first σ_max and the last σ_min. @levels: [GRID + n + 1]. */
static int
make_candidates (int n, const SumiScheduleInput *input, double *levels)
{
  int count = 1;

  sumi_schedule_ratios (GRID, input, levels, NULL);
  sumi_karras_levels (n, 7, input->sigma_min, input->sigma_max, levels + GRID);
  qsort (levels, (gsize) (GRID + n), sizeof *levels, falling);
  for (int i = 1; i < GRID + n; i++)
    if (levels[i] < levels[count - 1] && levels[i] >= input->sigma_min)
      levels[count++] = levels[i];
  return count;
}

/* The cheapest way of exactly n − 1 steps from the first of @count @levels to the last. */
static void
find_path (int n, const SumiErrorTable *table, int count, const double *levels, double *sigmas)
{
  g_autofree double *error = g_new (double, count), *precision = g_new (double, count); /* 1/σ² */
  g_autofree double *best = g_new (double, count), *next = g_new (double, count);
  g_autofree int *from = g_new0 (int, (gsize) n *(gsize) count); /* [steps, level]: the level before */
  int at = count - 1;

  for (int i = 0; i < count; i++)
    {
      error[i] = sumi_error_at (table, levels[i]) / 2;
      precision[i] = 1 / (levels[i] * levels[i]);
      best[i] = i == 0 ? 0 : INFINITY;
    }
  for (int steps = 1; steps < n; steps++)
    {
      for (int to = 0; to < count; to++)
        {
          next[to] = INFINITY;
          for (int i = steps - 1; i < to; i++)
            {
              const double cost = best[i] + (precision[to] - precision[i]) * error[i];

              if (cost < next[to])
                {
                  next[to] = cost;
                  from[steps * count + to] = i;
                }
            }
        }
      {
        double *swap = best;

        best = next;
        next = swap;
      }
    }
  for (int steps = n - 1; steps >= 0; at = from[steps * count + at], steps--)
    sigmas[steps] = levels[at];
}

static gboolean
dp_sigmas (int n, const SumiScheduleInput *input, double *sigmas, GError **error)
{
  g_autofree double *levels = g_new (double, GRID + n + 1);
  int count;

  if (n > MOST)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                   "the schedule “dp” searches lists of at most %d steps, not %d: take fewer, or another schedule",
                   MOST, n);
      return FALSE;
    }
  if (! input->errors)
    {
      g_set_error (
          error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
          "the schedule “dp” needs a table of how well the model denoises, and there is no table for this model: "
          "run “sumi tune MODEL PHOTO...”, or take another schedule");
      return FALSE;
    }
  sigmas[0] = input->sigma_max;
  sigmas[n] = 0;
  if (n == 1)
    return TRUE;
  count = make_candidates (n, input, levels);
  if (count >= n)
    find_path (n, input->errors, count, levels, sigmas);
  else /* the ends are too near each other to part them */
    sumi_karras_levels (n, 7, input->sigma_min, input->sigma_max, sigmas);
  sigmas[n] = 0;
  return TRUE;
}

const SumiScheduleClass sumi_schedule_dp = {
  .key = "dp",
  .label = N_ ("Dynamic programme"),
  .blurb =
      N_ ("The list that costs a model least likelihood, found from a table that “sumi tune” measures; for ddpm and "
          "likelihood, less for the eye"),
  .paper = "Watson et al. 2021, arXiv 2106.03802",
  .needs_errors = TRUE,
  .sigmas = dp_sigmas,
};
