/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A value is a number; `places` says which memory holds which value now. A step keeps copies of the inputs that its
 * gradient reads: of a value once, however many steps read it. */
#include "core/tensor/tape.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/tensor/blocks.h"
#include "core/tensor/eval.h"
#include "core/tensor/prepared.h"
#include "core/tensor/tensor.h"

/* floats that are copied or added at a time */
#define PIECE 16384

typedef struct
{
  gsize count;
  float *kept; /* (nullable) */
  int keepers; /* steps that read it */
  float *grad; /* (nullable): on the way back */
} Value;

typedef struct
{
  const char *from;
  gsize size;
  int value;
} Place;

typedef struct
{
  SumiTapeStep what; /* params: own copy */
  gboolean has[SUMI_TAPE_MAX_IN];
  int value[SUMI_TAPE_MAX_IN]; /* −1: depends on nothing watched */
  SumiTensor in[SUMI_TAPE_MAX_IN], out;
  int out_value;
} Step;

typedef struct
{
  gconstpointer data;
  const char *kind;
  const SumiTensor *tensor;
} Derived;

struct SumiTape
{
  SumiBlocks *blocks;
  GArray *values;  /* (element-type Value) */
  GArray *places;  /* (element-type Place): they do not overlap */
  GArray *steps;   /* (element-type Step) */
  GArray *derived; /* (element-type Derived) */
  SumiArena *arena;
  SumiPrepared *prepared;
};

static void
step_clear (gpointer data)
{
  g_free ((gpointer) ((Step *) data)->what.params);
}

SumiTape *
sumi_tape_new (void)
{
  SumiTape *tape = g_new0 (SumiTape, 1);

  tape->blocks = sumi_blocks_new ();
  tape->values = g_array_new (FALSE, FALSE, sizeof (Value));
  tape->places = g_array_new (FALSE, FALSE, sizeof (Place));
  tape->steps = g_array_new (FALSE, FALSE, sizeof (Step));
  g_array_set_clear_func (tape->steps, step_clear);
  tape->derived = g_array_new (FALSE, FALSE, sizeof (Derived));
  tape->arena = sumi_arena_new ();
  tape->prepared = sumi_prepared_new ();
  return tape;
}

void
sumi_tape_free (SumiTape *tape)
{
  if (! tape)
    return;
  sumi_blocks_free (tape->blocks);
  g_array_unref (tape->values);
  g_array_unref (tape->places);
  g_array_unref (tape->steps);
  g_array_unref (tape->derived);
  sumi_prepared_free (tape->prepared);
  sumi_arena_free (tape->arena);
  g_free (tape);
}

void
sumi_tape_reset (SumiTape *tape)
{
  g_array_set_size (tape->values, 0);
  g_array_set_size (tape->places, 0);
  g_array_set_size (tape->steps, 0);
  sumi_blocks_give_back_all (tape->blocks);
}

gsize
sumi_tape_get_peak (SumiTape *tape)
{
  return sumi_blocks_get_peak (tape->blocks) + sumi_arena_get_peak (tape->arena) +
         sumi_prepared_get_bytes (tape->prepared);
}

static float *
take (SumiTape *tape, SumiEval *ev, gsize count)
{
  return sumi_blocks_take (tape->blocks, ev, count);
}

static void
give_back (SumiTape *tape, float *data)
{
  sumi_blocks_give_back (tape->blocks, data);
}

typedef struct
{
  const float *a, *b; /* b: (nullable) */
  float *y;
  gsize n;
} SumJob;

static void
sum_piece (gpointer data, int index, int thread)
{
  const SumJob *job = data;
  const gsize start = (gsize) index * PIECE, n = MIN (job->n - start, PIECE);
  const float *a = job->a + start, *b = job->b ? job->b + start : NULL;
  float *y = job->y + start;

  if (! b)
    memcpy (y, a, sizeof (float) * n);
  for (gsize i = 0; b && i < n; i++)
    y[i] = a[i] + b[i];
}

/* y ← a + b, or a; y may be b. */
static void
sum (SumiEval *ev, const float *a, const float *b, float *y, gsize n)
{
  SumJob job = { a, b, y, n };

  sumi_parallel_for (ev->pool, (int) ((n + PIECE - 1) / PIECE), sum_piece, &job);
}

/* ---- values ----------------------------------------------------------- */

