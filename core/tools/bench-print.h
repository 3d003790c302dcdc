/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of the bench as tables, or as one object of JSON. */
#pragma once

#include "core/bench/bench.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean json;
  int rows, n_sections; /* printed so far */
} SumiBenchPrint;

void sumi_bench_print_section (SumiBenchPrint *print, SumiBenchSection section, const char *title);
/* For SumiBench.row; its user_data is the SumiBenchPrint. */
void sumi_bench_print_row (SumiBench *bench, const SumiBenchRow *row);
void sumi_bench_print_end (const SumiBench *bench);

G_END_DECLS
