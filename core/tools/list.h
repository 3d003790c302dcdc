/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One form of output for all lists of sumi list: a key, a description, and some more. */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

typedef struct
{
  GString *out;
  gboolean json;
} SumiList;

/* Begins an entry. @label: (nullable): in JSON only. @about: (nullable). */
void sumi_list_begin (SumiList *list, const char *key, const char *label, const char *about);
void sumi_list_end (SumiList *list);
/* One object of JSON. */
void sumi_list_option (SumiList *list, const SumiOption *option);

/* The mathematics, with papers, traits and settings. */
void sumi_list_samplers (SumiList *list);
void sumi_list_schedules (SumiList *list);
void sumi_list_processes (SumiList *list);
void sumi_list_guidance (SumiList *list);
void sumi_list_methods (SumiList *list);

G_END_DECLS