static gsize
bytes_of (const SumiTensor *t)
{
  return sumi_tensor_count (t) * sumi_dtype_size (t->dtype);
}

static Value *
value_at (SumiTape *tape, int index)
{
  return &g_array_index (tape->values, Value, (guint) index);
}

/* Returns: the place that @t reads something of, or NULL. */
static const Place *
find_place (SumiTape *tape, const SumiTensor *t)
{
  const char *from = t->data;
  const gsize size = bytes_of (t);

  for (guint i = 0; i < tape->places->len; i++)
    {
      const Place *p = &g_array_index (tape->places, Place, i);

      if (from < p->from + p->size && p->from < from + size)
        return p;
    }
  return NULL;
}

void
sumi_tape_forget (SumiTape *tape, gconstpointer memory, gsize size)
{
  const char *from = memory;

  for (guint i = tape->places->len; i-- > 0;)
    {
      const Place *p = &g_array_index (tape->places, Place, i);

      if (from < p->from + p->size && p->from < from + size)
        g_array_remove_index_fast (tape->places, i);
    }
}

/* A new value that lies in @t. */
static int
new_value (SumiTape *tape, const SumiTensor *t)
{
  const Value value = { .count = sumi_tensor_count (t) };
  const Place place = { t->data, bytes_of (t), (int) tape->values->len };

  sumi_tape_forget (tape, t->data, place.size);
  g_array_append_val (tape->values, value);
  g_array_append_val (tape->places, place);
  return place.value;
}

void
sumi_tape_watch (SumiTape *tape, const SumiTensor *x)
{
  g_return_if_fail (x->dtype == SUMI_DTYPE_F32);
  new_value (tape, x);
}

/* Returns: the value in @t; −1: it depends on nothing watched. */
static int
find_value (SumiTape *tape, SumiEval *ev, const char *name, const SumiTensor *t)
{
  const Place *p = find_place (tape, t);

  if (! p)
    return -1;
  if (p->from != (const char *) t->data || p->size != bytes_of (t))
    {
      g_autofree char *got = sumi_tensor_describe (t);

      sumi_eval_fail (ev, SUMI_ERROR_UNSUPPORTED,
                      "%s: there is no gradient through %s, which is only a part of a value or overlaps one", name,
                      got);
      return -1;
    }
  return p->value;
}

/* ---- recording -------------------------------------------------------- */

/* @t's elements in memory of the tape. */
static float *
keep (SumiTape *tape, SumiEval *ev, const SumiTensor *t, int value)
{
  float *kept = value >= 0 ? value_at (tape, value)->kept : NULL;

  if (value >= 0)
    value_at (tape, value)->keepers++;
  if (kept)
    return kept;
  kept = take (tape, ev, sumi_tensor_count (t));
  if (! kept)
    return NULL;
  sum (ev, sumi_tensor_f32 (t), NULL, kept, sumi_tensor_count (t));
  if (value >= 0)
    value_at (tape, value)->kept = kept;
  return kept;
}

void
sumi_tape_record (SumiEval *ev, const SumiTapeStep *what, const SumiTensor *const *in, const SumiTensor *out)
{
  SumiTape *tape = ev->tape;
  Step step = { .what = *what, .out = *out };
  gboolean any = FALSE, wide = out->dtype != SUMI_DTYPE_F32;

  g_return_if_fail (what->n_in <= SUMI_TAPE_MAX_IN);
  for (int i = 0; i < what->n_in; i++)
    {
      step.has[i] = in[i] != NULL;
      step.value[i] = in[i] ? find_value (tape, ev, what->name, in[i]) : -1;
      if (step.value[i] >= 0 && (what->fixed >> i & 1))
        sumi_eval_fail (ev, SUMI_ERROR_UNSUPPORTED,
                        "%s: its input %d depends on the picture, and there is no gradient through it", what->name, i);
      any |= step.value[i] >= 0;
      wide |= in[i] && ! (what->fixed >> i & 1) && in[i]->dtype != SUMI_DTYPE_F32;
    }
  if (any && wide)
    sumi_eval_fail (ev, SUMI_ERROR_UNSUPPORTED, "%s: gradients are of f32 values only", what->name);
  if (any && ! what->gradient && (what->passes | what->fixed) != (1 << what->n_in) - 1)
    sumi_eval_fail (ev, SUMI_ERROR_UNSUPPORTED, "%s has no gradient", what->name);
  if (ev->error)
    return;
  for (int i = 0; any && i < what->n_in; i++)
    if (in[i])
      {
        step.in[i] = *in[i];
        if (what->keeps >> i & 1)
          step.in[i].data = keep (tape, ev, in[i], step.value[i]);
        else if (! (what->fixed >> i & 1))
          step.in[i].data = NULL;
      }
  if (ev->error)
    return;
  if (! any)
    {
      sumi_tape_forget (tape, out->data, bytes_of (out));
      return;
    }
  step.what.params = what->params ? g_memdup2 (what->params, what->params_size) : NULL;
  step.out.data = NULL;
  step.out_value = new_value (tape, out);
  g_array_append_val (tape->steps, step);
}

