/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/exact.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

/* squares and sums of such numbers stay finite */
#define LARGEST    1e100
#define MAX_DIMS   64
#define MAX_PARTS  (1 << 20)
#define MAX_FILE   (64 << 20)
#define SAMPLES_OF 0x65786163u /* stream */

/* ---- closed forms -------------------------------------------------------- */

/* Part @k of data blurred by σ has this variance. A point at σ = 0 gets a width that no double tells from none. */
static double
variance (const SumiExact *self, int k, double sigma)
{
  return MAX (self->std[k] * self->std[k] + sigma * sigma, 1e-200);
}

/* ln (w_k·N(x; μ_k, v_k)) without the (2π)^(−d/2). */
static double
log_part (const SumiExact *self, int k, const double *x, double sigma)
{
  const double *mean = self->mean + (gsize) k * (gsize) self->dims, v = variance (self, k, sigma);
  double square = 0;

  for (int c = 0; c < self->dims; c++)
    square += (x[c] - mean[c]) * (x[c] - mean[c]);
  return log (self->weight[k]) - 0.5 * (square / v + self->dims * log (v));
}

/* Largest log_part: what exponentials are taken against. */
static double
log_most (const SumiExact *self, const double *x, double sigma)
{
  double most = -HUGE_VAL;

  for (int k = 0; k < self->n; k++)
    most = MAX (most, log_part (self, k, x, sigma));
  return most;
}

double
sumi_exact_log_density (const SumiExact *self, const double *x, double sigma)
{
  const double most = log_most (self, x, sigma);
  double sum = 0;

  for (int k = 0; k < self->n; k++)
    sum += exp (log_part (self, k, x, sigma) - most);
  return most + log (sum) - 0.5 * self->dims * log (2 * G_PI);
}

void
sumi_exact_responsibilities (const SumiExact *self, const double *x, double sigma, double *out)
{
  const double most = log_most (self, x, sigma);
  double sum = 0;

  for (int k = 0; k < self->n; k++)
    sum += out[k] = exp (log_part (self, k, x, sigma) - most);
  for (int k = 0; k < self->n; k++)
    out[k] /= sum;
}

/* E[x0 | x, part k] in @out: [dims]. */
static void
part_mean (const SumiExact *self, int k, const double *x, double sigma, double *out)
{
  const double *mean = self->mean + (gsize) k * (gsize) self->dims;
  const double share = self->std[k] * self->std[k] / variance (self, k, sigma);

  for (int c = 0; c < self->dims; c++)
    out[c] = mean[c] + share * (x[c] - mean[c]);
}

void
sumi_exact_denoise (const SumiExact *self, const double *x, double sigma, double *out)
{
  const double most = log_most (self, x, sigma);
  double part[MAX_DIMS], sum = 0;

  if (sigma <= 0)
    {
      memmove (out, x, sizeof (double) * (gsize) self->dims);
      return;
    }
  memset (out, 0, sizeof (double) * (gsize) self->dims);
  for (int k = 0; k < self->n; k++)
    {
      const double w = exp (log_part (self, k, x, sigma) - most);

      if (w == 0)
        continue;
      part_mean (self, k, x, sigma, part);
      sum += w;
      for (int c = 0; c < self->dims; c++)
        out[c] += w * part[c];
    }
  for (int c = 0; c < self->dims; c++)
    out[c] /= sum;
}

/* ∂D/∂x = Cov (x0 | x)/σ² is symmetric; Cov = Σ r_k·(s_k²σ²/v_k·I + m_k·m_kᵀ) − D·Dᵀ. */
static void
exact_product (const SumiExact *self, const double *x, double sigma, const double *v, double *d, double *out)
{
  const double most = log_most (self, x, sigma);
  double part[MAX_DIMS], sum = 0, along = 0;

  sumi_exact_denoise (self, x, sigma, d);
  for (int c = 0; c < self->dims; c++)
    {
      out[c] = sigma > 0 ? 0 : v[c];
      along += d[c] * v[c];
    }
  if (sigma <= 0)
    return;
  for (int k = 0; k < self->n; k++)
    {
      const double w = exp (log_part (self, k, x, sigma) - most);
      const double own = self->std[k] * self->std[k] / variance (self, k, sigma);
      double dot = -along;

      if (w == 0)
        continue;
      part_mean (self, k, x, sigma, part);
      for (int c = 0; c < self->dims; c++)
        dot += part[c] * v[c];
      sum += w;
      /* (m_k − D)·(m_k − D)ᵀ·v, which loses less than the difference of squares */
      for (int c = 0; c < self->dims; c++)
        out[c] += w * (own * v[c] + (part[c] - d[c]) * dot / (sigma * sigma));
    }
  for (int c = 0; c < self->dims; c++)
    out[c] /= sum;
}

/* ---- the denoiser -------------------------------------------------------- */

