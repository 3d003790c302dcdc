/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks that are exactly right about Gaussian data, each in its own parameterisation, must give the exact D at every
 * σ and for every process. They see what real ones see, c_in·x and c_noise, and compute from the state X = α·x0 +
 * s·noise of the process; D comes from exact.h. */
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/diffusion/precond.h"
#include "core/diffusion/process.h"
#include "core/sumi.h"
#include "core/tensor/tensor.h"

#define MEAN   0.7
#define STD    0.6
#define VALUES 12

typedef struct
{
  const SumiPrecondClass *klass;
  const SumiPrecondInput *input;
  gboolean broken; /* off where the other head alone is right */
} Net;

static SumiTensor *
made (SumiEval *ev, const SumiTensor *like, int channels)
{
  return sumi_eval_tensor_of (ev, like->dtype, 4,
                              (const int[]){ like->shape[0], like->shape[1], like->shape[2], channels });
}

static SumiPrecondAnswer
net_call (gpointer data, SumiEval *ev, SumiTensor *x, double c_noise)
{
  const Net *net = data;
  const char *key = net->klass->key;
  SumiPrecondAnswer answer = { { made (ev, x, 1), made (ev, x, 1) }, made (ev, x, 1) };
  double alpha, s; /* of X */

  if (! strcmp (key, "flow"))
    {
      alpha = 1 - c_noise;
      s = c_noise;
    }
  else if (! strcmp (key, "edm"))
    {
      alpha = 1;
      s = exp (4 * c_noise);
    }
  else
    {
      alpha = net->input->process->alpha (c_noise);
      s = alpha * net->input->process->sigma (c_noise);
    }
  for (gsize i = 0; i < VALUES; i++)
    {
      const double state = ! strcmp (key, "edm") ? sumi_tensor_get (x, i) * hypot (s, 0.5) : sumi_tensor_get (x, i);
      const double off = (state - alpha * MEAN) / (alpha * alpha * STD * STD + s * s);
      const double noise = s * off, x0 = MEAN + alpha * STD * STD * off; /* their means given X */
      double value = NAN;

      if (! strcmp (key, "epsilon") || ! strcmp (key, "dual"))
        value = noise;
      else if (! strcmp (key, "v"))
        value = alpha * noise - s * x0;
      else if (! strcmp (key, "x0"))
        value = x0;
      else if (! strcmp (key, "score"))
        value = -off;
      else if (! strcmp (key, "flow"))
        value = noise - x0;
      else if (! strcmp (key, "edm")) /* Karras et al., eq. 8: the target, averaged */
        value = (x0 - 0.25 / (s * s + 0.25) * state) / (s * 0.5 / sqrt (s * s + 0.25));
      sumi_tensor_put (answer.heads[0], i, net->broken && i % 2 ? 1e3 : value);
      sumi_tensor_put (answer.heads[1], i, net->broken && i % 2 == 0 ? 1e3 : x0);
      sumi_tensor_put (answer.blend, i, net->broken ? i % 2 : i / (VALUES - 1.0));
    }
  return answer;
}

static void
check (const SumiPrecondClass *klass, const SumiProcessClass *process, gboolean broken)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiExact) exact = sumi_exact_parse ("gaussian:0.7,0.6", NULL);
  SumiTensor *x = sumi_tensor_new (arena, SUMI_DTYPE_F64, 4, (const int[]){ 1, 1, VALUES, 1 });
  const SumiPrecondInput input = { process, 0.5 };
  Net net = { klass, &input, broken };

  for (double sigma = 0.012; sigma < 155; sigma *= 1.3)
    {
      SumiArenaMark mark = sumi_arena_mark (ev->scratch);
      SumiTensor *d;

      for (gsize i = 0; i < VALUES; i++)
        sumi_tensor_put (x, i, MEAN + ((double) i - 5) * 0.4 * hypot (STD, sigma));
      d = sumi_precond_denoise (klass, &input, ev, x, sigma, net_call, &net);
      g_assert_no_error (ev->error);
      for (gsize i = 0; i < VALUES; i++)
        {
          const double at = sumi_tensor_get (x, i);
          double wanted;

          sumi_exact_denoise (exact, &at, sigma, &wanted);
          if (! (fabs (sumi_tensor_get (d, i) - wanted) < 1e-9 * (1 + sigma)))
            g_error ("%s of %s at σ = %g: D = %.15g, should be %.15g", klass->key, process->key, sigma,
                     sumi_tensor_get (d, i), wanted);
        }
      sumi_arena_release (ev->scratch, mark);
    }
}

static void
test_row (gconstpointer data)
{
  const SumiPrecondClass *klass = data;

  for (const SumiProcessClass *const *p = sumi_processes (); *p; p++)
    {
      check (klass, *p, FALSE);
      if (klass->heads == 2)
        check (klass, *p, TRUE); /* the map alone decides which head counts */
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (const SumiPrecondClass *const *p = sumi_preconds (); *p; p++)
    {
      g_autofree char *path = g_strdup_printf ("/precond/%s", (*p)->key);

      g_test_add_data_func (path, *p, test_row);
    }
  return g_test_run ();
}
