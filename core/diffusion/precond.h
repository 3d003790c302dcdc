/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Preconditioning: what a network predicts, turned into D. D(x; σ) = c_skip·x + c_out·F(c_in·x; c_noise), x = x0 +
 * σ·noise; Karras et al. 2022 (arXiv 2206.00364), eq. 7 and table 1. The network sees the state of its process,
 * X = α·x, and its time. A registry: one file, one row. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

#define SUMI_PRECOND_HEADS 2

struct SumiPrecond
{
  double c_skip, c_out, c_in, c_noise;
};

/* What a model says of itself beside what it predicts. */
typedef struct
{
  const SumiProcessClass *process; /* that it was trained for */
  double sigma_data;               /* edm: the data's standard deviation */
} SumiPrecondInput;

/* What a network answers. */
typedef struct
{
  SumiTensor *heads[SUMI_PRECOND_HEADS]; /* each like x */
  SumiTensor *blend; /* [N, H, W, 1], with two heads: share in [0, 1] of the second head's estimate of x0 */
} SumiPrecondAnswer;

struct SumiPrecondClass
{
  const char *key, *label; /* label N_() */
  const char *blurb;       /* N_(): one sentence: which models predict it */
  const char *paper;
  gboolean needs_process; /* c_in and c_noise are of the process' α and time */
  int heads;              /* 1 or 2 */
  /* Fills @at, one a head, with the same c_in and c_noise. @sigma > 0. */
  void (*at) (const SumiPrecondInput *input, double sigma, SumiPrecond *at);
};

const SumiPrecondClass *const *sumi_preconds (void); /* NULL-ended */
/* Fails with %SUMI_ERROR_OPTION listing what there is. */
const SumiPrecondClass *sumi_precond_find (const char *key, GError **error);

/* Answers for the network's own @input, c_in·x, and @c_noise. */
typedef SumiPrecondAnswer (*SumiPrecondNet) (gpointer data, SumiEval *ev, SumiTensor *input, double c_noise);

/* D (@x; @sigma) of the network @net. Returns: (transfer none): in scratch. */
SumiTensor *sumi_precond_denoise (const SumiPrecondClass *self,
                                  const SumiPrecondInput *input,
                                  SumiEval *ev,
                                  const SumiTensor *x,
                                  double sigma,
                                  SumiPrecondNet net,
                                  gpointer data);

G_END_DECLS