typedef struct
{
  const SumiExact *self;
  const SumiTensor *x, *v;
  SumiTensor *d, *product; /* product: nullable */
  double sigma;
} Job;

static void
run_pixel (gpointer data, int index, int thread)
{
  const Job *j = data;
  const int dims = j->self->dims;
  const gsize at = (gsize) index * (gsize) dims;
  double x[MAX_DIMS], v[MAX_DIMS], d[MAX_DIMS], product[MAX_DIMS];

  for (int c = 0; c < dims; c++)
    {
      x[c] = sumi_tensor_get (j->x, at + (gsize) c);
      v[c] = j->v ? sumi_tensor_get (j->v, at + (gsize) c) : 0;
    }
  if (j->product)
    exact_product (j->self, x, j->sigma, v, d, product);
  else
    sumi_exact_denoise (j->self, x, j->sigma, d);
  for (int c = 0; c < dims; c++)
    {
      sumi_tensor_put (j->d, at + (gsize) c, d[c]);
      if (j->product)
        sumi_tensor_put (j->product, at + (gsize) c, product[c]);
    }
}

static gboolean
run (SumiEval *ev, const Job *job)
{
  const int dims = job->self->dims, last = job->x->shape[job->x->n_dims - 1];

  if (ev->error)
    return FALSE;
  if (last != dims)
    sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "the state has %d values a sample, the data %d", last, dims);
  else
    sumi_parallel_for (ev->pool, (int) (sumi_tensor_count (job->x) / (gsize) dims), run_pixel, (gpointer) job);
  return ! ev->error;
}

static SumiTensor *
exact_denoise (SumiDenoiser *denoiser, SumiEval *ev, SumiTensor *x, double sigma)
{
  const Job job = { (const SumiExact *) denoiser, x, NULL, sumi_eval_tensor_like (ev, x), NULL, sigma };

  return run (ev, &job) ? job.d : sumi_eval_nothing (ev);
}

static SumiTensor *
exact_vjp (SumiDenoiser *denoiser,
           SumiEval *ev,
           SumiTensor *x,
           double sigma,
           SumiCotangent cotangent,
           gpointer data,
           SumiTensor **x0)
{
  Job job = { (const SumiExact *) denoiser, x, NULL, sumi_eval_tensor_like (ev, x), NULL, sigma };

  if (! run (ev, &job))
    return sumi_eval_nothing (ev);
  *x0 = job.d;
  job.v = cotangent (data, ev, job.d);
  job.d = sumi_eval_tensor_like (ev, x);
  job.product = sumi_eval_tensor_like (ev, x);
  return run (ev, &job) ? job.product : sumi_eval_nothing (ev);
}

/* ---- samples ------------------------------------------------------------- */

void
sumi_exact_sample (const SumiExact *self, guint64 seed, int index, double *out)
{
  guint32 bits[4];
  double u;
  int k = 0;

  sumi_random_bits (seed, SAMPLES_OF, (const guint32[]){ (guint32) index, 0, 0xffffffff }, bits);
  u = bits[0] * 0x1p-32;
  for (; k < self->n - 1 && u >= self->weight[k]; k++)
    u -= self->weight[k];
  for (int c = 0; c < self->dims; c += 2)
    {
      const double *mean = self->mean + (gsize) k * (gsize) self->dims;
      float z[2];

      sumi_random_normal (seed, SAMPLES_OF, index, 0, (guint32) c / 2, z);
      out[c] = mean[c] + self->std[k] * z[0];
      if (c + 1 < self->dims)
        out[c + 1] = mean[c + 1] + self->std[k] * z[1];
    }
}

double
sumi_exact_error (const SumiExact *self, double sigma, int n_samples, guint64 seed)
{
  double x0[MAX_DIMS], x[MAX_DIMS], d[MAX_DIMS], sum = 0;

  for (int i = 0; i < n_samples; i++)
    {
      sumi_exact_sample (self, seed, i, x0);
      for (int c = 0; c < self->dims; c++)
        {
          float z[2];

          sumi_random_normal (seed, SAMPLES_OF + 1, i, 0, (guint32) c, z);
          x[c] = x0[c] + sigma * z[0];
        }
      sumi_exact_denoise (self, x, sigma, d);
      for (int c = 0; c < self->dims; c++)
        sum += (x0[c] - d[c]) * (x0[c] - d[c]);
    }
  return sum / ((double) n_samples * self->dims);
}

/* ---- text ---------------------------------------------------------------- */

SumiExact *
sumi_exact_new (int n, int dims)
{
  SumiExact *self = g_new0 (SumiExact, 1);

  self->denoiser = (SumiDenoiser){ .denoise = exact_denoise, .vjp = exact_vjp };
  self->n = n;
  self->dims = dims;
  self->weight = g_new0 (double, n);
  self->mean = g_new0 (double, (gsize) n *(gsize) dims);
  self->std = g_new0 (double, n);
  return self;
}

