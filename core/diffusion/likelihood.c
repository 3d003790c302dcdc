/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/diffusion/likelihood.h"

#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/diffusion/arithmetic.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/rk45.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define EXACT_MOST   4096
#define PROBE_STREAM 0x70726f62u

typedef struct
{
  SumiDenoiser *denoiser;
  const SumiLikelihood *how;
  int n_probes;
  SumiTensor *probe;
  double trace; /* of the newest call */
} Flow;

/* @number: which of the signs, or the value that is 1. */
static void
fill_probe (const Flow *f, int number)
{
  const gsize n = sumi_tensor_count (f->probe);
  guint32 bits[4];

  if (f->how->n_probes == 0)
    {
      memset (f->probe->data, 0, n * sumi_dtype_size (f->probe->dtype));
      sumi_tensor_put (f->probe, (gsize) number, 1);
      return;
    }
  for (gsize i = 0; i < n; i++)
    {
      if (i % 128 == 0)
        sumi_random_bits (f->how->seed, PROBE_STREAM, (const guint32[]){ (guint32) (i / 128), (guint32) number, 0 },
                          bits);
      sumi_tensor_put (f->probe, i, bits[i / 32 % 4] >> i % 32 & 1 ? 1 : -1);
    }
}

static SumiTensor *
give_probe (gpointer data, SumiEval *ev, SumiTensor *x0)
{
  return ((Flow *) data)->probe;
}

/* dx/dσ in @out. Returns: its divergence. */
static double
flow_slope (gpointer data, SumiEval *ev, SumiTensor *x, double sigma, SumiTensor *out)
{
  Flow *f = data;
  double sum = 0;

  for (int i = 0; i < f->n_probes && sumi_eval_ok (ev); i++)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      SumiTensor *x0, *product;

      fill_probe (f, i);
      product = sumi_denoise_vjp (f->denoiser, ev, x, sigma, give_probe, f, &x0);
      sum += sumi_dot (ev, f->probe, product);
      if (i == 0)
        sumi_lincomb (ev, 1 / sigma, x, -1 / sigma, x0, 0, NULL, out);
      sumi_arena_release (ev->scratch, mark);
    }
  f->trace = f->how->n_probes == 0 ? sum : sum / f->n_probes;
  return ((double) sumi_tensor_count (x) - f->trace) / sigma;
}

/* ln p at σ_max. For data N (μ, s²) D (0) = μ·(1 − J) and σ² + s² = σ²/(1 − J), J = ∂D/∂x. */
static double
log_prior (const Flow *f, SumiEval *ev, SumiTensor *x)
{
  const double n = (double) sumi_tensor_count (x), sigma = f->how->sigma_max;
  const double rest = f->how->plain_prior ? 1 : CLAMP (1 - f->trace / n, 0.1, 1), variance = sigma * sigma / rest;
  SumiTensor *off = x;

  if (! f->how->plain_prior)
    {
      SumiTensor *zero = sumi_lincomb (ev, 0, x, 0, NULL, 0, NULL, NULL);

      off = sumi_lincomb (ev, 1, x, -1 / rest, sumi_denoise (f->denoiser, ev, zero, sigma), 0, NULL, NULL);
    }
  return -0.5 * (sumi_dot (ev, off, off) / variance + n * log (2 * G_PI * variance));
}

static gboolean
check (const SumiDenoiser *denoiser, const SumiTensor *x, const SumiLikelihood *how, GError **error)
{
  const gsize n = sumi_tensor_count (x);

  g_return_val_if_fail (how->sigma_min > 0 && how->sigma_max > how->sigma_min && n > 0, FALSE);
  if (! denoiser->vjp)
    g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                 "likelihood: needs the gradient of the model, which this one does not have");
  else if (how->n_probes == 0 && n > EXACT_MOST)
    g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                 "likelihood: an exact trace of %zu values takes too long, at most %d; estimate it by 1 to 10 probes",
                 n, EXACT_MOST);
  else
    return TRUE;
  return FALSE;
}

gboolean
sumi_likelihood_bits (SumiDenoiser *denoiser,
                      SumiEval *ev,
                      const SumiTensor *x,
                      const SumiLikelihood *how,
                      SumiTensor *latent,
                      double *bits,
                      GError **error)
{
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  const int n = (int) MIN (sumi_tensor_count (x), EXACT_MOST);
  Flow flow = { denoiser, how, how->n_probes > 0 ? how->n_probes : n, sumi_eval_tensor_like (ev, x) };
  SumiRk45 solver = { .rtol = how->rtol > 0 ? how->rtol : 1e-5,
                      .atol = how->atol > 0 ? how->atol : 1e-5,
                      .slope = flow_slope,
                      .data = &flow,
                      .with_number = TRUE };
  SumiTensor *state = sumi_eval_tensor_like (ev, x);
  double log_p = 0;

  if (! check (denoiser, x, how, error))
    {
      sumi_arena_release (ev->scratch, mark);
      return FALSE;
    }
  for (int i = 0; i < 7; i++)
    solver.k[i] = sumi_eval_tensor_like (ev, x);
  solver.trial = sumi_eval_tensor_like (ev, x);
  sumi_copy (ev, x, state);
  if (sumi_eval_ok (ev))
    sumi_rk45_run (&solver, ev, state, how->sigma_min, how->sigma_max);
  if (sumi_eval_ok (ev))
    log_p = log_prior (&flow, ev, state) + solver.number;
  if (latent && sumi_eval_ok (ev))
    sumi_copy (ev, state, latent);
  sumi_arena_release (ev->scratch, mark);
  if (! sumi_eval_finish (ev, error))
    return FALSE;
  *bits = -log_p / (G_LN2 * (double) sumi_tensor_count (x));
  return TRUE;
}
