/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sumi.h"
#include "core/tools/json-out.h"
#include "core/tools/simulate.h"

#define MAX_PARTS 12
#define MAX_DIMS  8

/* ---- the truth ----------------------------------------------------------- */

void
sumi_simulation_moments (const SumiExact *data, double *mean, double *std)
{
  for (int c = 0; c < data->dims; c++)
    {
      double m = 0, v = 0;

      for (int k = 0; k < data->n; k++)
        m += data->weight[k] * data->mean[(gsize) k * (gsize) data->dims + (gsize) c];
      for (int k = 0; k < data->n; k++)
        {
          const double off = data->mean[(gsize) k * (gsize) data->dims + (gsize) c] - m;

          v += data->weight[k] * (data->std[k] * data->std[k] + off * off);
        }
      mean[c] = m;
      std[c] = sqrt (v);
    }
}

double
sumi_simulation_distribution (const SumiExact *data, int c, double value)
{
  double sum = 0;

  for (int k = 0; k < data->n; k++)
    {
      const double off = value - data->mean[(gsize) k * (gsize) data->dims + (gsize) c];

      sum += data->weight[k] * (data->std[k] > 0 ? erfc (-off / data->std[k] / G_SQRT2) / 2 : off >= 0);
    }
  return sum;
}

/* ---- JSON ---------------------------------------------------------------- */

static void
append_number (GString *json, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (json, isfinite (value) ? g_ascii_formatd (text, sizeof text, "%.17g", value) : "null");
}

static void
append_state (GString *json, const SumiSimulation *self, const double *x)
{
  const int dims = self->data->dims;

  g_string_append_c (json, '[');
  for (int i = 0; i < self->kept; i++)
    {
      g_string_append (json, i ? dims > 1 ? ", [" : ", " : dims > 1 ? "[" : "");
      for (int c = 0; c < dims; c++)
        {
          g_string_append (json, c ? ", " : "");
          append_number (json, *x++);
        }
      if (dims > 1)
        g_string_append_c (json, ']');
    }
  g_string_append_c (json, ']');
}

void
sumi_simulation_print_json (const SumiSimulation *self)
{
  const gsize size = (gsize) self->kept * (gsize) self->data->dims;
  g_autoptr (GString) json = g_string_new ("{\"sigmas\": [");

  for (int i = 0; i <= self->n_steps; i++)
    {
      g_string_append (json, i ? ", " : "");
      append_number (json, self->sigmas[i]);
    }
  g_string_append (json, "], \"states\": [");
  for (int i = 0; i <= self->n_steps; i++)
    {
      g_string_append (json, i ? ", " : "");
      append_state (json, self, self->states + (gsize) i * size);
      fwrite (json->str, 1, json->len, stdout);
      g_string_truncate (json, 0);
    }
  fputs ("]}\n", stdout);
}

/* ---- for people ---------------------------------------------------------- */

static void
print_row (const char *what, double truth, double found, double error)
{
  g_autofree char *wide = g_strdup_printf ("%-*s", 24 + (int) (strlen (what) - (gsize) g_utf8_strlen (what, -1)), what);

  printf ("  %s %12.5g %12.5g   ± %.2g\n", wide, truth, found, error);
}

/* Mean and standard deviation of coordinate @c, each with its standard error. */
static void
print_moments (const SumiSimulation *self, int c, double true_mean, double true_std)
{
  const gsize dims = (gsize) self->data->dims;
  g_autofree char *at = dims > 1 ? g_strdup_printf (" %d", c + 1) : g_strdup ("");
  g_autofree char *mean_of = g_strconcat (_ ("mean"), at, NULL);
  g_autofree char *std_of = g_strconcat (_ ("standard deviation"), at, NULL);
  double mean = 0, second = 0, fourth = 0;

  for (int i = 0; i < self->n; i++)
    mean += self->x[(gsize) i * dims + (gsize) c] / self->n;
  for (int i = 0; i < self->n; i++)
    {
      const double square = pow (self->x[(gsize) i * dims + (gsize) c] - mean, 2);

      second += square / self->n;
      fourth += square * square / self->n;
    }
  print_row (mean_of, true_mean, mean, sqrt (second / self->n));
  print_row (std_of, true_std, sqrt (second),
             second > 0 ? sqrt (MAX (fourth - second * second, 0) / (4 * second * self->n)) : 0);
}

