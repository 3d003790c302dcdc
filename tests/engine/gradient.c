/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reverse mode: the gradient of every op of the registry, of chains that use their memory again, and of the whole
 * shipped network, against differences of the values themselves; the same bytes for every thread count; cancel and
 * missing memory.
 *
 * The measure is v·J·d for a cotangent v and a direction d: by the tape (Jᵀ·v)·d, by differences
 * (v·f (x + h·d) − v·f (x − h·d))/2h in double over f32 values of the reference kernels. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/model/restore-net.h"
#include "core/model/restore-project.h"
#include "core/ops/op.h"
#include "core/ops/ops.h"
#include "core/sumi.h"
#include "core/tensor/prepared.h"
#include "core/tensor/tape.h"
#include "core/tensor/tensor.h"

typedef struct
{
  SumiTensor *in[SUMI_OP_MAX_IN]; /* NULL: absent */
} Inputs;

static SumiTensor *
random_tensor (SumiArena *arena, int n_dims, const int *shape, int seed)
{
  SumiTensor *t = sumi_tensor_new (arena, SUMI_DTYPE_F32, n_dims, shape);

  g_assert_nonnull (t);
  for (gsize i = 0; i < sumi_tensor_count (t); i++)
    {
      float pair[2];

      sumi_random_normal (11, (guint32) seed, (int) i, 0, 0, pair);
      sumi_tensor_f32 (t)[i] = pair[0];
    }
  return t;
}

static Inputs
make_inputs (SumiArena *arena, const SumiOpClass *op, const SumiOpCase *c)
{
  Inputs inputs = { { NULL } };

  for (int i = 0; i < op->n_in; i++)
    {
      int n = 0;

      while (n < SUMI_MAX_DIMS && c->in[i][n])
        n++;
      if (n)
        inputs.in[i] = random_tensor (arena, n, c->in[i], i);
    }
  return inputs;
}

static double
dot (const SumiTensor *a, const SumiTensor *b)
{
  double sum = 0;

  g_assert_true (sumi_tensor_same_shape (a, b));
  for (gsize i = 0; i < sumi_tensor_count (a); i++)
    sum += (double) sumi_tensor_f32 (a)[i] * sumi_tensor_f32 (b)[i];
  return sum;
}

static double
norm (const SumiTensor *a)
{
  return sqrt (dot (a, a));
}

static void
finish (SumiEval *ev)
{
  g_autoptr (GError) error = NULL;

  sumi_eval_finish (ev, &error);
  g_assert_no_error (error);
}

/* x + h·d */
static SumiTensor *
moved (SumiArena *arena, const SumiTensor *x, double h, const SumiTensor *d)
{
  SumiTensor *y = sumi_tensor_to_f32 (arena, x);

  for (gsize i = 0; i < sumi_tensor_count (x); i++)
    sumi_tensor_f32 (y)[i] = (float) (sumi_tensor_f32 (x)[i] + h * sumi_tensor_f32 (d)[i]);
  return y;
}

/* ---- ops -------------------------------------------------------------- */

static SumiTensor *
tape_gradient (SumiEval *ev, const SumiOpClass *op, const Inputs *inputs, int which, gconstpointer params)
{
  g_autoptr (SumiTape) tape = sumi_tape_new ();
  SumiTensor *y, *gradient, *v;

  sumi_tape_watch (tape, inputs->in[which]);
  ev->tape = tape;
  y = sumi_op_call (ev, op, (const SumiTensor *const *) inputs->in, params, NULL);
  ev->tape = NULL;
  finish (ev);
  v = random_tensor (ev->scratch, y->n_dims, y->shape, 99);
  gradient = sumi_tape_gradient (ev, tape, y, v, inputs->in[which], TRUE);
  finish (ev);
  return gradient;
}

/* (v·f (x + h·d) − v·f (x − h·d))/2h */
static double
difference (SumiArena *arena,
            const SumiOpClass *op,
            const Inputs *inputs,
            int which,
            gconstpointer params,
            const SumiTensor *d,
            double h)
{
  g_autoptr (SumiEval) plain = sumi_eval_new (NULL, NULL);
  Inputs up = *inputs, down = *inputs;
  const SumiTensor *high, *low, *v;
  double sum = 0;

  up.in[which] = moved (arena, inputs->in[which], h, d);
  down.in[which] = moved (arena, inputs->in[which], -h, d);
  high = sumi_op_call (plain, op, (const SumiTensor *const *) up.in, params, NULL);
  low = sumi_op_call (plain, op, (const SumiTensor *const *) down.in, params, NULL);
  finish (plain);
  v = random_tensor (arena, high->n_dims, high->shape, 99);
  for (gsize i = 0; i < sumi_tensor_count (high); i++)
    sum += sumi_tensor_f32 (v)[i] * ((double) sumi_tensor_f32 (high)[i] - sumi_tensor_f32 (low)[i]);
  return sum / (2 * h);
}

