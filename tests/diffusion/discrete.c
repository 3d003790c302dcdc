/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The papers' update rules, read a second time: plain double arithmetic in the papers' own coordinates, those of DDPM,
 * x_t = √ᾱ·x0 + √(1 − ᾱ)·ε with the table β = 10⁻⁴ … 0.02, on ε_θ of a mixture, against what the samplers make of the
 * same σ = √((1 − ᾱ)/ᾱ). Every state of the way is compared, for runs of 10, 100 and 1000 steps, in f64 and f32. */
#include <math.h>

#include "core/base/arena.h"
#include "core/diffusion/loop.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"
#include "tests/diffusion/run.h"

#define T     1000
#define DATA  "mixture:0.6,-1,0.6;0.4,0.9,0.5"
#define START 1.3

static const double part_weight[] = { 0.6, 0.4 }, part_mean[] = { -1, 0.9 }, part_std[] = { 0.6, 0.5 };

/* ---- a run in DDPM's coordinates ------------------------------------------ */

typedef struct
{
  int n;
  int step;        /* of the table, between two of the run's times; 0: time is continuous */
  double *t;       /* [n] */
  double *abar;    /* [n + 1]: ᾱ from the noisiest to 1 */
  double *x;       /* [n + 1]: out */
  double noise[T]; /* [n] */
} Path;

static double
table_abar (int t)
{
  double product = 1;

  for (int i = 0; i <= t; i++)
    product *= 1 - (1e-4 + (0.02 - 1e-4) * i / (T - 1));
  return product;
}

/* E[x0 | x_t] */
static double
predict_x0 (double x, double abar)
{
  double sum = 0, total = 0;

  for (int k = 0; k < 2; k++)
    {
      const double v = abar * part_std[k] * part_std[k] + 1 - abar, off = x - sqrt (abar) * part_mean[k];
      const double w = part_weight[k] / sqrt (v) * exp (-off * off / (2 * v));

      total += w;
      sum += w * (part_mean[k] + sqrt (abar) * part_std[k] * part_std[k] / v * off);
    }
  return sum / total;
}

static double
predict_eps (double x, double abar)
{
  return (x - sqrt (abar) * predict_x0 (x, abar)) / sqrt (1 - abar);
}

/* ---- the papers ----------------------------------------------------------- */

/* DDIM, eq. 12, with σ of eq. 16. */
static double
ddim_rule (double x, double eps, double a, double b, double eta, double z)
{
  const double sigma = eta * sqrt ((1 - b) / (1 - a)) * sqrt (1 - a / b);

  return sqrt (b) * (x - sqrt (1 - a) * eps) / sqrt (a) + sqrt (MAX (1 - b - sigma * sigma, 0)) * eps + sigma * z;
}

static void
read_ddim (Path *p)
{
  for (int i = 0; i < p->n; i++)
    p->x[i + 1] = ddim_rule (p->x[i], predict_eps (p->x[i], p->abar[i]), p->abar[i], p->abar[i + 1], 0, 0);
}

static void
read_ddim_eta (Path *p)
{
  for (int i = 0; i < p->n; i++)
    p->x[i + 1] = ddim_rule (p->x[i], predict_eps (p->x[i], p->abar[i]), p->abar[i], p->abar[i + 1], 0.5, p->noise[i]);
}

/* PNDM, eq. 11: the transfer φ (x, ε, t, t'). */
static double
transfer (double x, double eps, double a, double b)
{
  return sqrt (b / a) * x - (b - a) / (sqrt (a) * (sqrt ((1 - b) * a) + sqrt ((1 - a) * b))) * eps;
}

/* PNDM, eq. 12; fewer values for fewer steps. @e: from this step's backwards. */
static double
adams (const double *e, int n)
{
  switch (n)
    {
    case 1:
      return e[0];
    case 2:
      return (3 * e[0] - e[-1]) / 2;
    case 3:
      return (23 * e[0] - 16 * e[-1] + 5 * e[-2]) / 12;
    default:
      return (55 * e[0] - 59 * e[-1] + 37 * e[-2] - 9 * e[-3]) / 24;
    }
}

static void
read_plms (Path *p)
{
  double e[T];

  for (int i = 0; i < p->n; i++)
    {
      const double a = p->abar[i], b = p->abar[i + 1];

      e[i] = predict_eps (p->x[i], a);
      p->x[i + 1] = transfer (
          p->x[i], i == 0 ? (e[0] + predict_eps (transfer (p->x[0], e[0], a, b), b)) / 2 : adams (e + i, i + 1), a, b);
    }
}