static void
print_weights (const SumiSimulation *self)
{
  const SumiExact *data = self->truth;
  g_autofree double *share = g_new0 (double, data->n), *one = g_new (double, data->n);

  for (int i = 0; i < self->n; i++)
    {
      sumi_exact_responsibilities (data, self->x + (gsize) i * (gsize) data->dims, 0, one);
      for (int k = 0; k < data->n; k++)
        share[k] += one[k] / self->n;
    }
  for (int k = 0; k < data->n; k++)
    {
      g_autofree char *what = data->dims == 1 ? g_strdup_printf (_ ("share of the part at %.4g"), data->mean[k]) :
                                                g_strdup_printf (_ ("share of point %d"), k + 1);

      print_row (what, data->weight[k], share[k], sqrt (data->weight[k] * (1 - data->weight[k]) / self->n));
    }
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const double *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

/* Kolmogorov and Smirnov's distance. */
static void
print_distance (const SumiSimulation *self)
{
  g_autofree double *x = g_new (double, self->n);
  double most = 0;

  memcpy (x, self->x, sizeof (double) * (gsize) self->n);
  qsort (x, (gsize) self->n, sizeof (double), compare);
  for (int i = 0; i < self->n; i++)
    {
      const double p = sumi_simulation_distribution (self->truth, 0, x[i]);

      most = MAX (most, MAX (p - (double) i / self->n, (i + 1.0) / self->n - p));
    }
  printf (_ ("\n"
             "The distribution function is off by at most %.3g; that of as many true samples would be off by\n"
             "less than %.3g in 95 of 100 draws.\n"),
          most, 1.358 / sqrt (self->n));
}

static gboolean
is_smooth (const SumiExact *data)
{
  for (int k = 0; k < data->n; k++)
    if (data->std[k] <= 0)
      return FALSE;
  return TRUE;
}

/* From where to where each start value came. */
static void
print_ends (const SumiSimulation *self)
{
  const gsize dims = (gsize) self->data->dims;
  const double *from = self->states;

  printf ("  %26s   %26s\n", _ ("start"), _ ("end"));
  for (int i = 0; i < self->n; i++)
    for (gsize c = 0; c < dims; c++)
      printf ("  %26.17g   %26.17g\n", from[(gsize) i * dims + c], self->x[(gsize) i * dims + c]);
}

void
sumi_simulation_print (const SumiSimulation *self)
{
  const int dims = MIN (self->data->dims, MAX_DIMS);
  double mean[64], std[64];

  printf (_ ("%s: sampler %s, %d steps, schedule %s, σ from %.6g to %.6g, process %s\n"), self->options->data,
          self->plan.sampler->key, self->n_steps, self->plan.schedule->key, self->sigmas[0],
          self->sigmas[MAX (self->n_steps - 1, 0)], self->plan.process->key);
  printf (g_dngettext (GETTEXT_PACKAGE, "%d sample, the denoiser asked %d times\n\n",
                       "%d samples, the denoiser asked %d times\n\n", (gulong) self->n),
          self->n, (int) self->calls);
  if (self->truth != self->data)
    printf ("%s\n\n", self->wished ? _ ("The truth is that of the data given what is wished for.") :
                                     _ ("The truth is that of the condition alone."));
  if (self->kept == self->n && self->n <= 16)
    {
      print_ends (self);
      return;
    }
  sumi_simulation_moments (self->truth, mean, std);
  printf ("  %-24s %12s %12s\n", "", _ ("truth"), _ ("found"));
  for (int c = 0; c < dims; c++)
    print_moments (self, c, mean[c], std[c]);
  if (self->truth->n > 1 && self->truth->n <= MAX_PARTS)
    print_weights (self);
  if (self->data->dims == 1 && is_smooth (self->truth))
    print_distance (self);
}
