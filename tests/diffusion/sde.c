/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SDE and Langevin samplers, and those of distilled models, as reading.h says. */
#include <math.h>

#include "tests/diffusion/reading.h"

/* ---- Langevin ------------------------------------------------------------ */

/* Song and Ermon 2019, algorithm 1, at the level that the step leads to. */
static void
walk (Paper *p, int i, double a, int inner)
{
  const double sigma = p->sigma[i + 1];
  double z[READING_COUNT];

  for (int j = 0; j < inner; j++)
    {
      reading_noise (i, 0, j, z);
      for (int k = 0; k < READING_COUNT; k++)
        p->x[k] += a / 2 * (reading_denoised (p, p->x[k], sigma) - p->x[k]) / (sigma * sigma) + sqrt (a) * z[k];
    }
}

static void
ald_eps (Paper *p, int i)
{
  if (i == p->n - 1)
    reading_finish (p);
  else
    walk (p, i, 4e-5 * pow (p->sigma[i + 1] / p->sigma[p->n - 1], 2), 3);
}

/* NCSNv2's technique 4: the derivative of the residual is 0; ε/σ_L² is found by halving. */
static void
ald_rule (Paper *p, int i)
{
  const double gamma = p->sigma[i] / p->sigma[i + 1];
  double low = 1e-12, high = 1;

  if (i == p->n - 1)
    {
      reading_finish (p);
      return;
    }
  for (int k = 0; k < 100; k++)
    {
      const double u = (low + high) / 2, kk = 2 / (2 - u), slope = 2 / ((2 - u) * (2 - u));
      const double d = -10 * pow (1 - u, 9) * (gamma * gamma - kk) + (1 - pow (1 - u, 10)) * slope;

      if (d < 0)
        low = u;
      else
        high = u;
    }
  walk (p, i, 2 * low * pow (p->sigma[i + 1], 2), 5);
}

/* Jolicoeur-Martineau et al. 2020, algorithm 2; η raised where β would not be real. */
static void
cas (Paper *p, int i)
{
  const double sigma = p->sigma[i], next = p->sigma[i + 1], eta = fmax (0.3, 1 - next / sigma);
  const double beta = sqrt (fmax (0, 1 - pow (1 - eta, 2) * pow (sigma / next, 2)));
  double z[READING_COUNT];

  if (i == p->n - 1)
    {
      reading_finish (p);
      return;
    }
  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    p->x[k] += eta * sigma * sigma * reading_score (p, i, p->x[k]) + beta * next * z[k];
}

/* ---- distilled models ---------------------------------------------------- */

static void
lcm (Paper *p, int i)
{
  const double bar = pow (p->alpha[i + 1], 2);
  double z[READING_COUNT];

  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    p->x[k] = sqrt (bar) * reading_x0 (p, i, p->x[k]) + sqrt (1 - bar) * z[k];
}

/* diffusers' TCDScheduler with eta 0.3. */
static void
tcd (Paper *p, int i)
{
  const int s = 7 * (int) p->time[i + 1] / 10;
  const double bar = pow (p->alpha[i + 1], 2), bar_s = reading_alpha_bar (s);
  double z[READING_COUNT];

  if (i == p->n - 1)
    {
      reading_finish (p);
      return;
    }
  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    {
      const double noised = sqrt (bar_s) * reading_x0 (p, i, p->x[k]) + sqrt (1 - bar_s) * reading_eps (p, i, p->x[k]);

      p->x[k] = sqrt (bar / bar_s) * noised + sqrt (1 - bar / bar_s) * z[k];
    }
}

/* ---- SDEs ---------------------------------------------------------------- */

typedef void (*Sde) (double t, double *f, double *g2);

static void
vp_sde (double t, double *f, double *g2)
{
  *f = -reading_beta (t) / 2;
  *g2 = reading_beta (t);
}

static void
subvp_sde (double t, double *f, double *g2)
{
  *f = -reading_beta (t) / 2;
  *g2 = reading_beta (t) * (1 - exp (-2 * reading_beta_integral (t)));
}

