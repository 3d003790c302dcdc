/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way back, from data to noise: likelihoods, and the noise that a picture comes from. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/sumi.h"
#include "core/tools/json-out.h"
#include "core/tools/simulate.h"

/* What is printed: columns of numbers below their names; in JSON members of objects. */
typedef struct
{
  GString *out;
  gboolean json;
} Table;

static void
add_number (Table *t, const char *key, const double *value, int n)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (t->json)
    g_string_append_printf (t->out, "%s\"%s\": %s", g_str_has_suffix (t->out->str, "{") ? "" : ", ", key,
                            n > 1 ? "[" : "");
  for (int i = 0; i < n; i++)
    {
      g_ascii_formatd (text, sizeof text, t->json ? "%.17g" : "%.9g", value[i]);
      if (t->json)
        g_string_append_printf (t->out, "%s%s", i ? ", " : "", isfinite (value[i]) ? text : "null");
      else
        g_string_append_printf (t->out, "%*s", i ? 14 : 17, text);
    }
  if (t->json && n > 1)
    g_string_append_c (t->out, ']');
}

static void
add_name (Table *t, const char *name, int n)
{
  const int missing = (int) (strlen (name) - (gsize) g_utf8_strlen (name, -1));

  if (! t->json)
    g_string_append_printf (t->out, "%*s", 17 + 14 * (n - 1) + missing, name);
}

static void
begin_row (Table *t)
{
  if (t->json)
    g_string_append (t->out, g_str_has_suffix (t->out->str, "}") ? ", {" : "{");
}

static void
end_row (Table *t)
{
  g_string_append_c (t->out, t->json ? '}' : '\n');
}

static void
begin (Table *t, const char *key, const char *title)
{
  if (t->json)
    g_string_append_printf (t->out, "%s\"%s\": [", g_str_has_suffix (t->out->str, "{") ? "" : ", ", key);
  else
    g_string_append_printf (t->out, "%s%s\n", t->out->len ? "\n" : "", title);
}

static void
end (Table *t)
{
  if (t->json)
    g_string_append_c (t->out, ']');
}

/* ---- likelihood ---------------------------------------------------------- */

static gboolean
add_likelihood (SumiSimulation *self, SumiEval *ev, Table *t, GError **error)
{
  const int dims = self->data->dims;
  const SumiLikelihood how = {
    .sigma_min = self->sigmas[self->n_steps - 1],
    .sigma_max = self->sigmas[0],
    .rtol = 1e-7,
    .atol = 1e-7,
  };
  g_autofree char *title = g_strdup_printf (
      _ ("Bits per dimension of the data with noise of σ = %.4g, by the ODE from there to σ = %.4g, and exactly"),
      how.sigma_min, how.sigma_max);
  g_autofree double *x = NULL;
  int n = 0;

  x = sumi_simulation_parse ("--likelihood", self->options->likelihood, dims, &n, error);
  if (! x)
    return FALSE;
  if (! (how.sigma_min < how.sigma_max))
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                   _ ("--likelihood: the list of %d steps has σ = %g alone above 0; take --steps 2 or more"),
                   self->n_steps, how.sigma_max);
      return FALSE;
    }
  begin (t, "likelihood", title);
  add_name (t, _ ("value"), dims);
  add_name (t, _ ("by the ODE"), 1);
  add_name (t, _ ("exact"), 1);
  if (! t->json)
    end_row (t);
  for (int i = 0; i < n; i++)
    {
      double *one = x + (gsize) i * (gsize) dims, bits = 0;
      const double exact = -sumi_exact_log_density (self->data, one, how.sigma_min) / G_LN2 / dims;
      const SumiTensor state = { SUMI_DTYPE_F64, 4, { 1, 1, 1, dims }, one, NULL };

      if (! sumi_likelihood_bits (&self->data->denoiser, ev, &state, &how, NULL, &bits, error))
        return FALSE;
      begin_row (t);
      add_number (t, "value", one, dims);
      add_number (t, "bits", &bits, 1);
      add_number (t, "exact", &exact, 1);
      end_row (t);
    }
  end (t);
  return TRUE;
}