/* Two steps and what they say of h = 0 (Richardson): the f32 values' rounding is all that is left. */
static double
derivative (SumiArena *arena,
            const SumiOpClass *op,
            const Inputs *inputs,
            int which,
            gconstpointer params,
            const SumiTensor *d)
{
  const double h = 1.0 / 64;

  return (4 * difference (arena, op, inputs, which, params, d, h) -
          difference (arena, op, inputs, which, params, d, 2 * h)) /
         3;
}

static void
check_input (SumiArena *arena, const SumiOpClass *op, const SumiOpCase *c, const Inputs *inputs, int which)
{
  g_autoptr (SumiPool) three = sumi_pool_new (3);
  g_autoptr (SumiEval) plain = sumi_eval_new (NULL, NULL), fast = sumi_eval_new (sumi_backend_default (), NULL);
  g_autoptr (SumiEval) threaded = sumi_eval_new (sumi_backend_default (), three);
  const SumiTensor *got = tape_gradient (plain, op, inputs, which, c->params);
  const SumiTensor *quick = tape_gradient (fast, op, inputs, which, c->params);
  const SumiTensor *again = tape_gradient (threaded, op, inputs, which, c->params);
  const gsize bytes = sumi_tensor_count (got) * sizeof (float);

  g_assert_true (sumi_tensor_same_shape (got, inputs->in[which]));
  g_assert_cmpmem (quick->data, bytes, again->data, bytes);
  for (int k = 0; k < 3; k++)
    {
      const SumiTensor *d = random_tensor (arena, got->n_dims, got->shape, 40 + k);
      const double want = derivative (arena, op, inputs, which, c->params, d);
      /* what v·J·d is by its order, since it may be anything down to 0, which J may be too */
      const double size = norm (got) + fabs (want) + 1e-3, error = fabs (dot (got, d) - want) / size;
      const double quick_error = fabs (dot (quick, d) - want) / size;

      g_test_message ("%s, input %d: %.6g by differences, off by %.1e, fast %.1e", op->key, which, want, error,
                      quick_error);
      g_assert_cmpfloat (error, <, 1e-3);
      g_assert_cmpfloat (quick_error, <, 1e-3);
    }
}

static void
test_op (gconstpointer data)
{
  const SumiOpClass *op = data;
  const int all = (1 << op->n_in) - 1;

  if (! op->gradient)
    g_assert_cmpint (op->passes | op->fixed, ==, all);
  g_assert_cmpint (op->weights & ~op->fixed, ==, 0);
  g_assert_cmpint (op->fixed & 1, ==, 0);
  for (int i = 0; i < op->n_cases; i++)
    {
      const SumiOpCase *c = op->cases + i;
      g_autoptr (SumiArena) arena = sumi_arena_new ();
      const Inputs inputs = make_inputs (arena, op, c);

      /* a parameter that the op has must be copied with it */
      g_assert_true (! c->params || op->params_size > 0);
      for (int which = 0; which < op->n_in; which++)
        if (inputs.in[which] && ! (op->fixed >> which & 1))
          check_input (arena, op, c, &inputs, which);
    }
}

/* A parameter that depends on what is watched is refused, not taken for a constant. */
static void
test_fixed (gconstpointer data)
{
  const SumiOpClass *op = data;

  for (int which = 0; which < op->n_in; which++)
    {
      g_autoptr (SumiArena) arena = sumi_arena_new ();
      g_autoptr (SumiTape) tape = sumi_tape_new ();
      g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
      const SumiOpCase *c = op->cases;
      Inputs inputs;
      g_autoptr (GError) error = NULL;

      while (c < op->cases + op->n_cases - 1 && ! c->in[which][0])
        c++;
      inputs = make_inputs (arena, op, c);
      if (! inputs.in[which] || ! (op->fixed >> which & 1))
        continue;
      sumi_tape_watch (tape, inputs.in[which]);
      ev->tape = tape;
      sumi_op_call (ev, op, (const SumiTensor *const *) inputs.in, c->params, NULL);
      g_assert_false (sumi_eval_finish (ev, &error));
      g_assert_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED);
    }
}