static void
ve_sde (double t, double *f, double *g2)
{
  const double sigma = 0.01 * pow (5000, t);

  *f = 0;
  *g2 = sigma * sigma * 2 * log (5000);
}

static void
edm_sde (double t, double *f, double *g2)
{
  *f = 0;
  *g2 = 2 * t;
}

/* The survey's algorithm 1; where it ends, D. */
static void
em (Paper *p, int i, Sde sde)
{
  const double dt = p->time[i + 1] - p->time[i];
  double f, g2, z[READING_COUNT];

  if (i == p->n - 1)
    {
      reading_finish (p);
      return;
    }
  sde (p->time[i], &f, &g2);
  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    p->x[k] += (f * p->x[k] - g2 * reading_score (p, i, p->x[k])) * dt + sqrt (g2) * sqrt (fabs (dt)) * z[k];
}

static void
em_vp (Paper *p, int i)
{
  em (p, i, vp_sde);
}

static void
em_subvp (Paper *p, int i)
{
  em (p, i, subvp_sde);
}

static void
em_ve (Paper *p, int i)
{
  em (p, i, ve_sde);
}

static void
em_edm (Paper *p, int i)
{
  em (p, i, edm_sde);
}

/* Jolicoeur-Martineau et al. 2021, algorithm 1, where every proposal is accepted and as long as the schedule's step. */
static void
gotta_go_fast (Paper *p, int i, Sde sde)
{
  const double h = p->time[i] - p->time[i + 1];
  double f, g2, f_next, g2_next, z[READING_COUNT];

  if (i == p->n - 1)
    {
      reading_finish (p);
      return;
    }
  sde (p->time[i], &f, &g2);
  sde (p->time[i + 1], &f_next, &g2_next);
  reading_noise (i, 0, 1 << 14, z);
  for (int k = 0; k < READING_COUNT; k++)
    {
      const double x = p->x[k];
      const double x1 = x - h * f * x + h * g2 * reading_score (p, i, x) + sqrt (h * g2) * z[k];
      const double x2 = x - h * f_next * x1 + h * g2_next * reading_score (p, i + 1, x1) + sqrt (h * g2_next) * z[k];

      p->x[k] = (x1 + x2) / 2;
    }
}

static void
gotta_go_fast_vp (Paper *p, int i)
{
  gotta_go_fast (p, i, vp_sde);
}

static void
gotta_go_fast_ve (Paper *p, int i)
{
  gotta_go_fast (p, i, ve_sde);
}

/* score_sde's LangevinCorrector, @steps of it with the target ratio 0.16; norms are means over a batch of one pixel
 * each. */
static void
langevin (Paper *p, int i, int steps, double alpha)
{
  for (int j = 1; j <= steps; j++)
    {
      double z[READING_COUNT], grad[READING_COUNT], grad_norm = 0, noise_norm = 0, e;

      reading_noise (i, j, 0, z);
      for (int k = 0; k < READING_COUNT; k++)
        {
          grad[k] = reading_score (p, i, p->x[k]);
          grad_norm += fabs (grad[k]) / READING_COUNT;
          noise_norm += fabs (z[k]) / READING_COUNT;
        }
      e = pow (0.16 * noise_norm / grad_norm, 2) * 2 * alpha;
      for (int k = 0; k < READING_COUNT; k++)
        p->x[k] += e * grad[k] + sqrt (2 * e) * z[k];
    }
}

static void
pc_ve (Paper *p, int i, gboolean ancestral_step)
{
  const double sigma = p->sigma[i], next = p->sigma[i + 1], gap = sigma * sigma - next * next;
  double z[READING_COUNT];

  langevin (p, i, ancestral_step ? 1 : 2, 1);
  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    {
      const double std = ancestral_step ? sqrt (next * next * gap / (sigma * sigma)) : sqrt (gap);

      p->x[k] += gap * reading_score (p, i, p->x[k]) + (i < p->n - 1 ? std * z[k] : 0);
    }
}

static void
pc_ve_reverse (Paper *p, int i)
{
  pc_ve (p, i, FALSE);
}

static void
pc_ve_ancestral (Paper *p, int i)
{
  pc_ve (p, i, TRUE);
}

