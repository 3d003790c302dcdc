/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reverse mode. While SumiEval.tape is set, every op that reads a value which depends on a watched one is written down;
 * sumi_tape_gradient() then walks back: Jᵀ·v of the whole computation for the cost of about two more.
 *
 * Networks use their buffers again and again, so a value is not its memory: the tape knows which value lies where, and
 * whoever writes into memory ends what lay there before. It copies what gradients need, which is why networks need no
 * other way of working under a tape, and none is slower without one.
 *
 * Gradients are with respect to values only, never to parameters (weights, biases, gains).
 *
 * Speelpenning 1980; Griewank and Walther 2008, "Evaluating derivatives", chapter 3. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

#define SUMI_TAPE_MAX_IN 4

/* One step on the way back: grad[i] ← (∂out/∂in[i])ᵀ·g + add[i]. */
typedef struct
{
  SumiTape *tape;
  /* As the step saw them. Data are there for the inputs that the step keeps, and for fixed ones; else %NULL. */
  const SumiTensor *in[SUMI_TAPE_MAX_IN];
  gconstpointer params;
  const SumiTensor *g;                     /* shaped like the step's output */
  SumiTensor *grad[SUMI_TAPE_MAX_IN];      /* shaped like in[i]; %NULL: not wanted. g's memory only where it may be. */
  const SumiTensor *add[SUMI_TAPE_MAX_IN]; /* (nullable); may be grad[i] itself */
} SumiBackward;

/* Reports failures by sumi_eval_fail(). The same bytes for every thread count. May call ops. */
typedef void (*SumiGradient) (SumiEval *ev, const SumiBackward *b);

/* What is to be written down about a step. Bit i of a mask is input i. */
typedef struct
{
  const char *name;      /* static; for messages */
  SumiGradient gradient; /* %NULL where all inputs are fixed or passed */
  int n_in;
  int keeps;            /* the gradient reads the values of these: they are copied, wherever they come from */
  int fixed;            /* parameters: they have no gradient; those not kept are used where they lie, unchanged */
  int passes;           /* out = in[i] + something without in[i]: g itself is added, the gradient leaves them out */
  int over;             /* if only grad[i] is wanted it may take the place of g */
  gconstpointer params; /* copied: @params_size bytes */
  gsize params_size;
} SumiTapeStep;

/* @ev's tape must be set. Call it before @out is written, which may be one of @in. Does nothing but forget what was
 * in @out when none of @in depends on a watched value. For whatever writes tensors and is not an op; ops record
 * themselves. Sets a sticky error: MEMORY; UNSUPPORTED when a parameter depends on a watched value, or an input is only
 * a part of one. */
void sumi_tape_record (SumiEval *ev, const SumiTapeStep *step, const SumiTensor *const *in, const SumiTensor *out);

/* Everything that it takes is freed with it. One thread at a time. */
SumiTape *sumi_tape_new (void);
void sumi_tape_free (SumiTape *tape);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiTape, sumi_tape_free)

/* From now on what is computed from @x (f32) is written down. */
void sumi_tape_watch (SumiTape *tape, const SumiTensor *x);
/* @size bytes at @memory are about to be written by something that does not record itself: what was there is over.
 * sumi_eval_tensor() says so of every new tensor. */
void sumi_tape_forget (SumiTape *tape, gconstpointer memory, gsize size);
/* Forgets what was written down and watched; memory and derived weights stay for the next time. */
void sumi_tape_reset (SumiTape *tape);

/* (∂@y/∂@x)ᵀ·@v, where @x was watched and @y was computed from it; @v: f32, shaped like @y. Zero when @y does not
 * depend on @x. Nothing is written down on the way. Asks for cancel before every step. @last: what was kept is not
 * needed again, so the way back may use its memory, and the tape is reset; otherwise more may be asked.
 * Returns: (transfer none): shaped like @x, in @ev's scratch. */
SumiTensor *sumi_tape_gradient (SumiEval *ev,
                                SumiTape *tape,
                                const SumiTensor *y,
                                const SumiTensor *v,
                                const SumiTensor *x,
                                gboolean last);

/* Writes into @out, of @w's type and number of elements, the elements of @w in another order. */
typedef void (*SumiDerive) (const SumiTensor *w, const SumiTensor *out);
/* @w in another order, made once as long as the tape lives if @w has prepared forms (prepared.h), and then with
 * prepared forms of its own; otherwise made anew, in scratch. @w's memory must stay what it is for as long as the tape
 * lives: a tape is for one model. @kind: a static text, the same for the same order. Returns: (nullable) (transfer
 * none): NULL after sumi_eval_fail(). */
const SumiTensor *sumi_tape_derive (SumiEval *ev,
                                    SumiTape *tape,
                                    const SumiTensor *w,
                                    const char *kind,
                                    int n_dims,
                                    const int *shape,
                                    SumiDerive derive);

/* Bytes it holds, at the most so far: kept values, gradients, derived weights and their prepared forms. Scratch not. */
gsize sumi_tape_get_peak (SumiTape *tape);

G_END_DECLS
