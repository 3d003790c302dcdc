/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one denoising loop: steps, noise, progress, preview, cancel. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

struct SumiLoop
{
  SumiDenoiser *denoiser;
  const SumiSamplerClass *sampler;
  const double *sigmas; /* n_steps + 1, falling (equal neighbours allowed), usually ending in 0 */
  int n_steps;
  double churn; /* [0, 1]: share of the noise that is renewed in each step */
  guint64 seed;
  guint32 stream; /* tells this loop's noise from other loops' of the same seed; it uses stream to stream + 4·(n_steps +
                     1) */
  int x, y;       /* absolute position of the tensors' first pixel */
};

/* N(0, 1) into @z: [N, H, W, C], keyed by (seed, stream, absolute pixel, channel, n). */
void sumi_noise_fill (SumiEval *ev, SumiTensor *z, guint64 seed, guint32 stream, int x, int y);

/* x += σ_0·noise, projected: the usual start. */
void sumi_loop_start (const SumiLoop *loop, SumiEval *ev, SumiTensor *x);

/* Runs every step on @x [N, H, W, C] in place, which lives outside @ev's scratch. Fails with the first sticky error or
 * when cancelled; x is then undefined. */
gboolean sumi_loop_run (const SumiLoop *loop, SumiEval *ev, SumiTensor *x, SumiJob *job, GError **error);

G_END_DECLS
