/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture of a simulation. Left, the paths from the largest σ to 0; right, where all samples end against the truth.
 *
 * A state is drawn at u = m + (x − m)·s/√(s² + σ²), m and s being the data's mean and width: in those coordinates the
 * noisy data are as wide at every σ, while x itself would be a needle's point at the end of a funnel. At σ = 0 u = x.
 */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "core/sumi.h"
#include "core/tools/simulate.h"

#define WIDTH   960
#define HEIGHT  420
#define TOP     54
#define BOTTOM  364
#define SHOWN   48
#define COLUMNS 110 /* of the shading */
#define CELLS   200 /* of a column */
#define BINS    56

#define INK   "#1b3a5c"
#define PALE  "#9db8cf"
#define TRUTH "#c8502f"
#define GREY  "#5c6670"

/* A panel: what of its two axes are data, and where it lies. */
typedef struct
{
  double left, right, low, high; /* pixels; data at the bottom and the top */
} Panel;

typedef struct
{
  const SumiSimulation *run;
  GString *svg;
  double mean[64], width; /* m and s */
  double first, last;     /* largest and smallest σ above 0 */
  int planar;             /* the data has two dimensions or more: their first two are drawn */
} Drawing;

/* ---- coordinates --------------------------------------------------------- */

static double
squeeze (const Drawing *d, double sigma)
{
  return d->width / hypot (d->width, sigma);
}

static double
to_u (const Drawing *d, int c, double x, double sigma)
{
  return d->mean[c] + (x - d->mean[c]) * squeeze (d, sigma);
}

static double
y_of (const Panel *p, double u)
{
  return BOTTOM - (u - p->low) / (p->high - p->low) * (BOTTOM - TOP);
}

/* The axis of σ: its logarithm, and at the right end, a little apart, 0. */
static double
x_of_sigma (const Drawing *d, const Panel *p, double sigma)
{
  const double end = p->right - 26;

  if (sigma <= 0)
    return p->right;
  if (d->first <= d->last)
    return p->left;
  return p->left + log (d->first / sigma) / log (d->first / d->last) * (end - p->left);
}

/* A plane's own: as high as wide. */
static double
x_of_plane (const Drawing *d, const Panel *p, double u)
{
  const double middle = (p->low + p->high) / 2 - d->mean[1] + d->mean[0];

  return (p->left + p->right) / 2 + (u - middle) / (p->high - p->low) * (BOTTOM - TOP);
}

/* ---- pieces -------------------------------------------------------------- */