static void
read_pndm (Path *p)
{
  double e[T];

  for (int i = 0; i < p->n; i++)
    {
      const double a = p->abar[i], b = p->abar[i + 1], x = p->x[i];
      double effective;

      e[i] = effective = predict_eps (x, a);
      if (i < 3)
        {
          const double half = table_abar ((int) p->t[i] - p->step / 2);
          const double e2 = predict_eps (transfer (x, e[i], a, half), half);
          const double e3 = predict_eps (transfer (x, e2, a, half), half);
          const double e4 = predict_eps (transfer (x, e3, a, b), b);

          effective = (e[i] + 2 * e2 + 2 * e3 + e4) / 6;
        }
      else
        effective = adams (e + i, 4);
      p->x[i + 1] = transfer (x, effective, a, b);
    }
}

static void
read_ipndm (Path *p)
{
  double e[T];

  for (int i = 0; i < p->n; i++)
    {
      e[i] = predict_eps (p->x[i], p->abar[i]);
      p->x[i + 1] = i == p->n - 1 ?
                        predict_x0 (p->x[i], p->abar[i]) :
                        ddim_rule (p->x[i], adams (e + i, MIN (i + 1, 4)), p->abar[i], p->abar[i + 1], 0, 0);
    }
}

/* DPM-Solver: α = √ᾱ, σ = √(1 − ᾱ), λ = ln (α/σ). */
static double
lambda_of (double abar)
{
  return log (abar / (1 - abar)) / 2;
}

static double
abar_of (double lambda)
{
  return 1 / (1 + exp (-2 * lambda));
}

static void
read_dpm_solver_1 (Path *p)
{
  for (int i = 0; i < p->n - 1; i++)
    {
      const double a = p->abar[i], b = p->abar[i + 1], h = lambda_of (b) - lambda_of (a);

      p->x[i + 1] = sqrt (b / a) * p->x[i] - sqrt (1 - b) * (exp (h) - 1) * predict_eps (p->x[i], a);
    }
  p->x[p->n] = predict_x0 (p->x[p->n - 1], p->abar[p->n - 1]);
}

/* Algorithm 1. */
static void
read_dpm_solver_2 (Path *p)
{
  for (int i = 0; i < p->n - 1; i++)
    {
      const double a = p->abar[i], b = p->abar[i + 1], h = lambda_of (b) - lambda_of (a);
      const double s = abar_of (lambda_of (a) + h / 2);
      const double u = sqrt (s / a) * p->x[i] - sqrt (1 - s) * (exp (h / 2) - 1) * predict_eps (p->x[i], a);

      p->x[i + 1] = sqrt (b / a) * p->x[i] - sqrt (1 - b) * (exp (h) - 1) * predict_eps (u, s);
    }
  p->x[p->n] = predict_x0 (p->x[p->n - 1], p->abar[p->n - 1]);
}

/* Algorithm 2. */
static void
read_dpm_solver_3 (Path *p)
{
  const double r1 = 1 / 3.0, r2 = 2 / 3.0;

  for (int i = 0; i < p->n - 1; i++)
    {
      const double a = p->abar[i], b = p->abar[i + 1], h = lambda_of (b) - lambda_of (a), x = p->x[i];
      const double s1 = abar_of (lambda_of (a) + r1 * h), s2 = abar_of (lambda_of (a) + r2 * h), e = predict_eps (x, a);
      const double u1 = sqrt (s1 / a) * x - sqrt (1 - s1) * (exp (r1 * h) - 1) * e;
      const double d1 = predict_eps (u1, s1) - e;
      const double u2 = sqrt (s2 / a) * x - sqrt (1 - s2) * (exp (r2 * h) - 1) * e -
                        sqrt (1 - s2) * r2 / r1 * ((exp (r2 * h) - 1) / (r2 * h) - 1) * d1;
      const double d2 = predict_eps (u2, s2) - e;

      p->x[i + 1] =
          sqrt (b / a) * x - sqrt (1 - b) * (exp (h) - 1) * e - sqrt (1 - b) / r2 * ((exp (h) - 1) / h - 1) * d2;
    }
  p->x[p->n] = predict_x0 (p->x[p->n - 1], p->abar[p->n - 1]);
}

