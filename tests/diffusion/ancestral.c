/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DDPM's family and k-diffusion's stochastic samplers, as reading.h says. */
#include <math.h>

#include "tests/diffusion/reading.h"

/* ---- DDPM, DDIM, Analytic-DPM -------------------------------------------- */

typedef enum
{
  SMALL,
  LARGE,
  ANALYTIC
} Variance;

static double
gamma_of (const Paper *p, int i)
{
  double sum = 0;

  for (int k = 0; k < READING_COUNT; k++)
    sum += pow (reading_eps (p, i, p->x[k]), 2) / READING_COUNT;
  return CLAMP (sum, 0, 1);
}

/* Ho et al., algorithm 2; σ_t² = β̃, β, or Bao et al., theorem 1. */
static void
ddpm (Paper *p, int i, Variance variance)
{
  const double bar = p->alpha[i] * p->alpha[i], bar_last = p->alpha[i + 1] * p->alpha[i + 1];
  const double beta = 1 - bar / bar_last, tilde = beta * (1 - bar_last) / (1 - bar);
  double square = variance == LARGE ? beta : tilde, z[READING_COUNT];

  if (variance == ANALYTIC)
    square += pow (sqrt ((1 - bar) / (1 - beta)) - sqrt (1 - bar_last - tilde), 2) * (1 - gamma_of (p, i));
  if (i == p->n - 1) /* t = 1 */
    square = 0;
  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    p->x[k] = (p->x[k] - beta / sqrt (1 - bar) * reading_eps (p, i, p->x[k])) / sqrt (1 - beta) + sqrt (square) * z[k];
}

static void
ddpm_small (Paper *p, int i)
{
  ddpm (p, i, SMALL);
}

static void
ddpm_large (Paper *p, int i)
{
  ddpm (p, i, LARGE);
}

static void
ddpm_analytic (Paper *p, int i)
{
  ddpm (p, i, ANALYTIC);
}

/* Song, Meng and Ermon, eq. 12 and 16. */
static void
ddim (Paper *p, int i, double eta, Variance variance)
{
  const double bar = p->alpha[i] * p->alpha[i], bar_last = p->alpha[i + 1] * p->alpha[i + 1];
  const double sigma = eta * sqrt ((1 - bar_last) / (1 - bar)) * sqrt (1 - bar / bar_last);
  double fresh = sigma, z[READING_COUNT];

  if (variance == LARGE)
    fresh = eta * sqrt (1 - bar / bar_last);
  if (variance == ANALYTIC)
    fresh = sqrt (sigma * sigma + pow (sqrt ((1 - bar) * bar_last / bar) - sqrt (1 - bar_last - sigma * sigma), 2) *
                                      (1 - gamma_of (p, i)));
  if (i == p->n - 1)
    fresh = 0;
  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    {
      const double eps = reading_eps (p, i, p->x[k]), x0 = (p->x[k] - sqrt (1 - bar) * eps) / sqrt (bar);

      p->x[k] = sqrt (bar_last) * x0 + sqrt (1 - bar_last - sigma * sigma) * eps + fresh * z[k];
    }
}

static void
ddim_small (Paper *p, int i)
{
  ddim (p, i, 0.6, SMALL);
}

static void
ddim_large (Paper *p, int i)
{
  ddim (p, i, 0.6, LARGE);
}

static void
ddim_analytic (Paper *p, int i)
{
  ddim (p, i, 0, ANALYTIC);
}

/* ---- k-diffusion's ------------------------------------------------------- */

static void
ancestral (double from, double to, double eta, double *down, double *up)
{
  *up = fmin (to, eta * sqrt (to * to * (from * from - to * to) / (from * from)));
  *down = sqrt (to * to - *up * *up);
}

static void
euler_ancestral (Paper *p, int i)
{
  const double sigma = p->sigma[i], to = p->sigma[i + 1];
  double down, up, z[READING_COUNT];

  ancestral (sigma, to, 0.8, &down, &up);
  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    {
      const double d = (p->x[k] - reading_denoised (p, p->x[k], sigma)) / sigma;

      p->x[k] += d * (down - sigma);
      if (to > 0)
        p->x[k] += z[k] * 1.01 * up;
    }
}

static void
dpm2_ancestral (Paper *p, int i)
{
  const double sigma = p->sigma[i], to = p->sigma[i + 1];
  double down, up, middle, z[READING_COUNT];

  ancestral (sigma, to, 1, &down, &up);
  middle = exp ((log (sigma) + log (down)) / 2);
  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    {
      const double d = (p->x[k] - reading_denoised (p, p->x[k], sigma)) / sigma;

      if (down == 0)
        p->x[k] += d * (down - sigma);
      else
        {
          const double x2 = p->x[k] + d * (middle - sigma);

          p->x[k] += (x2 - reading_denoised (p, x2, middle)) / middle * (down - sigma) + z[k] * up;
        }
    }
}

static void
dpmpp_2s_ancestral (Paper *p, int i)
{
  const double sigma = p->sigma[i], to = p->sigma[i + 1];
  double down, up, z[READING_COUNT];

  ancestral (sigma, to, 1, &down, &up);
  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    {
      const double d = reading_denoised (p, p->x[k], sigma);

      if (down == 0)
        p->x[k] = d;
      else
        {
          const double t = -log (sigma), h = -log (down) - t, s = t + h / 2;
          const double x2 = exp (-s) / exp (-t) * p->x[k] - expm1 (-h / 2) * d;

          p->x[k] = down / sigma * p->x[k] - expm1 (-h) * reading_denoised (p, x2, exp (-s)) + z[k] * up;
        }
    }
}