/* ---- chains ----------------------------------------------------------- */

typedef struct
{
  SumiTensor *w, *w_half, *gain, *x, *v;
} Chain;

static Chain
make_chain (SumiArena *arena, SumiPrepared *prepared)
{
  Chain c = {
    .w = random_tensor (arena, 4, (const int[]){ 6, 6, 3, 3 }, 1),
    .w_half = random_tensor (arena, 4, (const int[]){ 6, 12, 1, 1 }, 2),
    .gain = random_tensor (arena, 1, (const int[]){ 6 }, 3),
    .x = random_tensor (arena, 4, (const int[]){ 1, 8, 10, 6 }, 4),
    .v = random_tensor (arena, 4, (const int[]){ 1, 8, 10, 6 }, 5),
  };

  c.w->prepared = c.w_half->prepared = prepared;
  return c;
}

/* Two residual blocks, a join with the first value, a sum of a value with itself. @reuse: in place and in released
 * memory wherever that goes. */
static SumiTensor *
run_chain (SumiEval *ev, const Chain *c, gboolean reuse)
{
  SumiTensor *y = sumi_lincomb (ev, 0.5, c->x, 0, NULL, 0, NULL, NULL), *both, *h;
  SumiArenaMark inner;

  for (int i = 0; i < 2; i++)
    {
      inner = sumi_arena_mark (ev->scratch);
      h = sumi_rms_silu (ev, y, c->gain, NULL, NULL);
      h = sumi_conv2d (ev, h, c->w, NULL, 1, 1, NULL);
      h = sumi_rms_silu (ev, h, c->gain, NULL, reuse ? h : NULL);
      y = sumi_conv2d_add (ev, h, c->w, NULL, y, FALSE, 1, reuse ? y : NULL);
      if (reuse)
        sumi_arena_release (ev->scratch, inner);
    }
  h = sumi_silu (ev, y, NULL);
  both = sumi_concat (ev, h, y, NULL);
  y = sumi_conv2d (ev, both, c->w_half, NULL, 1, 0, reuse ? h : NULL);
  y = sumi_add (ev, y, y, NULL);
  h = sumi_silu (ev, c->x, NULL); /* and a second way to it */
  y = sumi_lincomb (ev, 1, y, -0.75, h, 0, NULL, reuse ? y : NULL);
  return y;
}

static const SumiTensor *
chain_gradient (SumiEval *ev, SumiTape *tape, const Chain *c, gboolean reuse, gboolean last)
{
  SumiTensor *gradient;

  sumi_tape_reset (tape);
  sumi_tape_watch (tape, c->x);
  ev->tape = tape;
  gradient = run_chain (ev, c, reuse);
  ev->tape = NULL;
  gradient = sumi_tape_gradient (ev, tape, gradient, c->v, c->x, last);
  finish (ev);
  return gradient;
}

/* The same gradient, to the last bit, however memory is used; again from the same tape; by any number of threads; and
 * it is the gradient. */
static void
test_chain (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiPrepared) prepared = sumi_prepared_new ();
  g_autoptr (SumiPool) three = sumi_pool_new (3);
  g_autoptr (SumiTape) tape = sumi_tape_new (), other = sumi_tape_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  g_autoptr (SumiEval) threaded = sumi_eval_new (sumi_backend_default (), three);
  Chain c = make_chain (arena, prepared);
  const SumiTensor *want = chain_gradient (ev, other, &c, FALSE, FALSE);
  const SumiTensor *d = random_tensor (arena, 4, want->shape, 50);
  const gsize bytes = sumi_tensor_count (want) * sizeof (float);
  const double h = 1.0 / 256;
  gsize peak = 0;
  double differences;
  Chain up = c, down = c;

  for (int i = 0; i < 4; i++)
    {
      g_assert_cmpmem (chain_gradient (i == 1 ? threaded : ev, tape, &c, TRUE, i % 2)->data, bytes, want->data, bytes);
      g_assert_true (i == 0 || sumi_tape_get_peak (tape) == peak); /* nothing new the second time */
      peak = sumi_tape_get_peak (tape);
    }
  up.x = moved (arena, c.x, h, d);
  down.x = moved (arena, c.x, -h, d);
  differences = (dot (c.v, run_chain (ev, &up, TRUE)) - dot (c.v, run_chain (ev, &down, TRUE))) / (2 * h);
  g_test_message ("%g by differences, %g by the tape", differences, dot (want, d));
  g_assert_cmpfloat (fabs (differences - dot (want, d)), <, 1e-3 * norm (want));
}

