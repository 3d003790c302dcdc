/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/exact-guidance.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

SumiExact *
sumi_exact_part (const SumiExact *self, const int *parts, int n, GError **error)
{
  const gsize dims = (gsize) self->dims;
  g_autoptr (SumiExact) given = NULL;
  double sum = 0;

  g_return_val_if_fail (n > 0, NULL);
  for (int i = 0; i < n; i++)
    {
      if (parts[i] < 0 || parts[i] >= self->n)
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                       "there is no part %d; the data has parts 1 to %d", parts[i] + 1, self->n);
          return NULL;
        }
      for (int k = 0; k < i; k++)
        if (parts[k] == parts[i])
          {
            g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "part %d is named twice", parts[i] + 1);
            return NULL;
          }
      sum += self->weight[parts[i]];
    }
  given = sumi_exact_new (n, self->dims);
  for (int i = 0; i < n; i++)
    {
      given->weight[i] = self->weight[parts[i]] / sum;
      given->std[i] = self->std[parts[i]];
      memcpy (given->mean + (gsize) i * dims, self->mean + (gsize) parts[i] * dims, dims * sizeof (double));
    }
  return g_steal_pointer (&given);
}

/* Part k is a Gaussian again, of its likelihood's share. */
SumiExact *
sumi_exact_seen (const SumiExact *self, const double *y, double std)
{
  const gsize dims = (gsize) self->dims;
  SumiExact *seen = sumi_exact_new (self->n, self->dims);

  sumi_exact_responsibilities (self, y, std, seen->weight);
  for (int k = 0; k < self->n; k++)
    {
      const double square = self->std[k] * self->std[k], share = square / (square + std * std);

      seen->std[k] = std * sqrt (share);
      for (gsize c = (gsize) k * dims; c < (gsize) (k + 1) * dims; c++)
        seen->mean[c] = self->mean[c] + share * (y[c - (gsize) k * dims] - self->mean[c]);
    }
  return seen;
}

/* ---- the classifier ------------------------------------------------------ */

typedef struct
{
  const SumiExactClassifier *self;
  const SumiTensor *x;
  SumiTensor *gradient;
  double sigma, *values; /* values: one a row */
} Job;

/* ∂ ln p/∂x_c = Σ_k r_k·(μ_k − x)/(s_k² + σ²) by the parts' probabilities r, added to @out times @sign. */
static void
add_score (const SumiExact *exact, const double *x, double sigma, double sign, double *r, double *out)
{
  sumi_exact_responsibilities (exact, x, sigma, r);
  for (int k = 0; k < exact->n; k++)
    {
      const double *mean = exact->mean + (gsize) k * (gsize) exact->dims;
      const double factor = sign * r[k] / MAX (exact->std[k] * exact->std[k] + sigma * sigma, 1e-200);

      for (int c = 0; c < exact->dims; c++)
        out[c] += factor * (mean[c] - x[c]);
    }
}

static void
classify_row (gpointer data, int index, int thread)
{
  const Job *j = data;
  const SumiExact *all = j->self->all, *given = j->self->given;
  const gsize dims = (gsize) all->dims, width = (gsize) j->x->shape[2];
  g_autofree double *r = g_new (double, all->n), *x = g_new (double, dims), *push = g_new (double, dims);
  double sum = 0;

  for (gsize p = (gsize) index * width; p < (gsize) (index + 1) * width; p++)
    {
      for (gsize c = 0; c < dims; c++)
        {
          x[c] = sumi_tensor_get (j->x, p * dims + c);
          push[c] = 0;
        }
      add_score (given, x, j->sigma, 1, r, push);
      add_score (all, x, j->sigma, -1, r, push);
      for (gsize c = 0; c < dims; c++)
        sumi_tensor_put (j->gradient, p * dims + c, push[c]);
      sum += log (j->self->share) + sumi_exact_log_density (given, x, j->sigma) -
             sumi_exact_log_density (all, x, j->sigma);
    }
  j->values[index] = sum;
}