static void
text (GString *svg, double x, double y, const char *style, const char *words)
{
  g_autofree char *safe = g_markup_escape_text (words, -1);

  g_string_append_printf (svg, "<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y, style, safe);
}

static void
frame (GString *svg, const Panel *p)
{
  g_string_append_printf (svg,
                          "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"none\" stroke=\"%s\" "
                          "stroke-width=\"1\" stroke-opacity=\"0.5\"/>\n",
                          p->left, TOP, p->right - p->left, BOTTOM - TOP, GREY);
}

static void
clip (GString *svg, const char *id, const Panel *p)
{
  g_string_append_printf (svg,
                          "<clipPath id=\"%s\"><rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/></clipPath>\n",
                          id, p->left - 3, TOP, p->right - p->left + 6, BOTTOM - TOP);
}

/* 1, 2 or 5 times a power of ten: about @n of them in @span. */
static double
tick_step (double span, int n)
{
  const double rough = span / n, power = pow (10, floor (log10 (rough)));

  return power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
}

static void
number_at (GString *svg, double x, double y, const char *anchor, double value)
{
  g_autofree char *style = g_strdup_printf ("class=\"tick\" text-anchor=\"%s\"", anchor);
  g_autofree char *words = g_strdup_printf (value < 0 ? "−%.6g" : "%.6g", fabs (value) < 1e-12 ? 0 : fabs (value));

  text (svg, x, y, style, words);
}

/* Data far from 0 may be so narrow that a step is lost in a number's rounding: there are no ticks then. */
static void
upright_axis (GString *svg, const Panel *p)
{
  const double step = tick_step (p->high - p->low, 6);

  for (double v = ceil (p->low / step) * step; v <= p->high && v + step > v; v += step)
    {
      g_string_append_printf (svg, "<path d=\"M%.1f %.1fh-4\" class=\"axis\"/>\n", p->left, y_of (p, v));
      number_at (svg, p->left - 8, y_of (p, v) + 4, "end", v);
    }
}

static void
level_axis (const Drawing *d, const Panel *p)
{
  const double step = tick_step (p->high - p->low, 6), reach = (p->right - p->left) / (BOTTOM - TOP) / 2;
  const double low = d->mean[0] - reach * (p->high - p->low), high = d->mean[0] + reach * (p->high - p->low);

  for (double v = ceil (low / step) * step; v <= high && v + step > v; v += step)
    {
      g_string_append_printf (d->svg, "<path d=\"M%.1f %dv4\" class=\"axis\"/>\n", x_of_plane (d, p, v), BOTTOM);
      number_at (d->svg, x_of_plane (d, p, v), BOTTOM + 18, "middle", v);
    }
}

/* Where the steps are. */
static void
step_ticks (const Drawing *d, const Panel *p)
{
  if (d->run->n_steps > 100)
    return;
  g_string_append_printf (d->svg, "<path class=\"axis\" style=\"stroke:%s\" d=\"", INK);
  for (int i = 0; i <= d->run->n_steps; i++)
    g_string_append_printf (d->svg, "M%.1f %dv5", x_of_sigma (d, p, d->run->sigmas[i]), TOP);
  g_string_append (d->svg, "\"/>\n");
}

static void
sigma_axis (const Drawing *d, const Panel *p)
{
  GString *svg = d->svg;
  double tick = pow (10, ceil (log10 (d->last) - 1e-9));

  for (; tick <= d->first * (1 + 1e-9); tick *= 10)
    {
      const double x = x_of_sigma (d, p, tick);

      g_string_append_printf (svg, "<path d=\"M%.1f %dv4\" class=\"axis\"/>\n", x, BOTTOM);
      if (p->right - x > 12)
        number_at (svg, x, BOTTOM + 18, "middle", tick);
    }
  number_at (svg, p->right, BOTTOM + 18, "middle", 0);
  text (svg, (p->left + p->right) / 2, BOTTOM + 38, "class=\"label\" text-anchor=\"middle\"", _ ("noise level σ"));
}

/* ---- the density of the noisy data --------------------------------------- */

/* Relative density of each cell of a column; largest 1. */
static void
fill_column (const Drawing *d, const Panel *p, double sigma, double *density)
{
  const double cell = (p->high - p->low) / CELLS, scale = squeeze (d, sigma);
  double most = -HUGE_VAL;

  for (int i = 0; i < CELLS; i++)
    {
      const double u = p->low + (i + 0.5) * cell, x = d->mean[0] + (u - d->mean[0]) / scale;

      /* no peak is narrower than a cell, or it would fall between two */
      density[i] = sumi_exact_log_density (d->run->truth, &x, hypot (sigma, cell / scale));
      most = MAX (most, density[i]);
    }
  for (int i = 0; i < CELLS; i++)
    density[i] = exp (density[i] - most);
}

/* Where between cells @i − 1 and @i the density crosses @level. */
static double
crossing (const Panel *p, const double *density, int i, double level)
{
  const double before = i > 0 ? density[i - 1] : 0, after = i < CELLS ? density[i] : 0;
  const double part = before != after ? (level - before) / (after - before) : 0;

  return y_of (p, p->low + (i - 0.5 + CLAMP (part, 0, 1)) * (p->high - p->low) / CELLS);
}

static void
shade_column (GString *path, const Panel *p, const double *density, double level, double x, double width)
{
  double from = 0;
  gboolean inside = FALSE;

  for (int i = 0; i <= CELLS; i++)
    {
      const gboolean above = i < CELLS && density[i] > level;

      if (above && ! inside)
        from = MIN (crossing (p, density, i, level), BOTTOM);
      else if (! above && inside)
        {
          const double to = MAX (crossing (p, density, i, level), TOP);

          g_string_append_printf (path, "M%.1f %.1fh%.1fV%.1fh-%.1fz", x, from, width, to, width);
        }
      inside = above;
    }
}

/* Nested bands of one colour: what lies in more of them is darker. */
static void
shade (const Drawing *d, const Panel *p)
{
  static const double levels[] = { 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.92 };
  const double width = (p->right - p->left) / COLUMNS;
  g_autofree double *density = g_new (double, COLUMNS *CELLS);

  for (int c = 0; c < COLUMNS; c++)
    {
      const double part = CLAMP (((c + 0.5) * width) / (p->right - 26 - p->left), 0, 1);
      const double sigma = d->first * pow (d->last / d->first, part);

      fill_column (d, p, sigma, density + c * CELLS);
    }
  for (gsize l = 0; l < G_N_ELEMENTS (levels); l++)
    {
      g_autoptr (GString) path = g_string_new (NULL);

      for (int c = 0; c < COLUMNS; c++)
        shade_column (path, p, density + c * CELLS, levels[l], p->left + c * width, width + 0.2);
      g_string_append_printf (d->svg, "<path d=\"%s\" fill=\"%s\" fill-opacity=\"0.13\" clip-path=\"url(#paths)\"/>\n",
                              path->str, PALE);
    }
}

/* ---- paths --------------------------------------------------------------- */

static void
draw_paths (const Drawing *d, const Panel *p)
{
  const SumiSimulation *run = d->run;
  const gsize dims = (gsize) run->data->dims, size = (gsize) run->kept * dims;
  const int shown = MIN (run->kept, SHOWN);

  g_string_append_printf (d->svg,
                          "<g clip-path=\"url(#paths)\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" "
                          "stroke-opacity=\"%s\" stroke-linejoin=\"round\">\n",
                          INK, shown > 12 ? "1" : "1.6", shown > 12 ? "0.55" : "0.9");
  for (int i = 0; i < shown; i++)
    {
      g_string_append (d->svg, "<path d=\"");
      for (int step = 0; step <= run->n_steps; step++)
        {
          const double *x = run->states + (gsize) step * size + (gsize) i * dims, sigma = run->sigmas[step];
          const double at = d->planar ? x_of_plane (d, p, to_u (d, 0, x[0], sigma)) : x_of_sigma (d, p, sigma);

          g_string_append_printf (d->svg, "%c%.1f %.1f", step ? 'L' : 'M', at,
                                  y_of (p, to_u (d, d->planar, x[d->planar], sigma)));
        }
      g_string_append (d->svg, "\"/>\n");
    }
  g_string_append (d->svg, "</g>\n");
}

static void
draw_ends (const Drawing *d, const Panel *p, int n, double radius, double opacity)
{
  const SumiSimulation *run = d->run;
  const gsize dims = (gsize) run->data->dims;

  g_string_append_printf (d->svg, "<g fill=\"%s\" fill-opacity=\"%.2f\" clip-path=\"url(#%s)\">\n", INK, opacity,
                          p->left < 200 ? "paths" : "ends");
  for (int i = 0; i < n; i++)
    {
      const double *x = run->x + (gsize) i * dims;

      g_string_append_printf (d->svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>\n",
                              d->planar ? x_of_plane (d, p, x[0]) : p->right, y_of (p, x[d->planar]), radius);
    }
  g_string_append (d->svg, "</g>\n");
}

/* ---- ends on a line ------------------------------------------------------ */

static gboolean
has_density (const Drawing *d, double bin)
{
  for (int k = 0; k < d->run->truth->n; k++)
    if (d->run->truth->std[k] < bin / 4)
      return FALSE;
  return TRUE;
}

/* Probabilities of the bins: the samples' and the data's. */
static double
fill_bins (const Drawing *d, const Panel *p, double *found, double *truth)
{
  const double bin = (p->high - p->low) / BINS;
  double most = 0;

  for (int i = 0; i < d->run->n; i++)
    {
      const double at = floor ((d->run->x[i] - p->low) / bin);

      if (at >= 0 && at < BINS)
        found[(int) at] += 1.0 / d->run->n;
    }
  for (int b = 0; b < BINS; b++)
    {
      truth[b] = sumi_simulation_distribution (d->run->truth, 0, p->low + (b + 1) * bin) -
                 sumi_simulation_distribution (d->run->truth, 0, p->low + b * bin);
      most = MAX (most, MAX (found[b], truth[b]));
    }
  return most > 0 ? most * 1.08 : 1;
}

static void
draw_truth (const Drawing *d, const Panel *p, const double *truth, double most)
{
  const double bin = (p->high - p->low) / BINS, wide = p->right - p->left;

  g_string_append (d->svg, "<path clip-path=\"url(#ends)\" d=\"");
  if (has_density (d, bin))
    for (int i = 0; i <= CELLS; i++)
      {
        const double x = p->low + i * (p->high - p->low) / CELLS;

        g_string_append_printf (d->svg, "%c%.1f %.1f", i ? 'L' : 'M',
                                p->left + exp (sumi_exact_log_density (d->run->truth, &x, 0)) * bin / most * wide,
                                y_of (p, x));
      }
  else
    for (int b = 0; b < BINS; b++)
      g_string_append_printf (d->svg, "%c%.1f %.1fV%.1f", b ? 'L' : 'M', p->left + truth[b] / most * wide,
                              y_of (p, p->low + b * bin), y_of (p, p->low + (b + 1) * bin));
  g_string_append_printf (d->svg, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\"/>\n",
                          TRUTH);
}

static void
draw_histogram (const Drawing *d, const Panel *p)
{
  double found[BINS] = { 0 }, truth[BINS];
  const double most = fill_bins (d, p, found, truth), bin = (p->high - p->low) / BINS;

  /* of few samples the dots say more */
  if (d->run->n >= 100)
    {
      g_string_append_printf (d->svg, "<g fill=\"%s\" fill-opacity=\"0.75\">\n", PALE);
      for (int b = 0; b < BINS; b++)
        if (found[b] > 0)
          g_string_append_printf (d->svg, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", p->left,
                                  y_of (p, p->low + (b + 1) * bin) + 0.4, found[b] / most * (p->right - p->left),
                                  y_of (p, p->low + b * bin) - y_of (p, p->low + (b + 1) * bin) - 0.8);
      g_string_append (d->svg, "</g>\n");
    }
  draw_truth (d, p, truth, most);
}

/* ---- ends in a plane ----------------------------------------------------- */

static void
draw_points (const Drawing *d, const Panel *p)
{
  const SumiExact *data = d->run->data;
  const gsize dims = (gsize) data->dims;

  g_string_append_printf (d->svg, "<g fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\" clip-path=\"url(#%s)\">\n",
                          TRUTH, p->left < 200 ? "paths" : "ends");
  for (int k = 0; k < MIN (data->n, 2000); k++)
    g_string_append_printf (d->svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"/>\n",
                            x_of_plane (d, p, data->mean[(gsize) k * dims]), y_of (p, data->mean[(gsize) k * dims + 1]),
                            data->n > 100 ? "3" : "5");
  g_string_append (d->svg, "</g>\n");
}

/* ---- the whole ----------------------------------------------------------- */

static void
begin (Drawing *d, const SumiSimulation *run)
{
  double std[64], sum = 0;

  d->run = run;
  d->planar = run->data->dims > 1;
  sumi_simulation_moments (run->data, d->mean, std);
  for (int c = 0; c <= d->planar; c++)
    sum += std[c] * std[c];
  d->width = sum > 0 ? sqrt (sum / (1 + d->planar)) : 1;
  d->first = run->sigmas[0];
  for (int i = 0; i <= run->n_steps; i++)
    if (run->sigmas[i] > 0)
      d->last = run->sigmas[i];
  d->svg = g_string_new (NULL);
  g_string_append_printf (d->svg,
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
                          "font-family=\"DejaVu Sans, Verdana, Helvetica, Arial, sans-serif\">\n"
                          "<style>.tick{font-size:12px;fill:%s}.label{font-size:13px;fill:%s}"
                          ".title{font-size:15px;font-weight:bold;fill:%s}"
                          ".axis{fill:none;stroke:%s;stroke-opacity:0.7}</style>\n"
                          "<rect width=\"%d\" height=\"%d\" fill=\"#fdfcf9\"/>\n",
                          WIDTH, HEIGHT, WIDTH, HEIGHT, GREY, GREY, INK, GREY, WIDTH, HEIGHT);
}

static void
title (const Drawing *d, const Panel *left, const Panel *right)
{
  const SumiSimulation *run = d->run;
  const char *label = _ (run->plan.sampler->label);
  g_autofree char *how = g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "%s, %d step", "%s, %d steps", (gulong) run->n_steps), label, run->n_steps);
  g_autofree char *calls = g_strdup_printf (_ ("schedule %s, process %s; denoiser asked %d times"),
                                            run->plan.schedule->key, run->plan.process->key, (int) run->calls);
  g_autofree char *ends = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%d end", "%d ends", (gulong) run->n), run->n);

  text (d->svg, left->left, 24, "class=\"title\"", how);
  text (d->svg, left->left, 43, "class=\"label\"", calls);
  text (d->svg, right->left, 24, "class=\"title\"", ends);
  g_string_append_printf (d->svg, "<text x=\"%.1f\" y=\"43\" style=\"font-size:13px;fill:%s\">%s</text>\n", right->left,
                          TRUTH, d->planar ? _ ("○ the data") : _ ("— the truth"));
}

