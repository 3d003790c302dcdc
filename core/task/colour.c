/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/task/colour.h"

#include <math.h>

void
sumi_colour_join (float y, const float chroma[2], float *rgb)
{
  const double r = (double) chroma[0], b = (double) chroma[1];
  const double d[3] = { r, -(0.299 * r + 0.114 * b) / 0.587, b };
  const double up = MAX (1 - (double) y, 0), down = MAX ((double) y, 0);
  double share = 1;

  /* one factor for all three: hue stays, luminance stays */
  for (int i = 0; i < 3; i++)
    {
      if (d[i] > 0 && d[i] * share > up)
        share = up / d[i];
      if (d[i] < 0 && -d[i] * share > down)
        share = down / -d[i];
    }
  if (y < 0 || y > 1)
    share = 0;
  for (int i = 0; i < 3; i++)
    rgb[i] = (float) ((double) y + share * d[i]);
}

void
sumi_make_grey (float *pixels, gsize n, int channels)
{
  for (; n > 0; n--, pixels += channels)
    if (pixels[0] != pixels[1] || pixels[1] != pixels[2])
      pixels[0] = pixels[1] = pixels[2] = sumi_luminance (pixels);
}
