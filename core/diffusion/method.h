/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conditioning methods: hooks of the one loop that make a denoiser of all pictures draw those that agree with what was
 * observed. A registry: one file, one row. All in the loop's units: x = x0 + σ·noise.
 *
 * Pixels known in part (0 < free < 1) mean the same in every method but blended, which has its own way: they are held
 * as known for the first 1 − free of the steps and free for the rest (Levin and Fried 2023), so that what they held
 * decides their coarse look and the denoiser fits their detail to it. Where the observation has no noise, pixels with
 * free = 0 come out as they are known, to the bit: the loop sees to that. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* What is known of x0, beside what the denoiser knows by itself. */
typedef struct
{
  SumiOperator *a;             /* y = A·x0 + noise_y; methods that take masks only read @free and @known */
  const SumiTensor *y;         /* of A's y shape */
  double noise;                /* σ_y ≥ 0: standard deviation of y's error, in the units of x */
  const SumiTensor *free;      /* [N, H, W, 1]: 0 the pixel is known, 1 it is free, between: how far it may change */
  const SumiTensor *known;     /* like x: its content where free < 1 */
  const SumiTensor *reference; /* like x: a picture to start from or to keep the coarse look of; = known outside the
                                  free part. May be NULL */
  gboolean beyond_mask;        /* A says more than @free and @known */
} SumiObservation;

/* One run of a method. */
struct SumiMethod
{
  const SumiMethodClass *klass;
  gconstpointer options; /* the class' own */
  SumiDenoiser *denoiser;
  SumiObservation seen;
  const double *sigmas;
  int n_steps;
  const SumiLoop *loop;
  const SumiStep *step; /* under way; NULL before the run */
  gpointer data;        /* the class' own, from start to finish */
};

struct SumiMethodClass
{
  const char *key, *label; /* label N_() */
  const char *blurb;       /* N_(): one sentence: what it is good at, when to use it */
  const char *paper;
  gboolean needs_gradient; /* of the denoiser: its vjp */
  gboolean needs_reference;
  gboolean takes_guess;      /* the reference is a quick model's answer, not what the picture held before */
  gboolean masks_only;       /* reads seen.free and seen.known, not seen.a */
  gboolean mask_optional;    /* does without them too */
  const SumiOption *options; /* (nullable): its settings */
  gsize options_size;
  /* All hooks nullable. */
  /* Before the run. @x: 0; leaves in it the state at sigmas[first]. Returns: first, the step to begin with (0 unless
   * the method starts below the top). NULL: x = σ_0·noise. */
  int (*start) (SumiMethod *self, SumiEval *ev, SumiTensor *x);
  /* Instead of the denoiser, in every call of the sampler. */
  SumiTensor *(*denoise) (SumiMethod *self, SumiEval *ev, SumiTensor *x, double sigma);
  /* Instead of the sampler's step, for methods that have their own; the sampler is then not used. */
  void (*step) (SumiMethod *self, SumiStep *step, SumiEval *ev, SumiTensor *x);
  /* After each step, which took @x to step->sigma_next. @noise draws are 40 to 59 of sumi_step_noise(). */
  void (*after) (SumiMethod *self, const SumiStep *step, SumiEval *ev, SumiTensor *x);
  /* Which step follows step @index; less than or equal to @index: the loop goes back there, adding the noise that
   * lacks. Called once after every step. NULL: index + 1. */
  int (*next) (SumiMethod *self, int index);
  /* How many steps all in all, for progress; NULL: n_steps. */
  int (*count) (SumiMethod *self);
  void (*finish) (SumiMethod *self);
};

/* The noise of draw @draw for a hook that is not in a step: before the run. */
SumiTensor *sumi_method_noise (const SumiMethod *self, SumiEval *ev, const SumiTensor *like, int draw);

/* In place, @x = @with where a pixel is held as known through the step under way: those known in part that are not free
 * yet, and, if @all, those with free = 0. Does nothing without seen.free. */
void sumi_method_hold (const SumiMethod *self, SumiEval *ev, gboolean all, SumiTensor *x, const SumiTensor *with);

/* For start(): the step to begin with so that @strength [0, 1] of the steps remain, and x = @from (0 where NULL) + its
 * σ·noise, the loop's own noise of the start. */
int sumi_method_start (const SumiMethod *self, SumiEval *ev, double strength, const SumiTensor *from, SumiTensor *x);

const SumiMethodClass *const *sumi_methods (void); /* NULL-ended */
/* Fails with %SUMI_ERROR_OPTION listing what there is. */
const SumiMethodClass *sumi_method_find (const char *key, GError **error);

/* Fails with %SUMI_ERROR_UNSUPPORTED, saying why, where @self cannot work with @denoiser (no gradient), or lacks what
 * it needs of @seen. @who: the model's name. */
gboolean sumi_method_check (const SumiMethodClass *self,
                            const SumiDenoiser *denoiser,
                            const SumiObservation *seen,
                            const char *who,
                            GError **error);

G_END_DECLS
