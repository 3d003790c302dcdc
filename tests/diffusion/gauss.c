/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/diffusion/gauss.h"

#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/random.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

/* Cholesky of the n × n @a, in place, lower. */
static void
cholesky (double *a, int n)
{
  for (int j = 0; j < n; j++)
    for (int i = j; i < n; i++)
      {
        double sum = a[i * n + j];

        for (int k = 0; k < j; k++)
          sum -= a[i * n + k] * a[j * n + k];
        a[i * n + j] = i == j ? sqrt (sum) : sum / a[j * n + j];
      }
}

static void
solve (const double *l, int n, double *b)
{
  for (int i = 0; i < n; i++)
    {
      for (int k = 0; k < i; k++)
        b[i] -= l[i * n + k] * b[k];
      b[i] /= l[i * n + i];
    }
  for (int i = n - 1; i >= 0; i--)
    {
      for (int k = i + 1; k < n; k++)
        b[i] -= l[k * n + i] * b[k];
      b[i] /= l[i * n + i];
    }
}

void
gauss_gain (const Gauss *self, double sigma, GaussMatrix gain)
{
  g_autofree double *l = g_memdup2 (self->cov, sizeof self->cov);

  for (int i = 0; i < GAUSS_DIMS; i++)
    l[i * GAUSS_DIMS + i] += sigma * sigma;
  cholesky (l, GAUSS_DIMS);
  memcpy (gain, self->cov, sizeof self->cov);
  for (int i = 0; i < GAUSS_DIMS; i++)
    solve (l, GAUSS_DIMS, gain[i]); /* rows: C and (C + σ²)⁻¹ are symmetric and commute */
}

static void
at (Gauss *self, double sigma)
{
  if (self->at == sigma)
    return;
  gauss_gain (self, sigma, self->gain);
  self->at = sigma;
}

/* gain·(x − centre) + centre of every picture. */
static SumiTensor *
times (Gauss *self, SumiEval *ev, const SumiTensor *x, gboolean centred)
{
  SumiTensor *out = sumi_eval_tensor_like (ev, x);

  for (gsize n = 0; sumi_eval_ok (ev) && n < (gsize) x->shape[0]; n++)
    {
      double out_n[GAUSS_DIMS];

      for (gsize i = 0; i < GAUSS_DIMS; i++)
        out_n[i] = centred ? self->mean[i] : 0;
      for (gsize k = 0; k < GAUSS_DIMS; k++) /* the gain is symmetric: by columns, which the compiler does at once */
        {
          const double d = sumi_tensor_get (x, n * GAUSS_DIMS + k) - (centred ? self->mean[k] : 0);

          for (gsize i = 0; i < GAUSS_DIMS; i++)
            out_n[i] += self->gain[k][i] * d;
        }
      for (gsize i = 0; i < GAUSS_DIMS; i++)
        sumi_tensor_put (out, n * GAUSS_DIMS + i, out_n[i]);
    }
  return out;
}

static SumiTensor *
denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  at ((Gauss *) self, sigma);
  return times ((Gauss *) self, ev, x, TRUE);
}

static SumiTensor *
vjp (SumiDenoiser *self,
     SumiEval *ev,
     SumiTensor *x,
     double sigma,
     SumiCotangent cotangent,
     gpointer data,
     SumiTensor **x0)
{
  *x0 = denoise (self, ev, x, sigma);
  return times ((Gauss *) self, ev, cotangent (data, ev, *x0), FALSE);
}

Gauss *
gauss_new (void)
{
  static const double channels[3][3] = { { 1, 0.6, 0.4 }, { 0.6, 1, 0.6 }, { 0.4, 0.6, 1 } };
  Gauss *self = g_new0 (Gauss, 1);

  self->denoiser = (SumiDenoiser){ .denoise = denoise, .vjp = vjp };
  self->at = -1;
  for (int i = 0; i < GAUSS_DIMS; i++)
    {
      self->mean[i] = sin (0.7 * i);
      for (int k = 0; k < GAUSS_DIMS; k++)
        {
          const int p = i / 3, q = k / 3;
          const double d = hypot (p / GAUSS_SIDE - q / GAUSS_SIDE, p % GAUSS_SIDE - q % GAUSS_SIDE);

          self->cov[i][k] = exp (-d / 2) * channels[i % 3][k % 3];
        }
    }
  return self;
}