/* ---- inversion ----------------------------------------------------------- */

/* The starts of @x, all at once, and what ddim makes of them. */
static gboolean
invert (SumiSimulation *self,
        SumiEval *ev,
        gboolean exact,
        int n,
        const double *x,
        double *start,
        double *back,
        SumiJob *job,
        GError **error)
{
  const gsize size = sizeof (double) * (gsize) n * (gsize) self->data->dims;
  SumiTensor state = { SUMI_DTYPE_F64, 4, { n, 1, 1, self->data->dims }, start, NULL };
  const SumiInvert how = { .exact = exact };
  const SumiLoop loop = {
    .denoiser = &self->data->denoiser,
    .sampler = sumi_sampler_find ("ddim", NULL),
    .sigmas = self->sigmas,
    .n_steps = self->n_steps,
  };

  memcpy (start, x, size);
  if (! sumi_invert (&self->data->denoiser, ev, &state, self->sigmas, self->n_steps, &how, job, error))
    return FALSE;
  memcpy (back, start, size);
  state.data = back;
  return sumi_loop_run (&loop, ev, &state, 0, job, error);
}

static gboolean
add_inversion (SumiSimulation *self, SumiEval *ev, Table *t, SumiJob *job, GError **error)
{
  static const char *const keys[2][2] = { { "start", "back" }, { "exact_start", "exact_back" } };
  const int dims = self->data->dims;
  g_autofree char *title = g_strdup_printf (
      _ ("DDIM inversion: the states at σ = %.4g that values come from, by one call a step and exactly, and what the "
         "sampler ddim\nmakes of those in %d steps"),
      self->sigmas[0], self->n_steps);
  g_autofree double *x = NULL, *found = NULL;
  gsize size;
  int n = 0;

  x = sumi_simulation_parse ("--invert", self->options->invert, dims, &n, error);
  if (! x)
    return FALSE;
  size = (gsize) n * (gsize) dims;
  found = g_new (double, 4 * size);
  for (gsize e = 0; e < 2; e++)
    if (! invert (self, ev, e != 0, n, x, found + 2 * e * size, found + (2 * e + 1) * size, job, error))
      return g_prefix_error (error, "--invert: "), FALSE;
  begin (t, "invert", title);
  add_name (t, _ ("value"), dims);
  add_name (t, _ ("start"), dims);
  add_name (t, _ ("from there"), dims);
  add_name (t, _ ("exact start"), dims);
  add_name (t, _ ("from there"), dims);
  if (! t->json)
    end_row (t);
  for (gsize i = 0; i < (gsize) n; i++)
    {
      begin_row (t);
      add_number (t, "value", x + i * (gsize) dims, dims);
      for (gsize c = 0; c < 4; c++)
        add_number (t, keys[c / 2][c % 2], found + c * size + i * (gsize) dims, dims);
      end_row (t);
    }
  end (t);
  return TRUE;
}

gboolean
sumi_simulation_print_back (SumiSimulation *self, GCancellable *cancellable, GError **error)
{
  const SumiSimulateOptions *o = self->options;
  g_autoptr (SumiPool) pool = sumi_pool_new (o->threads);
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), pool);
  g_autoptr (GString) out = g_string_new (o->json ? "{" : NULL);
  SumiJob job = { .cancellable = cancellable };
  Table t = { out, o->json };

  ev->cancellable = cancellable;
  if (*o->svg || *o->guidance)
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                           _ ("--likelihood and --invert are of the data alone: leave out --svg and --guidance"));
      return FALSE;
    }
  if ((*o->likelihood && ! add_likelihood (self, ev, &t, error)) ||
      (*o->invert && ! add_inversion (self, ev, &t, &job, error)))
    return FALSE;
  if (o->json)
    g_string_append (out, "}\n");
  fputs (out->str, stdout);
  return TRUE;
}