/* DPM-Solver++: algorithm 2, and its third-order relative in k-diffusion and diffusers (@order 3). */
static void
read_dpmpp (Path *p, int order)
{
  double d[T], lambda[T + 1];

  for (int i = 0; i < p->n; i++)
    {
      const double a = p->abar[i], b = p->abar[i + 1];
      double h, x, phi2;

      d[i] = predict_x0 (p->x[i], a);
      lambda[i] = lambda_of (a);
      if (i == p->n - 1)
        {
          p->x[i + 1] = d[i];
          break;
        }
      h = lambda_of (b) - lambda[i];
      x = sqrt ((1 - b) / (1 - a)) * p->x[i];
      phi2 = (exp (-h) - 1) / h + 1;
      if (i == 0)
        x -= sqrt (b) * (exp (-h) - 1) * d[0];
      else if (i == 1 || order == 2)
        {
          const double r = (lambda[i] - lambda[i - 1]) / h;

          if (order == 2)
            x -= sqrt (b) * (exp (-h) - 1) * ((1 + 1 / (2 * r)) * d[i] - 1 / (2 * r) * d[i - 1]);
          else
            x += sqrt (b) * (-(exp (-h) - 1) * d[i] + phi2 * (d[i] - d[i - 1]) / r);
        }
      else
        {
          const double r0 = (lambda[i] - lambda[i - 1]) / h, r1 = (lambda[i - 1] - lambda[i - 2]) / h;
          const double d10 = (d[i] - d[i - 1]) / r0, d11 = (d[i - 1] - d[i - 2]) / r1;
          const double d1 = d10 + r0 / (r0 + r1) * (d10 - d11), d2 = (d10 - d11) / (r0 + r1);

          x += sqrt (b) * (-(exp (-h) - 1) * d[i] + phi2 * d1 - (phi2 / h - 0.5) * d2);
        }
      p->x[i + 1] = x;
    }
}

static void
read_dpmpp_2m (Path *p)
{
  read_dpmpp (p, 2);
}

static void
read_dpmpp_3m (Path *p)
{
  read_dpmpp (p, 3);
}

/* UniPC of order 2 with B(h) = e^h − 1 in the form of the data prediction, its two equations solved by hand:
 * ρ1 + ρ2 = φ2·h/B and r·ρ1 + ρ2 = 2·φ3·h/B with h → −h. x: corrected; @predicted: what D is taken at. */
static void
read_unipc (Path *p)
{
  double d[T], predicted = p->x[0], x = p->x[0];

  for (int i = 0; i < p->n; i++)
    {
      const double b = p->abar[i];

      d[i] = predict_x0 (predicted, b);
      if (i > 0 && i < p->n) /* the corrector of the step from i − 1 */
        {
          const double a = p->abar[i - 1], h = lambda_of (b) - lambda_of (a), big = expm1 (-h);
          const double base = sqrt ((1 - b) / (1 - a)) * x - sqrt (b) * big * d[i - 1];
          double change = 0.5 * (d[i] - d[i - 1]);

          if (i > 1)
            {
              const double r = (lambda_of (p->abar[i - 2]) - lambda_of (a)) / h;
              const double b1 = (big / -h - 1) / big, b2 = 2 * ((big / -h - 1) / -h - 0.5) / big;
              const double rho1 = (b2 - b1) / (r - 1), rho2 = b1 - rho1;

              change = rho1 * (d[i - 2] - d[i - 1]) / r + rho2 * (d[i] - d[i - 1]);
            }
          x = base - sqrt (b) * big * change;
        }
      if (i == p->n - 1)
        predicted = d[i];
      else
        {
          const double c = p->abar[i + 1], h = lambda_of (c) - lambda_of (b), big = expm1 (-h);

          predicted = sqrt ((1 - c) / (1 - b)) * x - sqrt (c) * big * d[i];
          if (i > 0)
            predicted -= sqrt (c) * big * 0.5 * (d[i - 1] - d[i]) / ((lambda_of (p->abar[i - 1]) - lambda_of (b)) / h);
        }
      p->x[i + 1] = predicted;
    }
}

/* ---- continuous time ------------------------------------------------------ */

#define BETA_MIN 0.1
#define BETA_MAX 20.0

static double
vp_abar (double t)
{
  return exp (-(BETA_MIN * t + (BETA_MAX - BETA_MIN) * t * t / 2));
}

/* Lagrange's polynomial through the times of steps i, i − 1 … */
static double
lagrange (const Path *p, int i, int n, int j, double t)
{
  double product = 1;

  for (int k = 0; k < n; k++)
    if (k != j)
      product *= (t - p->t[i - k]) / (p->t[i - j] - p->t[i - k]);
  return product;
}