void
gauss_posterior (const Gauss *self, SumiOperator *a, const double *y, double noise, double *mean, GaussMatrix cov)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  SumiTensor *unit = sumi_eval_tensor_of (ev, SUMI_DTYPE_F64, 4, a->x_shape);
  const int m = a->y_shape[1] * a->y_shape[2] * a->y_shape[3];
  g_autofree double *rows = g_new (double, m *GAUSS_DIMS); /* A, then A·C */
  g_autofree double *ac = g_new0 (double, m *GAUSS_DIMS);
  g_autofree double *s = g_new0 (double, m *m);
  g_autofree double *w = g_new0 (double, m);

  for (int k = 0; k < GAUSS_DIMS; k++)
    {
      SumiTensor *column;

      memset (unit->data, 0, GAUSS_DIMS * sizeof (double));
      ((double *) unit->data)[k] = 1;
      column = sumi_operator_apply (a, ev, unit);
      for (int i = 0; i < m; i++)
        rows[i * GAUSS_DIMS + k] = sumi_tensor_get (column, (gsize) i);
    }
  for (int i = 0; i < m; i++)
    for (int k = 0; k < GAUSS_DIMS; k++)
      for (int l = 0; l < GAUSS_DIMS; l++)
        ac[i * GAUSS_DIMS + k] += rows[i * GAUSS_DIMS + l] * self->cov[l][k];
  for (int i = 0; i < m; i++)
    {
      w[i] = y[i];
      for (int k = 0; k < m; k++)
        for (int l = 0; l < GAUSS_DIMS; l++)
          s[i * m + k] += ac[i * GAUSS_DIMS + l] * rows[k * GAUSS_DIMS + l];
      s[i * m + i] += noise * noise + 1e-12; /* rows may be 0 or depend on each other */
      for (int l = 0; l < GAUSS_DIMS; l++)
        w[i] -= rows[i * GAUSS_DIMS + l] * self->mean[l];
    }
  cholesky (s, m);
  solve (s, m, w);
  memcpy (mean, self->mean, sizeof self->mean);
  memcpy (cov, self->cov, sizeof self->cov);
  for (int k = 0; k < GAUSS_DIMS; k++)
    {
      g_autofree double *column = g_new (double, m);

      for (int i = 0; i < m; i++)
        column[i] = ac[i * GAUSS_DIMS + k];
      for (int i = 0; i < m; i++)
        mean[k] += column[i] * w[i];
      solve (s, m, column);
      for (int l = 0; l < GAUSS_DIMS; l++)
        for (int i = 0; i < m; i++)
          cov[l][k] -= ac[i * GAUSS_DIMS + l] * column[i];
    }
}

void
gauss_draw (const Gauss *self, guint64 seed, double *x)
{
  g_autofree double *l = g_memdup2 (self->cov, sizeof self->cov);
  float z[GAUSS_DIMS + 1];

  cholesky (l, GAUSS_DIMS);
  for (int i = 0; i < GAUSS_DIMS; i += 2)
    sumi_random_normal (seed, 77, i, 0, 0, z + i);
  for (int i = 0; i < GAUSS_DIMS; i++)
    {
      x[i] = self->mean[i];
      for (int k = 0; k <= i; k++)
        x[i] += l[i * GAUSS_DIMS + k] * (double) z[k];
    }
}

void
gauss_measure (const SumiTensor *x, double *mean, GaussMatrix cov)
{
  const gsize n = (gsize) x->shape[0];

  memset (mean, 0, GAUSS_DIMS * sizeof *mean);
  memset (cov, 0, sizeof (GaussMatrix));
  for (gsize i = 0; i < n * GAUSS_DIMS; i++)
    mean[i % GAUSS_DIMS] += sumi_tensor_get (x, i) / (double) n;
  for (gsize s = 0; s < n; s++)
    {
      double d[GAUSS_DIMS];

      for (gsize i = 0; i < GAUSS_DIMS; i++)
        d[i] = sumi_tensor_get (x, s * GAUSS_DIMS + i) - mean[i];
      for (int i = 0; i < GAUSS_DIMS; i++)
        for (int k = 0; k < GAUSS_DIMS; k++)
          cov[i][k] += d[i] * d[k] / (double) (n - 1);
    }
}

double
gauss_frobenius (GaussMatrix a, GaussMatrix b)
{
  double sum = 0;

  for (int i = 0; i < GAUSS_DIMS; i++)
    for (int k = 0; k < GAUSS_DIMS; k++)
      sum += (a[i][k] - (b ? b[i][k] : 0)) * (a[i][k] - (b ? b[i][k] : 0));
  return sqrt (sum);
}