void
sumi_exact_free (SumiExact *self)
{
  if (! self)
    return;
  g_free (self->weight);
  g_free (self->mean);
  g_free (self->std);
  g_free (self);
}

/* Reads exactly @n numbers parted by commas or blanks. */
static gboolean
read_numbers (const char *text, int n, double *out)
{
  for (int i = 0; i < n; i++)
    {
      char *end = NULL;

      text += strspn (text, " \t\r,");
      out[i] = g_ascii_strtod (text, &end);
      if (end == text || ! (fabs (out[i]) <= LARGEST) || (*end && ! strchr (" \t\r,", *end)))
        return FALSE;
      text = end;
    }
  return text[strspn (text, " \t\r,")] == 0;
}

static int
count_numbers (const char *text)
{
  int n = 0;

  for (text += strspn (text, " \t\r,"); *text; n++)
    {
      text += strcspn (text, " \t\r,");
      text += strspn (text, " \t\r,");
    }
  return n;
}

static SumiExact *
parse_mixture (const char *text, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ";", -1);
  g_autoptr (SumiExact) self = sumi_exact_new (MAX (1, (int) g_strv_length (parts)), 1);
  double sum = 0;

  for (int k = 0; k < self->n; k++)
    {
      double v[3];

      if (! parts[k] || ! read_numbers (parts[k], 3, v) || v[0] <= 0 || v[2] < 0)
        {
          g_set_error (
              error, SUMI_ERROR, SUMI_ERROR_OPTION,
              "mixture: part %d is “%s”, expected WEIGHT,MEAN,STD with a weight above 0 and STD not below, none "
              "above 1e100",
              k + 1, parts[k] ? parts[k] : "");
          return NULL;
        }
      sum += self->weight[k] = v[0];
      self->mean[k] = v[1];
      self->std[k] = v[2];
    }
  for (int k = 0; k < self->n; k++)
    self->weight[k] /= sum;
  return g_steal_pointer (&self);
}

static SumiExact *
parse_gaussian (const char *text, GError **error)
{
  g_autoptr (SumiExact) self = sumi_exact_new (1, 1);
  double v[2];

  if (! read_numbers (text, 2, v) || v[1] < 0)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                   "gaussian: “%s”, expected MEAN,STD with STD not below 0, none above 1e100", text);
      return NULL;
    }
  self->weight[0] = 1;
  self->mean[0] = v[0];
  self->std[0] = v[1];
  return g_steal_pointer (&self);
}

/* Lines that hold something other than a comment. */
static GPtrArray *
get_lines (char **lines)
{
  GPtrArray *all = g_ptr_array_new ();

  for (char **l = lines; *l; l++)
    if (*g_strstrip (*l) && **l != '#')
      g_ptr_array_add (all, *l);
  return all;
}

static SumiExact *
parse_points (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GPtrArray) all = NULL;
  g_autoptr (SumiExact) self = NULL;
  gsize size = 0;
  int dims;

  if (! g_file_get_contents (path, &text, &size, error))
    return NULL;
  if (size > MAX_FILE || memchr (text, 0, size))
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT, "%s: not a text of points (at most %d MB)", path,
                   MAX_FILE >> 20);
      return NULL;
    }
  lines = g_strsplit (text, "\n", -1);
  all = get_lines (lines);
  dims = all->len ? count_numbers (all->pdata[0]) : 0;
  if (dims < 1 || dims > MAX_DIMS || all->len > MAX_PARTS)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT,
                   "%s: %u points of %d coordinates; expected one point a line, 1 to %d points of 1 to %d coordinates",
                   path, all->len, dims, MAX_PARTS, MAX_DIMS);
      return NULL;
    }
  self = sumi_exact_new ((int) all->len, dims);
  for (int k = 0; k < self->n; k++)
    {
      self->weight[k] = 1.0 / self->n;
      if (read_numbers (all->pdata[k], dims, self->mean + (gsize) k * (gsize) dims))
        continue;
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT, "%s: point %d is “%.60s”, expected %d numbers", path, k + 1,
                   (const char *) all->pdata[k], dims);
      return NULL;
    }
  return g_steal_pointer (&self);
}

SumiExact *
sumi_exact_parse (const char *text, GError **error)
{
  const char *rest = strchr (text, ':');

  if (rest && g_str_has_prefix (text, "gaussian:"))
    return parse_gaussian (rest + 1, error);
  if (rest && g_str_has_prefix (text, "mixture:"))
    return parse_mixture (rest + 1, error);
  if (rest && g_str_has_prefix (text, "points:"))
    return parse_points (rest + 1, error);
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
               "data “%s” is not gaussian:MEAN,STD, mixture:WEIGHT,MEAN,STD;WEIGHT,MEAN,STD… or points:FILE", text);
  return NULL;
}