/* DEIS, eq. 15, by Simpson's rule: C = ∫ ½·Ψ (t', τ)·β (τ)/√(1 − ᾱ)·L_j dτ, Ψ (t', τ) = √(ᾱ(t')/ᾱ(τ)). */
static double
deis_coefficient (const Path *p, int i, int n, int j)
{
  const int pieces = 4000;
  const double from = p->t[i], to = p->t[i + 1], h = (to - from) / pieces;
  double sum = 0;

  for (int k = 0; k <= pieces; k++)
    {
      const double t = from + h * k, beta = BETA_MIN + (BETA_MAX - BETA_MIN) * t, abar = vp_abar (t);

      sum += (k == 0 || k == pieces ? 1 :
              k % 2                 ? 4 :
                                      2) *
             0.5 * sqrt (vp_abar (to) / abar) * beta / sqrt (1 - abar) * lagrange (p, i, n, j, t);
    }
  return sum * h / 3;
}

static void
read_deis (Path *p)
{
  double e[T];

  for (int i = 0; i < p->n - 1; i++)
    {
      const int n = MIN (i + 1, 4);

      e[i] = predict_eps (p->x[i], p->abar[i]);
      p->x[i + 1] = sqrt (p->abar[i + 1] / p->abar[i]) * p->x[i];
      for (int j = 0; j < n; j++)
        p->x[i + 1] += deis_coefficient (p, i, n, j) * e[i - j];
    }
  p->x[p->n] = predict_x0 (p->x[p->n - 1], p->abar[p->n - 1]);
}

/* ---- in σ, as Karras et al. and k-diffusion ------------------------------- */

/* Karras et al., eq. 4; @x in DDPM's coordinates of ᾱ = 1/(1 + σ²) times √(1 + σ²). */
static double
slope (double x, double sigma)
{
  const double abar = 1 / (1 + sigma * sigma);

  return (x - predict_x0 (x * sqrt (abar), abar)) / sigma;
}

static double
sigma_of (const Path *p, int i)
{
  return sqrt ((1 - p->abar[i]) / p->abar[i]);
}

static void
read_heun (Path *p)
{
  double x = p->x[0] / sqrt (p->abar[0]);

  for (int i = 0; i < p->n; i++)
    {
      const double s = sigma_of (p, i), next = sigma_of (p, i + 1), d = slope (x, s);
      const double y = x + (next - s) * d;

      x = next > 0 ? x + (next - s) * (d + slope (y, next)) / 2 : y;
      p->x[i + 1] = x * sqrt (p->abar[i + 1]);
    }
}

static void
read_dpm2 (Path *p)
{
  double x = p->x[0] / sqrt (p->abar[0]);

  for (int i = 0; i < p->n; i++)
    {
      const double s = sigma_of (p, i), next = sigma_of (p, i + 1), d = slope (x, s);
      const double middle = exp ((log (s) + log (next)) / 2);

      x += (next - s) * (next > 0 ? slope (x + (middle - s) * d, middle) : d);
      p->x[i + 1] = x * sqrt (p->abar[i + 1]);
    }
}

/* ∫ Π_k (σ − c_k) dσ over [a, b], for n ≤ 3 roots, by the coefficients. */
static double
product_integral (const double *c, int n, double a, double b)
{
  double poly[4] = { 1 }, sum = 0;

  for (int k = 0; k < n; k++)
    for (int m = k + 1; m >= 0; m--)
      poly[m] = (m > 0 ? poly[m - 1] : 0) - (m <= k ? c[k] * poly[m] : 0);
  for (int m = 0; m <= n; m++)
    sum += poly[m] * (pow (b, m + 1) - pow (a, m + 1)) / (m + 1);
  return sum;
}

static void
read_lms (Path *p)
{
  double x = p->x[0] / sqrt (p->abar[0]), d[T];

  for (int i = 0; i < p->n; i++)
    {
      const int n = MIN (i + 1, 4);
      const double origin = sigma_of (p, i); /* moved to 0, or the powers cancel */

      d[i] = slope (x, origin);
      for (int j = 0; j < n; j++)
        {
          double roots[3], scale = 1;
          int count = 0;

          for (int k = 0; k < n; k++)
            if (k != j)
              {
                roots[count++] = sigma_of (p, i - k) - origin;
                scale *= sigma_of (p, i - j) - sigma_of (p, i - k);
              }
          x += product_integral (roots, count, 0, sigma_of (p, i + 1) - origin) / scale * d[i - j];
        }
      p->x[i + 1] = x * sqrt (p->abar[i + 1]);
    }
}

/* ---- the comparison ------------------------------------------------------- */

