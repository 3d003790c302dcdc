/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan: sampler, schedule, process, method and guidance by name, with their settings, checked; and the loop made from
 * it. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* Names; NULL, "" and "auto" mean what the caller set before as the default. */
typedef struct
{
  const char *sampler, *schedule, *process, *method;
  const char *settings; /* (nullable): "eta=0.5, rho=5": settings of any of these, see sumi_settings_check() */
  const char *guidance; /* one or more, the innermost first: "cfg, dynamic-threshold" */
} SumiPlanNames;

#define SUMI_PLAN_GUIDANCES 4

typedef struct
{
  const SumiSamplerClass *sampler;
  const SumiScheduleClass *schedule;
  const SumiProcessClass *process;
  const SumiMethodClass *method;                              /* NULL: none */
  gpointer sampler_options, schedule_options, method_options; /* owned; NULL where a class has none */
  int n_guidances;                                            /* the innermost first */
  const SumiGuidanceClass *guidances[SUMI_PLAN_GUIDANCES];
  gpointer guidance_options[SUMI_PLAN_GUIDANCES]; /* owned; NULL where a class has none */
} SumiPlan;

/* Whether @name leaves the choice to others: NULL, "" or "auto". */
gboolean sumi_plan_is_auto (const char *name);

/* @names, what is unset from @defaults; there, an unset process is "edm" and an unset method or guidance
 * none.
 * Fails with %SUMI_ERROR_OPTION. On failure @plan is cleared. */
gboolean sumi_plan_init (SumiPlan *plan, const SumiPlanNames *names, const SumiPlanNames *defaults, GError **error);
void sumi_plan_clear (SumiPlan *plan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SumiPlan, sumi_plan_clear)

/* The plan's schedule; see SumiScheduleClass.sigmas. @errors: (nullable). Returns: (transfer full): @n + 1 numbers. */
double *sumi_plan_dup_sigmas (const SumiPlan *plan,
                              int n,
                              double sigma_min,
                              double sigma_max,
                              const SumiErrorTable *errors,
                              GError **error);

/* Puts the plan's guidances on @parts->base, each on the one before; those that take conditions, a loss or a classifier
 * take those of @parts. @plan and what @parts point to stay borrowed. @guidance: (out) (transfer full): the outermost,
 * whose denoiser is for the loop; NULL where the plan has none. Fails as sumi_guidance_new(), or where conditions were
 * given that no guidance of the plan takes. */
gboolean sumi_plan_guide (const SumiPlan *plan,
                          const SumiGuidanceParts *parts,
                          const char *who,
                          SumiGuidance **guidance,
                          GError **error);

/* ---- settings ------------------------------------------------------------ */

/* Returns: (transfer full): a struct of @size for @table with the defaults and what @text says of its keys; keys of
 * other tables are passed over. NULL without a table. Fails with %SUMI_ERROR_OPTION. */
gboolean sumi_settings_new (const SumiOption *table, gsize size, const char *text, gpointer *values, GError **error);
void sumi_settings_free (const SumiOption *table, gpointer values);

/* Fails with %SUMI_ERROR_OPTION if @text has a key that is in none of the @n @tables (each nullable), listing theirs.
 */
gboolean sumi_settings_check (const char *text, const SumiOption *const *tables, int n, GError **error);

/* Returns: (nullable): the first row called @key in the tables of all samplers, schedules and methods. */
const SumiOption *sumi_setting_find (const char *key);

G_END_DECLS
