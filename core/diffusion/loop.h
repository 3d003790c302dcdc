/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one denoising loop: steps, noise, jumps back in time, progress, preview, cancel. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

struct SumiLoop
{
  SumiDenoiser *denoiser;
  const SumiSamplerClass *sampler;
  gconstpointer sampler_options;   /* of the sampler's table; NULL: its defaults */
  const SumiProcessClass *process; /* NULL: edm */
  SumiMethod *method;              /* (nullable): klass, options and seen set by the caller, the rest by the loop */
  const double *sigmas;            /* n_steps + 1, falling (equal neighbours allowed), usually ending in 0 */
  int n_steps;
  double churn; /* [0, 1]: share of the noise that is renewed in each step */
  guint64 seed;
  guint32 stream; /* tells this loop's noise from other loops' of the same seed; it uses stream to stream + 64·(steps +
                     1), steps counted with those that a method repeats */
  int x, y;       /* absolute position of the tensors' first pixel */
  /* (nullable): sees the state at sigmas[index], from the start (0) to the end (n_steps) */
  void (*trace) (gpointer data, int index, double sigma, const SumiTensor *x);
  gpointer trace_data;
};

/* N(0, 1) into @z: [N, H, W, C], f32 or f64, keyed by (seed, stream, absolute pixel, channel, n). */
void sumi_noise_fill (SumiEval *ev, SumiTensor *z, guint64 seed, guint32 stream, int x, int y);

/* x += σ_0·noise, projected: the usual start. With a method that has one, its own: call it on x = 0. Returns: the step
 * to begin with. */
int sumi_loop_start (const SumiLoop *loop, SumiEval *ev, SumiTensor *x);

/* Runs every step from @first on @x [N, H, W, C] in place, which lives outside @ev's scratch. Fails with the first
 * sticky error, saying in which step, or when cancelled; x is then undefined. */
gboolean sumi_loop_run (const SumiLoop *loop, SumiEval *ev, SumiTensor *x, int first, SumiJob *job, GError **error);

G_END_DECLS
