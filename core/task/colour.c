/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/task/colour.h"

#include <math.h>
#include <string.h>

#include "core/base/clones.h"

#define LANES 4
typedef double Doubles __attribute__ ((vector_size (LANES * sizeof (double))));
typedef gint64 Mask __attribute__ ((vector_size (LANES * sizeof (gint64))));

/* a where the mask is set, else b */
#define SELECT(mask, a, b) ((Doubles) (((Mask) (a) & (mask)) | ((Mask) (b) & ~(mask))))

/* LANES pixels. One factor for all three differences: hue stays, luminance stays. Vectors, as the compiler would make
 * branches. */
static inline __attribute__ ((always_inline)) void
join (const float *luminance, const float *chroma, float saturation, float *rgb, int step)
{
  const Doubles zero = { 0 }, one = zero + 1;
  Doubles y, r, b, g, most, least, up, down, share;

  for (int i = 0; i < LANES; i++)
    {
      y[i] = (double) luminance[i];
      r[i] = (double) (saturation * chroma[2 * i]);
      b[i] = (double) (saturation * chroma[2 * i + 1]);
    }
  g = -(0.299 * r + 0.114 * b) / 0.587;
  most = SELECT (r > g, r, g);
  most = SELECT (b > most, b, most);
  least = SELECT (r < g, r, g);
  least = SELECT (b < least, b, least);
  /* what may be added and taken away; not a number, where nothing is, changes nothing */
  up = (1 - y) / most;
  down = y / -least;
  share = SELECT ((most > 0) & (up < one), up, one);
  share = SELECT ((least < 0) & (down < share), down, share);
  share = SELECT ((y < 0) | (y > 1), zero, share);
  r = y + share * r;
  g = y + share * g;
  b = y + share * b;
  for (int i = 0; i < LANES; i++, rgb += step)
    {
      rgb[0] = (float) r[i];
      rgb[1] = (float) g[i];
      rgb[2] = (float) b[i];
    }
}

void
sumi_colour_join (float y, const float chroma[2], float *rgb)
{
  float out[3 * LANES];

  join ((const float[LANES]){ y }, (const float[2 * LANES]){ chroma[0], chroma[1] }, 1, out, 3);
  memcpy (rgb, out, 3 * sizeof (float));
}

SUMI_CLONES_EXACT static void
join_row (const float *y, const float *chroma, float saturation, float *rgba, int n)
{
  for (int i = 0; i + LANES <= n; i += LANES)
    join (y + i, chroma + 2 * i, saturation, rgba + 4 * i, 4);
}

void
sumi_colour_join_row (const float *y, const float *chroma, float saturation, float *rgba, int n)
{
  join_row (y, chroma, saturation, rgba, n);
  for (int i = n / LANES * LANES; i < n; i++)
    sumi_colour_join (y[i], (const float[]){ saturation * chroma[2 * i], saturation * chroma[2 * i + 1] },
                      rgba + 4 * i);
}

void
sumi_make_grey (float *pixels, gsize n, int channels)
{
  for (; n > 0; n--, pixels += channels)
    if (pixels[0] != pixels[1] || pixels[1] != pixels[2])
      pixels[0] = pixels[1] = pixels[2] = sumi_luminance (pixels);
}