/* ---- on the way back -------------------------------------------------- */

/* Where the gradient of one input goes. */
typedef struct
{
  SumiTensor tensor;
  float *apart; /* (nullable): memory for the second input that is the same value; it is added afterwards */
} Target;

/* Returns: whether nobody else wants anything of g. */
static gboolean
only_target (const Step *step, int i)
{
  for (int k = 0; k < step->what.n_in; k++)
    if (k != i && step->value[k] >= 0)
      return FALSE;
  return TRUE;
}

/* Prepares grad and add of input @i. */
static void
aim (SumiTape *tape, SumiEval *ev, const Step *step, int i, SumiBackward *b, Target *target)
{
  Value *value = value_at (tape, step->value[i]);
  gboolean again = FALSE;

  for (int k = 0; k < i; k++)
    again |= b->grad[k] && step->value[k] == step->value[i];
  target->tensor = step->in[i];
  if (! value->grad && (step->what.over >> i & 1) && only_target (step, i))
    {
      Value *out = value_at (tape, step->out_value);

      target->tensor.data = value->grad = g_steal_pointer (&out->grad);
    }
  else if (again)
    target->tensor.data = target->apart = take (tape, ev, value->count);
  else
    {
      if (value->grad)
        b->add[i] = &target->tensor;
      else
        value->grad = take (tape, ev, value->count);
      target->tensor.data = value->grad;
    }
  b->grad[i] = &target->tensor;
}

/* g to the inputs that it passes to; its memory becomes the last one's gradient if that has none. */
static void
pass (SumiTape *tape, SumiEval *ev, const Step *step)
{
  Value *out = value_at (tape, step->out_value);
  int last = -1;

  for (int i = 0; i < step->what.n_in; i++)
    if (step->value[i] >= 0 && (step->what.passes >> i & 1))
      last = i;
  for (int i = 0; i <= last && ! ev->error; i++)
    {
      Value *value = step->value[i] >= 0 && (step->what.passes >> i & 1) ? value_at (tape, step->value[i]) : NULL;
      const float *before = value ? value->grad : NULL;

      if (! value)
        continue;
      if (i == last && ! before)
        {
          value->grad = g_steal_pointer (&out->grad);
          return;
        }
      if (! before)
        value->grad = take (tape, ev, value->count);
      if (value->grad)
        sum (ev, out->grad, before, value->grad, value->count);
    }
}

static void
step_back (SumiTape *tape, SumiEval *ev, const Step *step)
{
  const SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  Value *out = value_at (tape, step->out_value);
  SumiTensor g = step->out;
  SumiBackward b = { .tape = tape, .params = step->what.params, .g = &g };
  Target targets[SUMI_TAPE_MAX_IN] = { 0 };
  gboolean any = FALSE;

  g.data = out->grad;
  for (int i = 0; i < step->what.n_in; i++)
    {
      b.in[i] = step->has[i] ? &step->in[i] : NULL;
      if (step->value[i] >= 0 && ! (step->what.passes >> i & 1))
        {
          aim (tape, ev, step, i, &b, targets + i);
          any = TRUE;
        }
    }
  if (any && ! ev->error)
    step->what.gradient (ev, &b);
  for (int i = 0; i < step->what.n_in && ! ev->error; i++)
    if (targets[i].apart)
      {
        Value *value = value_at (tape, step->value[i]);

        sum (ev, targets[i].apart, value->grad, value->grad, value->count);
        give_back (tape, targets[i].apart);
      }
  if (! ev->error)
    pass (tape, ev, step);
  give_back (tape, out->grad);
  out->grad = NULL;
  sumi_arena_release (ev->scratch, mark);
}