static SumiTensor *
classifier_gradient (SumiPotential *potential, SumiEval *ev, SumiTensor *x, double sigma, double *value)
{
  const SumiExactClassifier *self = (const SumiExactClassifier *) potential;
  SumiDims dims = { .dims = { { "dims", self->all->dims } }, .n = 1 };
  g_autofree double *values = NULL;
  Job job = { self, x, sumi_eval_tensor_like (ev, x), sigma, NULL };
  int rows;

  if (! sumi_expect (ev, &dims, x, "N H W dims", "what to classify"))
    return sumi_eval_nothing (ev);
  rows = x->shape[0] * x->shape[1];
  job.values = values = g_new0 (double, rows + 1);
  sumi_parallel_for (ev->pool, rows, classify_row, &job);
  for (int i = 0; i < rows; i++)
    *value += values[i];
  return job.gradient;
}

void
sumi_exact_classifier_init (SumiExactClassifier *self, const SumiExact *all, const SumiExact *given, double share)
{
  *self = (SumiExactClassifier){ { classifier_gradient }, all, given, share };
}

/* ---- text ---------------------------------------------------------------- */

/* Reads "1+3:1.5" into @self's next condition. Its share of the data goes into @share. */
static gboolean
read_condition (SumiExactConditions *self, const SumiExact *all, const char *text, double *share, GError **error)
{
  g_autofree int *parts = g_new (int, strlen (text) + 1);
  const char *rest = text;
  double weight = 1;
  char *end;
  int n = 0;

  *share = 0;
  do
    {
      const gint64 part = g_ascii_strtoll (rest, &end, 10);

      if (! g_ascii_isdigit (*rest) || part > G_MAXINT)
        {
          n = 0; /* a + without a number after it too */
          break;
        }
      parts[n++] = (int) part - 1;
      rest = end;
    }
  while (*rest == '+' && rest++);
  if (n > 0 && *rest == ':')
    {
      weight = g_ascii_strtod (rest + 1, &end);
      rest = end > rest + 1 && isfinite (weight) ? end : rest;
    }
  if (n == 0 || *rest)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                   "condition “%s” is not PARTS or PARTS:WEIGHT, such as 2, 1+3 or 2:-0.5", text);
      return FALSE;
    }
  if (! (self->given[self->n] = sumi_exact_part (all, parts, n, error)))
    return FALSE;
  for (int i = 0; i < n; i++)
    *share += all->weight[parts[i]];
  self->conditions[self->n] = &self->given[self->n]->denoiser;
  self->weights[self->n++] = weight;
  return TRUE;
}

SumiExactConditions *
sumi_exact_conditions_parse (SumiExact *all, const char *text, GError **error)
{
  g_autoptr (SumiExactConditions) self = g_new0 (SumiExactConditions, 1);
  g_auto (GStrv) words = g_strsplit_set (text ? text : "", ", \t\n", -1);
  double first = 0;

  self->given = g_new0 (SumiExact *, SUMI_MAX_CONDITIONS);
  self->conditions = g_new0 (SumiDenoiser *, SUMI_MAX_CONDITIONS);
  self->weights = g_new0 (double, SUMI_MAX_CONDITIONS);
  for (char **word = words; *word; word++)
    {
      double share;

      if (! **word)
        continue;
      if (self->n == SUMI_MAX_CONDITIONS)
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION, "more than %d conditions", SUMI_MAX_CONDITIONS);
          return NULL;
        }
      if (! read_condition (self, all, *word, &share, error))
        return NULL;
      first = self->n == 1 ? share : first;
    }
  if (self->n == 0)
    {
      g_set_error_literal (error, SUMI_ERROR, SUMI_ERROR_OPTION, "none is named; the first part is 1");
      return NULL;
    }
  self->parts = (SumiGuidanceParts){ &all->denoiser, self->n, self->conditions, self->weights, NULL, NULL };
  sumi_exact_classifier_init (&self->classifier, all, self->given[0], first);
  if (self->n == 1)
    self->parts.classifier = &self->classifier.potential;
  return g_steal_pointer (&self);
}

void
sumi_exact_conditions_free (SumiExactConditions *self)
{
  if (! self)
    return;
  for (int i = 0; i < self->n; i++)
    sumi_exact_free (self->given[i]);
  g_free (self->given);
  g_free (self->conditions);
  g_free (self->weights);
  g_free (self);
}
