/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Align Your Steps: lists that were found by minimising a bound on the sampler's error for one model each. Sabour,
 * Fidler and Kreis 2024 (arXiv 2404.14507), table 3: eleven levels for ten steps; for n steps n + 1 levels are read off
 * the list with ln σ linear between its entries, and the last one is 0 instead, as its authors and the public libraries
 * do.
 *
 * For another range than the list's own, ln σ is stretched so that the list's ends fall on σ_max and σ_min. Because its
 * last level gives way to 0, the list ends above σ_min. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "core/base/option.h"
#include "core/diffusion/schedule.h"

#define LEVELS 11

typedef struct
{
  char *list;
} Ays;

static const SumiChoice lists[] = {
  { "sd15", N_ ("Stable Diffusion 1.5") },
  { "sdxl", N_ ("Stable Diffusion XL") },
  { "svd", N_ ("Stable Video Diffusion") },
  { NULL },
};

/* In the order of the choices. */
static const double levels[][LEVELS] = {
  { 14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029 },
  { 14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029 },
  { 700.00, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002 },
};

static const SumiOption options[] = {
  {
      .key = "list",
      .label = N_ ("_List"),
      .blurb = N_ ("Model whose list is taken"),
      .type = SUMI_OPTION_CHOICE,
      .offset = G_STRUCT_OFFSET (Ays, list),
      .text = "sd15",
      .choices = lists,
  },
  { NULL },
};

static gboolean
ays_sigmas (int n, const SumiScheduleInput *input, double *sigmas, GError **error)
{
  const Ays *o = input->options;
  const double *own = levels[0];
  double scale;

  for (int i = 0; lists[i].key; i++)
    if (! strcmp (lists[i].key, o->list))
      own = levels[i];
  scale = log (input->sigma_max / input->sigma_min) / log (own[0] / own[LEVELS - 1]);
  for (int i = 0; i < n; i++)
    {
      const double at = (LEVELS - 1.0) * i / n;
      const int k = (int) at;
      const double fallen = (1 - (at - k)) * log (own[k] / own[0]) + (at - k) * log (own[k + 1] / own[0]);

      sigmas[i] = input->sigma_max * exp (scale * fallen);
    }
  sigmas[n] = 0;
  return TRUE;
}

const SumiScheduleClass sumi_schedule_ays = {
  .key = "ays",
  .label = N_ ("Align Your Steps"),
  .blurb = N_ ("Lists tuned for Stable Diffusion at ten steps, stretched to the model's range; for latent models"),
  .paper = "Sabour, Fidler and Kreis 2024, arXiv 2404.14507, table 3",
  .options = options,
  .options_size = sizeof (Ays),
  .sigmas = ays_sigmas,
};