/* What only @step still read. */
static void
drop_kept (SumiTape *tape, const Step *step)
{
  for (int i = 0; i < step->what.n_in; i++)
    {
      Value *value = step->value[i] >= 0 ? value_at (tape, step->value[i]) : NULL;

      if (! step->has[i] || ! (step->what.keeps >> i & 1) || (value && --value->keepers > 0))
        continue;
      give_back (tape, step->in[i].data);
      if (value)
        value->kept = NULL;
    }
}

static void
drop_gradients (SumiTape *tape)
{
  for (int i = 0; i < (int) tape->values->len; i++)
    {
      give_back (tape, value_at (tape, i)->grad);
      value_at (tape, i)->grad = NULL;
    }
}

/* From the gradient of value @from to that of value @to. */
static void
walk_back (SumiTape *tape, SumiEval *ev, int from, int to, gboolean last)
{
  for (int i = (int) tape->steps->len - 1; i >= 0 && sumi_eval_ok (ev); i--)
    {
      const Step *step = &g_array_index (tape->steps, Step, (guint) i);

      if (step->out_value <= from && step->out_value > to && value_at (tape, step->out_value)->grad)
        step_back (tape, ev, step);
      if (last)
        drop_kept (tape, step);
    }
}

SumiTensor *
sumi_tape_gradient (SumiEval *ev,
                    SumiTape *tape,
                    const SumiTensor *y,
                    const SumiTensor *v,
                    const SumiTensor *x,
                    gboolean last)
{
  SumiTape *outer = ev->tape;
  SumiTensor *result;
  const Place *of_x = find_place (tape, x);
  int from;

  ev->tape = NULL;
  result = sumi_eval_tensor_like (ev, x);
  if (! ev->error && (! of_x || of_x->from != (const char *) x->data || of_x->size != bytes_of (x)))
    sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "gradient: x was not watched, or was written over");
  if (! ev->error && ! sumi_tensor_same_shape (y, v))
    {
      g_autofree char *got = sumi_tensor_describe (v), *want = sumi_tensor_describe (y);

      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "gradient: the cotangent is %s, expected %s", got, want);
    }
  from = ev->error ? -1 : find_value (tape, ev, "gradient", y);
  if (! ev->error && from >= 0)
    {
      Value *value = value_at (tape, from);

      value->grad = take (tape, ev, value->count);
      if (value->grad)
        sum (ev, sumi_tensor_f32 (v), NULL, value->grad, value->count);
      walk_back (tape, ev, from, of_x->value, last);
    }
  if (! ev->error)
    {
      const float *grad = from >= 0 ? value_at (tape, of_x->value)->grad : NULL;

      if (grad)
        sum (ev, grad, NULL, sumi_tensor_f32 (result), sumi_tensor_count (x));
      else
        memset (result->data, 0, sizeof (float) * sumi_tensor_count (x));
    }
  drop_gradients (tape);
  if (last)
    sumi_tape_reset (tape);
  ev->tape = outer;
  return ev->error ? sumi_eval_nothing (ev) : result;
}

/* ---- derived weights -------------------------------------------------- */

const SumiTensor *
sumi_tape_derive (SumiEval *ev,
                  SumiTape *tape,
                  const SumiTensor *w,
                  const char *kind,
                  int n_dims,
                  const int *shape,
                  SumiDerive derive)
{
  Derived derived = { w->data, kind };
  SumiTensor *t;

  for (guint i = 0; w->prepared && i < tape->derived->len; i++)
    {
      const Derived *d = &g_array_index (tape->derived, Derived, i);

      if (d->data == w->data && d->kind == kind)
        return d->tensor;
    }
  t = ev->error ? NULL : sumi_tensor_new (w->prepared ? tape->arena : ev->scratch, w->dtype, n_dims, shape);
  if (! t)
    {
      sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "no memory for %.0f MB of weights turned round; close other programs",
                      (double) bytes_of (w) * 1e-6);
      return NULL;
    }
  derive (w, t);
  if (w->prepared)
    {
      t->prepared = tape->prepared;
      derived.tensor = t;
      g_array_append_val (tape->derived, derived);
    }
  return t;
}
