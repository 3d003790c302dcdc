/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guidance by the gradient of a real network: the shipped one, through the tape, alone and under guidances of two of
 * them, which wait for each other's cotangents. */
#include <math.h>

#include "core/base/arena.h"
#include "core/model/restore-net.h"
#include "core/ops/ops.h"
#include "core/sumi.h"
#include "core/tensor/tape.h"
#include "tests/diffusion/guided.h"

#define SIDE 32

typedef struct
{
  SumiDenoiser denoiser;
  SumiRestoreNet *net; /* borrowed */
  SumiRestoreInput input;
  SumiTape *tape;
} Network;

static SumiTensor *
network_denoise (SumiDenoiser *denoiser, SumiEval *ev, SumiTensor *x, double sigma)
{
  const Network *self = (const Network *) denoiser;

  return sumi_restore_net_denoise (self->net, ev, &self->input, x, sigma);
}

static SumiTensor *
network_vjp (SumiDenoiser *denoiser,
             SumiEval *ev,
             SumiTensor *x,
             double sigma,
             SumiCotangent cotangent,
             gpointer data,
             SumiTensor **x0)
{
  Network *self = (Network *) denoiser;

  sumi_tape_watch (self->tape, x);
  ev->tape = self->tape;
  *x0 = network_denoise (denoiser, ev, x, sigma);
  ev->tape = NULL;
  return sumi_tape_gradient (ev, self->tape, *x0, cotangent (data, ev, *x0), x, TRUE);
}

/* One network, told that all is missing, or that all but luminance is. */
typedef struct
{
  SumiWeights *weights;
  SumiRestoreNet *net;
  Network missing, grey;
} Networks;

static void
init_network (Network *self, SumiRestoreNet *net, SumiArena *arena, SumiEval *ev, gsize channel)
{
  SumiTensor *b = guided_noise (arena, ev, SUMI_DTYPE_F32, 1, SIDE, SIDE, 3, 0.2);
  SumiTensor *e = guided_noise (arena, ev, SUMI_DTYPE_F32, 1, SIDE, SIDE, 3, 0);

  for (gsize i = channel; i < SIDE * SIDE * 3; i += 3)
    sumi_tensor_put (e, i, 1);
  *self = (Network){
    { .denoise = network_denoise, .vjp = network_vjp }, net, { .b = b, .e = e, .factor = 1 }, sumi_tape_new ()
  };
}

static void
networks_init (Networks *self, SumiArena *arena, SumiEval *ev)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "data", "models", "sumi-restore.safetensors", NULL);
  g_autoptr (GError) error = NULL;

  self->weights = sumi_weights_open (path, &error);
  g_assert_no_error (error);
  self->net = sumi_restore_net_load (self->weights, &error);
  g_assert_no_error (error);
  init_network (&self->missing, self->net, arena, ev, 0);
  init_network (&self->grey, self->net, arena, ev, 1);
}

static void
networks_clear (Networks *self)
{
  sumi_tape_free (self->missing.tape);
  sumi_tape_free (self->grey.tape);
  sumi_restore_net_free (self->net);
  sumi_weights_unref (self->weights);
}

static double
loss_along (SumiPotential *loss,
            SumiDenoiser *d,
            SumiEval *ev,
            const SumiTensor *x,
            const SumiTensor *direction,
            double t,
            double sigma)
{
  SumiTensor *at = sumi_lincomb (ev, 1, x, t, direction, 0, NULL, NULL);
  double value;

  sumi_potential_gradient (loss, ev, sumi_denoise (d, ev, at, sigma), sigma, &value);
  g_assert_no_error (ev->error);
  return value;
}

/* D' − D along a direction must be −σ² times the loss' slope along it. */
static void
check_push (SumiDenoiser *d, SumiPotential *loss, SumiArena *arena, SumiEval *ev, const char *what)
{
  const SumiGuidanceParts parts = { .base = d, .loss = loss };
  g_autoptr (SumiGuidance) guidance = guided_new ("gradient", NULL, &parts);
  SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F32, 1, SIDE, SIDE, 3, 1.2);

  for (double sigma = 0.3; sigma < 4; sigma *= 4)
    {
      SumiTensor *push = sumi_lincomb (ev, 1, sumi_denoise (&guidance->denoiser, ev, x, sigma), -1,
                                       sumi_denoise (d, ev, x, sigma), 0, NULL, NULL);
      double square = 0, slope = 0;
      const double h = 0.02 * sigma;

      for (gsize i = 0; i < sumi_tensor_count (push); i++)
        square += pow (sumi_tensor_get (push, i), 2);
      /* along itself, of length 1 */
      push = sumi_lincomb (ev, 1 / sqrt (square), push, 0, NULL, 0, NULL, NULL);
      for (int k = 1; k <= 2; k++)
        slope += (k == 1 ? 4.0 : -1.0) / 3 / (2 * h * k) *
                 (loss_along (loss, d, ev, x, push, h * k, sigma) - loss_along (loss, d, ev, x, push, -h * k, sigma));
      g_test_message ("%s, sigma = %g: push of length %.5g, by differences %.5g", what, sigma, sqrt (square),
                      -sigma * sigma * slope);
      g_assert_cmpfloat_with_epsilon (-sigma * sigma * slope / sqrt (square), 1, 5e-3);
    }
}