static void
pc_vp (Paper *p, int i, gboolean ancestral_step)
{
  const double beta = 1 - pow (p->alpha[i] / p->alpha[i + 1], 2);
  double z[READING_COUNT];

  langevin (p, i, 1, 1 - beta);
  if (i == p->n - 1)
    {
      reading_finish (p);
      return;
    }
  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    {
      const double score = reading_score (p, i, p->x[k]);

      if (ancestral_step)
        p->x[k] = (p->x[k] + beta * score) / sqrt (1 - beta) + sqrt (beta) * z[k];
      else
        p->x[k] += -(sqrt (1 - beta) * p->x[k] - p->x[k] - beta * score) + sqrt (beta) * z[k];
    }
}

static void
pc_vp_reverse (Paper *p, int i)
{
  pc_vp (p, i, FALSE);
}

static void
pc_vp_ancestral (Paper *p, int i)
{
  pc_vp (p, i, TRUE);
}

static void
pc_subvp_em (Paper *p, int i)
{
  langevin (p, i, 1, pow (p->alpha[i] / p->alpha[i + 1], 2));
  em (p, i, subvp_sde);
}

/* Tachibana et al. 2021 for VP: ρ, μ and the two noises. */
static void
ito_vp (Paper *p, int i)
{
  const double t = p->time[i], h = t - p->time[i + 1], beta = reading_beta (t), dot = 19.9;
  const double nu = 1 - exp (-reading_beta_integral (t));
  const double rho = 1 + beta * h / 2 + h * h / 4 * (beta * beta / 2 - dot);
  const double mu = -beta * h + dot * h * h / 2;
  double w[READING_COUNT], v[READING_COUNT];

  if (i == p->n - 1)
    {
      reading_finish (p);
      return;
    }
  reading_noise (i, 0, 0, w);
  reading_noise (i, 1, 0, v);
  for (int k = 0; k < READING_COUNT; k++)
    {
      const double wave = w[k] / 2 + v[k] / (2 * sqrt (3)), other = w[k] / 2 - v[k] / (2 * sqrt (3));
      const double n = sqrt (beta) * sqrt (h) * w[k] +
                       pow (h, 1.5) * (pow (beta, 1.5) * (nu - 2) / (2 * nu) * wave - dot / (2 * sqrt (beta)) * other);

      p->x[k] = rho * p->x[k] + mu / sqrt (nu) * reading_eps (p, i, p->x[k]) + n;
    }
}

/* ---- the table ----------------------------------------------------------- */

static const Reading readings[] = {
  { "ald", "eps=4e-5, inner-steps=3", NULL, reading_edm, ald_eps },
  { "ald", NULL, NULL, reading_edm, ald_rule },
  { "cas", "eta=0.3", NULL, reading_edm, cas },
  { "lcm", NULL, NULL, reading_table, lcm },
  { "tcd", NULL, "ddpm-linear", reading_table, tcd },
  { "em", NULL, "vp", reading_vp, em_vp },
  { "em", NULL, "subvp", reading_subvp, em_subvp },
  { "em", NULL, "ve", reading_ve, em_ve },
  { "em", NULL, "edm", reading_edm, em_edm },
  { "pc", "corrector-steps=2", "ve", reading_ve, pc_ve_reverse },
  { "pc", "predictor=ancestral", "ve", reading_ve, pc_ve_ancestral },
  { "pc", "corrector-steps=2", "edm", reading_edm, pc_ve_reverse },
  { "pc", NULL, "vp", reading_vp, pc_vp_reverse },
  { "pc", "predictor=ancestral", "vp", reading_vp, pc_vp_ancestral },
  { "pc", "predictor=em", "subvp", reading_subvp, pc_subvp_em },
  { "sde-adaptive", "rtol=1, atol=1", "vp", reading_vp, gotta_go_fast_vp, 1000 },
  { "sde-adaptive", "rtol=1, atol=1", "ve", reading_ve, gotta_go_fast_ve, 1000 },
  { "ito-taylor2", NULL, "vp", reading_vp, ito_vp },
};

int
main (int argc, char **argv)
{
  return reading_main (argc, argv, readings, G_N_ELEMENTS (readings));
}
