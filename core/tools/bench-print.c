/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/bench-print.h"

#include <glib/gi18n-lib.h>
#include <stdio.h>

#include "core/bench/shape.h"
#include "core/tools/json-out.h"

/* columns of names */
#define NAME 40

/* The same share of the peak, had the row's threads run alone and all the time. */
static double
cpu_share (const SumiBenchRow *row)
{
  return row->flops * row->threads / row->time.cpu / row->peak;
}

static gboolean
has_serial (const SumiBenchRow *row)
{
  return row->time.runs && row->serial >= 0 &&
         (row->section == SUMI_BENCH_NETWORKS || row->section == SUMI_BENCH_TASKS);
}

/* ---- JSON ------------------------------------------------------------- */

static void
print_json_shape (GString *json, const SumiBenchShape *shape)
{
  const struct
  {
    const char *key;
    int value;
  } sizes[] = {
    { "height", shape->height }, { "width", shape->width }, { "rows", shape->rows }, { "keys", shape->keys },
    { "heads", shape->heads },   { "ci", shape->ci },       { "co", shape->co },     { "kernel", shape->kernel },
    { "stride", shape->stride }, { "pad", shape->pad },
  };

  sumi_json_out_open (json, "shape", '{');
  sumi_json_out_string (json, "op", shape->op->key);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    sumi_json_out_int (json, sizes[i].key, sizes[i].value);
  sumi_json_out_close (json, '}');
}

static void
print_json_times (GString *json, const SumiBenchRow *row)
{
  if (! row->time.runs)
    return;
  sumi_json_out_int (json, "runs", row->time.runs);
  sumi_json_out_double (json, "best_s", row->time.best);
  sumi_json_out_double (json, "median_s", row->time.median);
  sumi_json_out_double (json, "cpu_s", row->time.cpu);
  if (row->flops > 0)
    sumi_json_out_double (json, "gflop_per_s", 1e-9 * row->flops / row->time.best);
  if (row->bytes > 0)
    sumi_json_out_double (json, "gb_per_s", 1e-9 * row->bytes / row->time.best);
  if (row->peak > 0)
    {
      sumi_json_out_double (json, "share_of_peak", row->flops / row->time.best / row->peak);
      sumi_json_out_double (json, "share_of_peak_by_cpu", cpu_share (row));
    }
}

static void
print_json_row (const SumiBenchRow *row, gboolean first)
{
  g_autoptr (GString) json = g_string_new ("{");

  sumi_json_out_string (json, "section", sumi_bench_sections[row->section]);
  if (row->network)
    sumi_json_out_string (json, "network", row->network);
  sumi_json_out_string (json, "name", row->name);
  if (row->kind)
    sumi_json_out_string (json, "kind", row->kind);
  sumi_json_out_bool (json, "sum", row->sum);
  sumi_json_out_int (json, "threads", row->threads);
  sumi_json_out_int (json, "count", row->count);
  sumi_json_out_double (json, "gflop", 1e-9 * row->flops);
  sumi_json_out_double (json, "bytes", row->bytes);
  print_json_times (json, row);
  if (row->memory)
    sumi_json_out_int (json, "memory", (gint64) row->memory);
  for (int k = 0; k < SUMI_BENCH_N_KINDS; k++)
    if (row->share[k] > 0)
      {
        g_autofree char *key = g_strdup_printf ("share_%s", sumi_bench_kinds[k]);

        sumi_json_out_double (json, key, row->share[k]);
      }
  if (has_serial (row))
    {
      sumi_json_out_double (json, "serial", row->serial);
      sumi_json_out_double (json, "speedup_64_at_most", row->most_64);
    }
  if (row->shape)
    print_json_shape (json, row->shape);
  sumi_json_out_close (json, '}');
  printf ("%s%s", first ? "{\"rows\": [" : ", ", json->str);
}

/* ---- tables ----------------------------------------------------------- */

/* Right-aligned number with @digits significant digits, or blanks. */
static void
print_number (int width, double value, int digits)
{
  g_autofree char *text = value > 0 ? g_strdup_printf ("%.*f",
                                                       value >= 100 ? 0 :
                                                       value >= 10  ? 1 :
                                                                      digits,
                                                       value) :
                                      g_strdup ("");

  printf (" %*s", width, text);
}

static void
print_head (void)
{
  printf ("  %-*s %4s %9s %9s %9s %8s %8s %7s %7s %9s %9s %9s\n", NAME, "", _ ("n"), _ ("best ms"), _ ("median ms"),
          _ ("cpu ms"), _ ("GFLOP/s"), _ ("GB/s"), _ ("peak %"), _ ("cpu %"), _ ("n × best"), _ ("n × GFLOP"),
          _ ("MB"));
}

static void
print_table_row (const SumiBenchRow *row)
{
  const SumiBenchTime *t = &row->time;
  g_autofree char *name = g_strdup_printf ("%s%s%s%s", row->sum ? "= " : "", row->network ? row->network : "",
                                           row->network ? " " : "", row->name);

  printf ("  %-*s ", NAME, name);
  printf (row->count > 1 ? "%4d" : "    ", row->count);
  print_number (9, 1e3 * t->best, 3);
  print_number (9, 1e3 * t->median, 3);
  print_number (9, 1e3 * t->cpu, 3);
  print_number (8, t->runs ? 1e-9 * row->flops / t->best : 0, 1);
  print_number (8, t->runs ? 1e-9 * row->bytes / t->best : 0, 1);
  print_number (7, t->runs && row->peak > 0 ? 100 * row->flops / t->best / row->peak : 0, 1);
  print_number (7, t->runs && row->peak > 0 ? 100 * cpu_share (row) : 0, 1);
  print_number (9, row->count * 1e3 * t->best, 3);
  print_number (9, 1e-9 * row->count * row->flops, 3);
  print_number (9, 1e-6 * (double) row->memory, 1);
  for (int k = 0; k < SUMI_BENCH_N_KINDS; k++)
    if (row->share[k] > 0)
      printf ("  %s %.1f %%", sumi_bench_kinds[k], 100 * row->share[k]);
  if (has_serial (row))
    printf (_ ("  serial %.1f %%, 64 threads: × %.0f at most"), 100 * row->serial, row->most_64);
  putchar ('\n');
}

void
sumi_bench_print_section (SumiBenchPrint *print, SumiBenchSection section, const char *title)
{
  if (print->json)
    return;
  print->n_sections++;
  printf ("%s%s\n", print->n_sections > 1 ? "\n" : "", title);
  print_head ();
}

void
sumi_bench_print_row (SumiBench *bench, const SumiBenchRow *row)
{
  SumiBenchPrint *print = bench->user_data;

  if (print->json)
    print_json_row (row, ! print->rows);
  else
    print_table_row (row);
  print->rows++;
  fflush (stdout);
}

void
sumi_bench_print_end (const SumiBench *bench)
{
  const SumiBenchPrint *print = bench->user_data;

  if (print->json)
    printf ("], \"precision\": \"%s\", \"peak_memory\": %" G_GSIZE_FORMAT "}\n", bench->bf16 ? "bf16" : "f32",
            sumi_bench_get_peak_memory ());
  else
    printf (_ ("\nmemory at the peak: %.0f MB\n"), 1e-6 * (double) sumi_bench_get_peak_memory ());
}
