/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of samplers, schedules, processes, methods, guidances and preconditionings, made from the folders' lists.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/diffusion/guidance.h"
#include "core/diffusion/method.h"
#include "core/diffusion/precond.h"
#include "core/diffusion/process.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/schedule.h"

#define SUMI_ROW(name) extern const SumiSamplerClass sumi_sampler_##name;
#include "core/diffusion/sampler/sampler-rows.h"
#undef SUMI_ROW
#define SUMI_ROW(name) extern const SumiScheduleClass sumi_schedule_##name;
#include "core/diffusion/schedule/schedule-rows.h"
#undef SUMI_ROW
#define SUMI_ROW(name) extern const SumiProcessClass sumi_process_##name;
#include "core/diffusion/process/process-rows.h"
#undef SUMI_ROW
#define SUMI_ROW(name) extern const SumiMethodClass sumi_method_##name;
#include "core/diffusion/method/method-rows.h"
#undef SUMI_ROW
#define SUMI_ROW(name) extern const SumiGuidanceClass sumi_guidance_##name;
#include "core/diffusion/guidance/guidance-rows.h"
#undef SUMI_ROW
#define SUMI_ROW(name) extern const SumiPrecondClass sumi_precond_##name;
#include "core/diffusion/precond/precond-rows.h"
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

static const SumiProcessClass *const processes[] = {
#define SUMI_ROW(name) &sumi_process_##name,
#include "core/diffusion/process/process-rows.h"
#undef SUMI_ROW
  NULL
};

static const SumiMethodClass *const methods[] = {
#define SUMI_ROW(name) &sumi_method_##name,
#include "core/diffusion/method/method-rows.h"
#undef SUMI_ROW
  NULL
};

static const SumiGuidanceClass *const guidances[] = {
#define SUMI_ROW(name) &sumi_guidance_##name,
#include "core/diffusion/guidance/guidance-rows.h"
#undef SUMI_ROW
  NULL
};

static const SumiPrecondClass *const preconds[] = {
#define SUMI_ROW(name) &sumi_precond_##name,
#include "core/diffusion/precond/precond-rows.h"
#undef SUMI_ROW
  NULL
};

/* A row of any table begins with its key. */
static gconstpointer
find (gconstpointer const *rows, const char *what, const char *key, GError **error)
{
  g_autoptr (GString) all = g_string_new (NULL);

  for (int i = 0; rows[i]; i++)
    {
      const char *row = *(const char *const *) rows[i];

      if (! g_strcmp0 (row, key))
        return rows[i];
      g_string_append_printf (all, "%s%s", i ? ", " : "", row);
    }
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "there is no %s “%s”; there are %s", what, key, all->str);
  return NULL;
}

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

const SumiProcessClass *const *
sumi_processes (void)
{
  return processes;
}

const SumiMethodClass *const *
sumi_methods (void)
{
  return methods;
}

const SumiGuidanceClass *const *
sumi_guidances (void)
{
  return guidances;
}

const SumiPrecondClass *const *
sumi_preconds (void)
{
  return preconds;
}

const SumiSamplerClass *
sumi_sampler_find (const char *key, GError **error)
{
  return find ((gconstpointer const *) samplers, "sampler", key, error);
}

const SumiScheduleClass *
sumi_schedule_find (const char *key, GError **error)
{
  return find ((gconstpointer const *) schedules, "schedule", key, error);
}

const SumiProcessClass *
sumi_process_find (const char *key, GError **error)
{
  return find ((gconstpointer const *) processes, "process", key, error);
}

const SumiMethodClass *
sumi_method_find (const char *key, GError **error)
{
  return find ((gconstpointer const *) methods, "method", key, error);
}

const SumiGuidanceClass *
sumi_guidance_find (const char *key, GError **error)
{
  return find ((gconstpointer const *) guidances, "guidance", key, error);
}

const SumiPrecondClass *
sumi_precond_find (const char *key, GError **error)
{
  return find ((gconstpointer const *) preconds, "preconditioning", key, error);
}