static void
draw_line (Drawing *d)
{
  Panel left = { 64, 660, d->mean[0] - 2.9 * d->width, d->mean[0] + 2.9 * d->width };
  Panel right = left;
  const int shown = MIN (d->run->kept, SHOWN);

  right.left = 684;
  right.right = WIDTH - 24;
  clip (d->svg, "paths", &left);
  clip (d->svg, "ends", &right);
  shade (d, &left);
  draw_paths (d, &left);
  draw_ends (d, &left, shown, 2.4, 0.9);
  draw_histogram (d, &right);
  frame (d->svg, &left);
  frame (d->svg, &right);
  upright_axis (d->svg, &left);
  sigma_axis (d, &left);
  step_ticks (d, &left);
  text (d->svg, (right.left + right.right) / 2, BOTTOM + 38, "class=\"label\" text-anchor=\"middle\"",
        _ ("probability density"));
  text (d->svg, 0, 0, "class=\"label\" text-anchor=\"middle\" transform=\"translate(18 209) rotate(-90)\"",
        _ ("state, scaled to one width"));
  title (d, &left, &right);
}

static void
draw_plane (Drawing *d)
{
  const SumiExact *data = d->run->data;
  double reach = 2.6 * d->width;
  Panel left, right;

  for (int k = 0; k < data->n; k++)
    for (int c = 0; c < 2; c++)
      reach = MAX (reach, 1.1 * fabs (data->mean[(gsize) k * (gsize) data->dims + (gsize) c] - d->mean[c]));
  left = (Panel){ 64, 490, d->mean[1] - reach, d->mean[1] + reach };
  right = left;
  right.left = 514;
  right.right = WIDTH - 24;
  clip (d->svg, "paths", &left);
  clip (d->svg, "ends", &right);
  draw_points (d, &left);
  draw_paths (d, &left);
  draw_ends (d, &left, MIN (d->run->kept, SHOWN), 2.4, 0.9);
  draw_ends (d, &right, MIN (d->run->n, 4000), 1.6, 0.45);
  draw_points (d, &right);
  frame (d->svg, &left);
  frame (d->svg, &right);
  upright_axis (d->svg, &left);
  level_axis (d, &left);
  level_axis (d, &right);
  text (d->svg, (left.left + left.right) / 2, BOTTOM + 38, "class=\"label\" text-anchor=\"middle\"",
        _ ("paths of some states, scaled to one width"));
  title (d, &left, &right);
}

char *
sumi_simulation_dup_svg (const SumiSimulation *self)
{
  Drawing d = { 0 };

  begin (&d, self);
  if (d.planar)
    draw_plane (&d);
  else
    draw_line (&d);
  g_string_append (d.svg, "</svg>\n");
  return g_string_free (d.svg, FALSE);
}