typedef struct
{
  const char *sampler, *settings, *process;
  void (*read) (Path *p);
} Case;

static const Case cases[] = {
  { "euler", NULL, NULL, read_ddim },
  { "ddim", NULL, NULL, read_ddim },
  { "ddim", "eta=0.5", NULL, read_ddim_eta },
  { "heun", NULL, NULL, read_heun },
  { "lms", NULL, NULL, read_lms },
  { "plms", NULL, NULL, read_plms },
  { "pndm", NULL, "ddpm-linear", read_pndm },
  { "ipndm", NULL, NULL, read_ipndm },
  { "dpm2", NULL, NULL, read_dpm2 },
  { "dpm-solver-1", NULL, NULL, read_dpm_solver_1 },
  { "dpm-solver-2", NULL, NULL, read_dpm_solver_2 },
  { "dpm-solver-3", NULL, NULL, read_dpm_solver_3 },
  { "dpmpp-2m", NULL, NULL, read_dpmpp_2m },
  { "dpmpp-3m", NULL, NULL, read_dpmpp_3m },
  { "unipc", NULL, NULL, read_unipc },
  { "deis", NULL, "vp", read_deis },
};

/* The noise that the loop draws for step @i of the run's only pixel. */
static double
step_noise (int i)
{
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  SumiTensor *z = sumi_tensor_new (arena, SUMI_DTYPE_F64, 4, (const int[]){ 1, 1, 1, 1 });

  sumi_noise_fill (ev, z, RUN_SEED, (guint32) (i + 1) * 64, 0, 0);
  return sumi_tensor_get (z, 0);
}

static void
fill_path (Path *p, const Case *c)
{
  const gboolean continuous = ! g_strcmp0 (c->process, "vp");

  p->step = continuous ? 0 : T / p->n;
  for (int i = 0; i < p->n; i++)
    {
      p->t[i] = continuous ? 1 + (1e-3 - 1) * i / (p->n - 1.0) : T - 1 - i * p->step;
      p->abar[i] = continuous ? vp_abar (p->t[i]) : table_abar ((int) p->t[i]);
      p->noise[i] = c->settings ? step_noise (i) : 0;
    }
  p->abar[p->n] = 1;
  p->x[0] = START;
}

/* Largest difference over all states, as a share of the largest state. */
static double
difference (const Case *c, const Path *p, gboolean f32)
{
  g_autoptr (SumiExact) data = sumi_exact_parse (DATA, NULL);
  g_autofree double *sigmas = g_new0 (double, p->n + 1);
  double worst = 0;

  for (int i = 0; i < p->n; i++)
    sigmas[i] = sqrt ((1 - p->abar[i]) / p->abar[i]);
  for (int stop = 1; stop <= p->n; stop += stop < p->n - 3 ? MAX (1, p->n / 10) : 1)
    {
      Runner r = { c->sampler, c->process, c->settings, sigmas, p->n, &data->denoiser, f32, .stop = stop };
      double x = p->x[0] / sqrt (p->abar[0]);

      run_all (&r, &x, 1);
      worst = MAX (worst, fabs (x * sqrt (p->abar[stop]) - p->x[stop]) / MAX (fabs (p->x[stop]), 0.1));
    }
  return worst;
}

static void
test_rule (gconstpointer user_data)
{
  static const int steps[] = { 10, 100, 500, 1000 };
  const Case *c = user_data;

  for (int k = 0; k < (int) G_N_ELEMENTS (steps); k++)
    {
      g_autofree double *t = g_new0 (double, T + 1), *abar = g_new0 (double, T + 1), *x = g_new0 (double, T + 1);
      Path p = { steps[k], .t = t, .abar = abar, .x = x };
      double wide, narrow;

      if (c->read == read_pndm && steps[k] == T) /* has no half steps in the table */
        continue;
      fill_path (&p, c);
      c->read (&p);
      wide = difference (c, &p, FALSE);
      narrow = difference (c, &p, TRUE);
      g_test_message ("%s, %d steps: off by %.2g in f64, %.2g in f32", c->sampler, steps[k], wide, narrow);
      g_assert_cmpfloat (wide, <, 1e-9);
      g_assert_cmpfloat (narrow, <, 1e-5);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (int i = 0; i < (int) G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/discrete/%s%s%s", cases[i].sampler, cases[i].settings ? "/" : "",
                                               cases[i].settings ? cases[i].settings : "");

      g_test_add_data_func (path, &cases[i], test_rule);
    }
  return g_test_run ();
}