static void
dpmpp_sde (Paper *p, int i)
{
  const double sigma = p->sigma[i], to = p->sigma[i + 1];
  const double t = -log (sigma), s = t + (-log (to) - t) / 2, middle = exp (-s), fac = 1 / (2 * 0.5);
  double down, up, z[READING_COUNT], rest[READING_COUNT];

  reading_noise (i, 0, 0, z);
  reading_noise (i, 1, 0, rest);
  for (int k = 0; k < READING_COUNT; k++)
    {
      const double d = reading_denoised (p, p->x[k], sigma);
      /* one Brownian path in σ over two intervals that follow one another */
      const double w1 = sqrt (sigma - middle) * z[k], w2 = w1 + sqrt (middle - to) * rest[k];
      double x2, d2;

      if (to == 0)
        {
          p->x[k] = d;
          continue;
        }
      ancestral (sigma, middle, 1, &down, &up);
      x2 = down / sigma * p->x[k] - expm1 (t + log (down)) * d + w1 / sqrt (sigma - middle) * up;
      d2 = reading_denoised (p, x2, middle);
      ancestral (sigma, to, 1, &down, &up);
      p->x[k] = down / sigma * p->x[k] - expm1 (t + log (down)) * ((1 - fac) * d + fac * d2);
      p->x[k] += w2 / sqrt (sigma - to) * up;
    }
}

static void
dpmpp_2m_sde (Paper *p, int i, gboolean heun)
{
  const double sigma = p->sigma[i], to = p->sigma[i + 1], eta = heun ? 0.7 : 1;
  const double h = -log (to) + log (sigma), eta_h = eta * h;
  double z[READING_COUNT];

  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    {
      const double d = reading_denoised (p, p->x[k], sigma), old = p->last[k];

      p->last[k] = d;
      if (to == 0)
        {
          p->x[k] = d;
          continue;
        }
      p->x[k] = to / sigma * exp (-eta_h) * p->x[k] - expm1 (-h - eta_h) * d;
      if (i > 0 && heun)
        p->x[k] += (-expm1 (-h - eta_h) / (-h - eta_h) + 1) * h / p->h_last * (d - old);
      else if (i > 0)
        p->x[k] += 0.5 * -expm1 (-h - eta_h) * h / p->h_last * (d - old);
      p->x[k] += z[k] * to * sqrt (-expm1 (-2 * eta_h));
    }
  p->h_last = h;
}

static void
dpmpp_2m_sde_midpoint (Paper *p, int i)
{
  dpmpp_2m_sde (p, i, FALSE);
}

static void
dpmpp_2m_sde_heun (Paper *p, int i)
{
  dpmpp_2m_sde (p, i, TRUE);
}

/* ---- Karras et al., algorithm 2 ------------------------------------------ */

static void
edm_churn (Paper *p, int i)
{
  const double t = p->sigma[i], next = p->sigma[i + 1];
  const double gamma = t >= 0.05 && t <= 10 ? fmin (30.0 / p->n, sqrt (2) - 1) : 0, hat = t + gamma * t;
  double z[READING_COUNT];

  reading_noise (i, 0, 0, z);
  for (int k = 0; k < READING_COUNT; k++)
    {
      const double x = p->x[k] + sqrt (hat * hat - t * t) * 1.007 * z[k];
      const double d = (x - reading_denoised (p, x, hat)) / hat;

      p->x[k] = x + (next - hat) * d;
      if (next != 0)
        p->x[k] = x + (next - hat) * (d / 2 + (p->x[k] - reading_denoised (p, p->x[k], next)) / next / 2);
    }
}

/* ---- the table ----------------------------------------------------------- */

static const Reading readings[] = {
  { "ddpm", NULL, "ddpm-linear", reading_table, ddpm_small },
  { "ddpm", "variance=beta", "ddpm-linear", reading_table, ddpm_large },
  { "ddpm", "variance=beta", "vp", reading_vp, ddpm_large },
  { "ddpm", "variance=analytic", "ddpm-linear", reading_table, ddpm_analytic },
  { "ddim", "eta=0.6", NULL, reading_table, ddim_small },
  { "ddim", "eta=0.6, variance=beta", "ddpm-linear", reading_table, ddim_large },
  { "ddim", "eta=0, variance=analytic", "ddpm-linear", reading_table, ddim_analytic },
  { "euler-ancestral", "eta=0.8, s-noise=1.01", NULL, reading_edm, euler_ancestral },
  { "dpm2-ancestral", NULL, NULL, reading_edm, dpm2_ancestral },
  { "dpmpp-2s-ancestral", NULL, NULL, reading_edm, dpmpp_2s_ancestral },
  { "dpmpp-sde", NULL, NULL, reading_edm, dpmpp_sde },
  { "dpmpp-2m-sde", NULL, NULL, reading_edm, dpmpp_2m_sde_midpoint },
  { "dpmpp-2m-sde", "solver=heun, eta=0.7", NULL, reading_edm, dpmpp_2m_sde_heun },
  { "edm-churn", "s-churn=30, s-tmax=10, s-noise=1.007", NULL, reading_edm, edm_churn },
};

int
main (int argc, char **argv)
{
  return reading_main (argc, argv, readings, G_N_ELEMENTS (readings));
}