static void
test_push (void)
{
  static const double mean[] = { 0.4, -0.2, 0.1 };
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
  SumiTensor *target = guided_noise (arena, ev, SUMI_DTYPE_F32, 1, SIDE, SIDE, 3, -0.5);
  SumiTargetLoss wish;
  SumiToneLoss tone;
  Networks n;

  networks_init (&n, arena, ev);
  sumi_target_loss_init (&wish, target, NULL, 2);
  sumi_tone_loss_init (&tone, mean, 3, 0.05);
  check_push (&n.missing.denoiser, &wish.potential, arena, ev, "target");
  check_push (&n.missing.denoiser, &tone.potential, arena, ev, "tone");
  {
    SumiDenoiser *const conditions[] = { &n.grey.denoiser };
    const SumiGuidanceParts parts = { .base = &n.missing.denoiser, .n = 1, .conditions = conditions };
    g_autoptr (SumiGuidance) cfg = guided_new ("cfg", "cfg-scale=1.5", &parts);

    ev->n_denoise = 0;
    check_push (&cfg->denoiser, &wish.potential, arena, ev, "target through cfg");
    g_assert_cmpint (ev->n_denoise, ==, 2 * 2 * 6);
  }
  networks_clear (&n);
}

/* A run ends with the mean colour that was wished for, as near as the loss says. */
static void
test_run (void)
{
  static const double mean[] = { 0.5, -0.4, 0.2 };
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  double off[2] = { 0 };

  for (int guided = 0; guided < 2; guided++)
    {
      g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
      g_auto (SumiPlan) plan = { NULL };
      const SumiPlanNames names = { .sampler = "euler", .schedule = "karras", .guidance = guided ? "gradient" : NULL };
      g_autofree double *sigmas = NULL;
      g_autoptr (SumiGuidance) guidance = NULL;
      g_autoptr (GError) error = NULL;
      SumiTensor *x = guided_noise (arena, ev, SUMI_DTYPE_F32, 1, SIDE, SIDE, 3, 0);
      SumiToneLoss tone;
      Networks n;
      SumiLoop loop = { .n_steps = 12, .seed = 3 };
      SumiGuidanceParts parts = { .loss = &tone.potential };

      networks_init (&n, arena, ev);
      sumi_tone_loss_init (&tone, mean, 3, 0.05);
      g_assert_true (sumi_plan_init (&plan, &names, &names, &error));
      parts.base = &n.missing.denoiser;
      g_assert_true (sumi_plan_guide (&plan, &parts, "sumi-restore", &guidance, &error));
      loop.denoiser = guidance ? &guidance->denoiser : parts.base;
      loop.sampler = plan.sampler;
      loop.sigmas = sigmas = sumi_plan_dup_sigmas (&plan, 12, 0.05, 10, NULL, &error);
      g_assert_true (sumi_loop_run (&loop, ev, x, sumi_loop_start (&loop, ev, x), NULL, &error));
      for (gsize c = 0; c < 3; c++)
        {
          double sum = 0;

          for (gsize i = c; i < SIDE * SIDE * 3; i += 3)
            sum += sumi_tensor_get (x, i) / SIDE / SIDE;
          off[guided] = MAX (off[guided], fabs (sum - mean[c]));
        }
      networks_clear (&n);
    }
  g_test_message ("mean colour off by at most %.3f unguided, %.3f guided", off[0], off[1]);
  g_assert_cmpfloat (off[0], >, 0.25);
  g_assert_cmpfloat (off[1], <, 0.1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/guidance/network/push", test_push);
  g_test_add_func ("/guidance/network/run", test_run);
  return g_test_run ();
}