/* With the tape there, what comes out of the ops is what comes out without. */
static void
test_values (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiTape) tape = sumi_tape_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  Chain c = make_chain (arena, NULL);
  const SumiTensor *want = run_chain (ev, &c, TRUE), *got;

  sumi_tape_watch (tape, c.x);
  ev->tape = tape;
  got = run_chain (ev, &c, TRUE);
  finish (ev);
  g_assert_cmpmem (got->data, 4 * sumi_tensor_count (got), want->data, 4 * sumi_tensor_count (want));
}

/* Memory where a value lay, in use for something else, is not that value; and a part of a value is an error. */
static void
test_places (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiTape) tape = sumi_tape_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  SumiTensor *x = random_tensor (arena, 1, (const int[]){ 64 }, 1), *v = random_tensor (arena, 1, x->shape, 2);
  SumiTensor *y, *z, half = *x;
  const SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  const float *lay;
  g_autoptr (GError) error = NULL;

  sumi_tape_watch (tape, x);
  ev->tape = tape;
  lay = sumi_tensor_f32 (sumi_silu (ev, x, NULL));
  sumi_arena_release (ev->scratch, mark);
  z = sumi_eval_tensor_like (ev, x);
  g_assert_true (sumi_tensor_f32 (z) == lay);
  memcpy (z->data, v->data, sizeof (float) * 64);
  y = sumi_silu (ev, z, NULL);
  z = sumi_tape_gradient (ev, tape, y, v, x, FALSE);
  finish (ev);
  g_assert_true (ev->tape == tape);
  for (int i = 0; i < 64; i++)
    g_assert_cmpfloat (sumi_tensor_f32 (z)[i], ==, 0);
  /* of itself */
  g_assert_cmpmem (sumi_tape_gradient (ev, tape, x, v, x, FALSE)->data, 256, v->data, 256);

  half.shape[0] = 32;
  sumi_silu (ev, &half, NULL);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  sumi_tape_gradient (ev, tape, x, &half, x, FALSE);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
  g_clear_error (&error);
  sumi_tape_gradient (ev, tape, x, v, v, FALSE);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE);
}

static void
cancel_now (gpointer data, const SumiOpClass *op, gint64 us)
{
  g_cancellable_cancel (data);
}

/* On the way back too: nothing is run after the op that was under way. */
static void
test_cancel (void)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (SumiTape) tape = sumi_tape_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  Chain c = make_chain (arena, NULL);
  SumiTensor *y;
  g_autoptr (GError) error = NULL;

  sumi_tape_watch (tape, c.x);
  ev->tape = tape;
  y = run_chain (ev, &c, TRUE);
  finish (ev);
  ev->cancellable = cancellable;
  ev->ran = cancel_now;
  ev->ran_data = cancellable;
  g_assert_cmpuint (sumi_tensor_count (sumi_tape_gradient (ev, tape, y, c.v, c.x, FALSE)), ==, 0);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  /* and the tape is as good as before */
  g_cancellable_reset (cancellable);
  ev->ran = NULL;
  ev->cancellable = NULL;
  g_assert_cmpuint (sumi_tensor_count (sumi_tape_gradient (ev, tape, y, c.v, c.x, FALSE)), ==, sumi_tensor_count (c.x));
  finish (ev);
}

