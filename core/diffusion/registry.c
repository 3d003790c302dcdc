/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "core/base/error.h"
#include "core/diffusion/sampler.h"

#define SUMI_ROW(name) extern const SumiSamplerClass sumi_sampler_##name;
#include "core/diffusion/sampler/sampler-rows.h"
#undef SUMI_ROW
#define SUMI_ROW(name) extern const SumiScheduleClass sumi_schedule_##name;
#include "core/diffusion/schedule/schedule-rows.h"
#undef SUMI_ROW

static const SumiSamplerClass *const samplers[] = {
#define SUMI_ROW(name) &sumi_sampler_##name,
#include "core/diffusion/sampler/sampler-rows.h"
#undef SUMI_ROW
  NULL
};

static const SumiScheduleClass *const schedules[] = {
#define SUMI_ROW(name) &sumi_schedule_##name,
#include "core/diffusion/schedule/schedule-rows.h"
#undef SUMI_ROW
  NULL
};

const SumiSamplerClass *const *
sumi_samplers (void)
{
  return samplers;
}

const SumiScheduleClass *const *
sumi_schedules (void)
{
  return schedules;
}

const SumiSamplerClass *
sumi_sampler_find (const char *key, GError **error)
{
  GString *all = NULL;

  for (int i = 0; samplers[i]; i++)
    if (! strcmp (samplers[i]->key, key))
      return samplers[i];
  all = g_string_new (NULL);
  for (int i = 0; samplers[i]; i++)
    g_string_append_printf (all, "%s%s", i ? ", " : "", samplers[i]->key);
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "there is no sampler “%s”; there are %s", key, all->str);
  g_string_free (all, TRUE);
  return NULL;
}

const SumiScheduleClass *
sumi_schedule_find (const char *key, GError **error)
{
  GString *all = NULL;

  for (int i = 0; schedules[i]; i++)
    if (! strcmp (schedules[i]->key, key))
      return schedules[i];
  all = g_string_new (NULL);
  for (int i = 0; schedules[i]; i++)
    g_string_append_printf (all, "%s%s", i ? ", " : "", schedules[i]->key);
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "there is no schedule “%s”; there are %s", key, all->str);
  g_string_free (all, TRUE);
  return NULL;
}
