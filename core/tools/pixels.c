/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of pixels: a file's numbers to the core's RGBA and back, and the mixing that leaves the uncovered alone. */
#include <math.h>
#include <string.h>

#include "core/tools/picture.h"

gsize
sumi_pixels_size (const SumiPixels *self)
{
  const gsize sample = self->sample == SUMI_SAMPLE_U8 ? 1 : self->sample == SUMI_SAMPLE_U16 ? 2 : 4;

  return sample * (gsize) (self->bands + (self->has_alpha ? 1 : 0));
}

int
sumi_pixels_bits (const SumiPixels *self)
{
  return self->sample == SUMI_SAMPLE_U8 ? 8 : self->sample == SUMI_SAMPLE_U16 ? 16 : 32;
}

static float
get (const SumiPixels *self, gconstpointer native, gsize i)
{
  switch (self->sample)
    {
    case SUMI_SAMPLE_U8:
      return (float) ((const guint8 *) native)[i] / 255;
    case SUMI_SAMPLE_U16:
      return (float) ((const guint16 *) native)[i] / 65535;
    default:
      return ((const float *) native)[i];
    }
}

static guint8
to_byte (float v)
{
  const float unit = v > 0 ? MIN (v, 1) : 0; /* NaN gives 0 */

  return (guint8) (unit * 255 + 0.5f);
}

static void
put (const SumiPixels *self, gpointer native, gsize i, float v)
{
  const float unit = v > 0 ? MIN (v, 1) : 0; /* NaN gives 0 */

  switch (self->sample)
    {
    case SUMI_SAMPLE_U8:
      ((guint8 *) native)[i] = to_byte (v);
      break;
    case SUMI_SAMPLE_U16:
      ((guint16 *) native)[i] = (guint16) (unit * 65535 + 0.5f);
      break;
    default:
      ((float *) native)[i] = v;
      break;
    }
}

static float
tame_alpha (float a)
{
  return a > 0 ? MIN (a, 1) : 0;
}

/* The commonest files, 8 bits of sRGB: the same numbers as below, from a table. */
static void
decode_bytes (const SumiPixels *self, const guint8 *native, float *rgba, int n)
{
  static float unit[256];
  static gsize made = 0;
  const int bands = self->bands, step = bands + (self->has_alpha ? 1 : 0);

  if (g_once_init_enter (&made))
    {
      for (int i = 0; i < 256; i++)
        unit[i] = (float) i / 255;
      g_once_init_leave (&made, 1);
    }
  for (; n > 0; n--, native += step, rgba += 4)
    {
      rgba[0] = unit[native[0]];
      rgba[1] = unit[native[bands == 1 ? 0 : 1]];
      rgba[2] = unit[native[bands == 1 ? 0 : 2]];
      rgba[3] = self->has_alpha ? unit[native[bands]] : 1;
    }
}

static gboolean
is_plain_bytes (const SumiPixels *self)
{
  return self->sample == SUMI_SAMPLE_U8 && sumi_colour_get_kind (self->colour) == SUMI_COLOUR_SRGB;
}

void
sumi_pixels_decode (const SumiPixels *self, gconstpointer native, float *rgba, float *scratch, int n)
{
  const gsize step = (gsize) (self->bands + (self->has_alpha ? 1 : 0));
  float *colours = scratch, *rgb = scratch + 3 * (gsize) n;

  if (is_plain_bytes (self))
    {
      decode_bytes (self, native, rgba, n);
      return;
    }
  for (gsize i = 0; i < (gsize) n; i++)
    for (int c = 0; c < self->bands; c++)
      colours[i * (gsize) self->bands + (gsize) c] = get (self, native, i * step + (gsize) c);
  sumi_colour_decode (self->colour, colours, rgb, n);
  for (gsize i = 0; i < (gsize) n; i++)
    {
      memcpy (rgba + 4 * i, rgb + 3 * i, 3 * sizeof (float));
      rgba[4 * i + 3] = self->has_alpha ? tame_alpha (get (self, native, i * step + step - 1)) : 1;
    }
}

/* RGBA to [n, bands] of the file's colours in @scratch. */
static const float *
encode_colours (const SumiPixels *self, const float *rgba, float *scratch, int n)
{
  float *rgb = scratch + 3 * (gsize) n;

  for (gsize i = 0; i < (gsize) n; i++)
    memcpy (rgb + 3 * i, rgba + 4 * i, 3 * sizeof (float));
  sumi_colour_encode (self->colour, rgb, scratch, n);
  return scratch;
}

void
sumi_pixels_encode (const SumiPixels *self, const float *rgba, gpointer native, float *scratch, int n)
{
  const gsize bands = (gsize) self->bands, step = bands + (self->has_alpha ? 1 : 0);
  const float *colours;

  if (bands == 3 && is_plain_bytes (self))
    {
      guint8 *out = native;

      for (; n > 0; n--, out += step, rgba += 4)
        for (gsize c = 0; c < step; c++)
          out[c] = to_byte (rgba[c]);
      return;
    }
  colours = encode_colours (self, rgba, scratch, n);
  for (gsize i = 0; i < (gsize) n; i++)
    {
      for (gsize c = 0; c < bands; c++)
        put (self, native, i * step + c, colours[i * bands + c]);
      if (self->has_alpha)
        put (self, native, i * step + bands, rgba[4 * i + 3]);
    }
}

void
sumi_pixels_mix (const SumiPixels *self,
                 const float *rgba,
                 const float *coverage,
                 gpointer native,
                 float *scratch,
                 int n)
{
  const gsize bands = (gsize) self->bands, step = bands + (self->has_alpha ? 1 : 0);
  const float *colours = encode_colours (self, rgba, scratch, n);

  for (gsize i = 0; i < (gsize) n; i++)
    {
      const float k = MIN (coverage[i], 1);
      float weight = k;

      if (! (k > 0))
        continue;
      if (self->has_alpha)
        {
          const float a = get (self, native, i * step + bands), b = rgba[4 * i + 3], alpha = a + k * (b - a);

          if (a != b)
            weight = alpha > 0 ? k * b / alpha : k;
          put (self, native, i * step + bands, k < 1 ? alpha : b);
        }
      for (gsize c = 0; c < bands; c++)
        {
          const float old = get (self, native, i * step + c), new = colours[i * bands + c];

          put (self, native, i * step + c, weight < 1 ? old + weight * (new - old) : new);
        }
    }
}