/* Sizes that cannot be had, to be kept: nothing is ever asked of the system. */
static void
test_memory (void)
{
  g_autoptr (SumiTape) tape = sumi_tape_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  float dot_data = 0;
  SumiTensor huge = { SUMI_DTYPE_F32, 4, { 3, G_MAXINT / 2, G_MAXINT / 4, 1 }, &dot_data };
  g_autoptr (GError) error = NULL;

  sumi_tape_watch (tape, &huge);
  ev->tape = tape;
  sumi_silu (ev, &huge, &huge);
  g_assert_false (sumi_eval_finish (ev, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY);
  g_assert_nonnull (strstr (error->message, "gradient"));
}

/* ---- restore ---------------------------------------------------------- */

#define HEIGHT 32
#define WIDTH  48

typedef struct
{
  SumiRestoreNet *net;
  SumiRestoreInput input;
  const SumiTensor *e;
  double sigma;
} Network;

/* As the family does it. */
static SumiTensor *
run_network (SumiEval *ev, const Network *n, const SumiTensor *u)
{
  SumiTensor *d = sumi_restore_net_denoise (n->net, ev, &n->input, u, n->sigma);

  sumi_restore_project (ev, n->e, d);
  finish (ev);
  return d;
}

static const SumiTensor *
network_gradient (SumiEval *ev, SumiTape *tape, const Network *n, const SumiTensor *u, const SumiTensor *v)
{
  SumiTensor *d;

  sumi_tape_reset (tape);
  sumi_tape_watch (tape, u);
  ev->tape = tape;
  d = run_network (ev, n, u);
  ev->tape = NULL;
  d = sumi_tape_gradient (ev, tape, d, v, u, TRUE);
  finish (ev);
  return d;
}

/* Missing to the left, grey in the middle, known to the right: the projection's three cases. */
static SumiTensor *
evidence (SumiArena *arena, const int *shape)
{
  SumiTensor *e = random_tensor (arena, 4, shape, 3);

  memset (e->data, 0, sizeof (float) * sumi_tensor_count (e));
  for (int i = 0; i < HEIGHT * WIDTH; i++)
    {
      const int x = i % WIDTH;

      sumi_tensor_f32 (e)[3 * i] = x < 16;
      sumi_tensor_f32 (e)[3 * i + 1] = x >= 16 && x < 32;
    }
  return e;
}

static void
test_restore (void)
{
  static const double sigmas[] = { 0.2, 1, 5 };
  const int shape[] = { 1, HEIGHT, WIDTH, 3 };
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "data", "models", "sumi-restore.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiWeights) weights = sumi_weights_open (path, &error);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiPool) three = sumi_pool_new (3);
  g_autoptr (SumiTape) tape = sumi_tape_new (), other = sumi_tape_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  g_autoptr (SumiEval) threaded = sumi_eval_new (sumi_backend_default (), three);
  g_autoptr (SumiRestoreNet) net = NULL;
  SumiTensor *u = random_tensor (arena, 4, shape, 1), *b = random_tensor (arena, 4, shape, 2), *v, *d;
  Network n = { .e = evidence (arena, shape) };

  g_assert_no_error (error);
  n.net = net = sumi_restore_net_load (weights, &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < sumi_tensor_count (b); i++)
    sumi_tensor_f32 (b)[i] = CLAMP (0.3f * sumi_tensor_f32 (b)[i], -1, 1);
  n.input = (SumiRestoreInput){ .b = b, .e = n.e, .factor = 1 };
  v = random_tensor (arena, 4, shape, 4);
  d = random_tensor (arena, 4, shape, 5);
  for (int i = 0; i < G_N_ELEMENTS (sigmas); i++)
    {
      const SumiTensor *x = moved (arena, u, sigmas[i] - 1, u), *got, *again;
      const double h = 0.01 * sigmas[i];
      double want = 0;

      n.sigma = sigmas[i];
      got = network_gradient (ev, tape, &n, x, v);
      again = network_gradient (threaded, other, &n, x, v);
      g_assert_cmpmem (got->data, 4 * sumi_tensor_count (got), again->data, 4 * sumi_tensor_count (again));
      for (int k = 1; k <= 2; k++)
        want += (k == 1 ? 4.0 : -1.0) / 3 / (2 * h * k) *
                (dot (v, run_network (ev, &n, moved (arena, x, h * k, d))) -
                 dot (v, run_network (ev, &n, moved (arena, x, -h * k, d))));
      g_test_message ("σ = %g: %.6g by differences, %.6g by the tape", sigmas[i], want, dot (got, d));
      g_assert_cmpfloat (fabs (dot (got, d) - want), <, 1e-3 * norm (got));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (int i = 0; sumi_ops ()[i]; i++)
    {
      const SumiOpClass *op = sumi_ops ()[i];
      g_autofree char *name = g_strdup_printf ("/gradient/%s", op->key);
      g_autofree char *fixed = g_strdup_printf ("/gradient/%s/fixed", op->key);

      g_test_add_data_func (name, op, test_op);
      if (op->fixed)
        g_test_add_data_func (fixed, op, test_fixed);
    }
  g_test_add_func ("/gradient/chain", test_chain);
  g_test_add_func ("/gradient/values", test_values);
  g_test_add_func ("/gradient/places", test_places);
  g_test_add_func ("/gradient/cancel", test_cancel);
  g_test_add_func ("/gradient/memory", test_memory);
  g_test_add_func ("/gradient/restore", test_restore);
  return g_test_run ();
}
