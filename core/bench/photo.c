/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures to work on. Speed depends little on what is in a photo, but the patches search ends early where much is
 * alike, so it shall be neither flat nor noise alone. */
#include <math.h>

#include "core/base/image.h"
#include "core/base/random.h"
#include "core/bench/measure.h"

/* [−1, 1], one number for each square of @size pixels */
static float
square (int x, int y, int size, guint64 which)
{
  const guint64 bits = sumi_random_hash ((guint64) (x / size), (guint64) (y / size), (guint64) size << 8 | which);

  return (float) (gint32) bits / 0x1p31f;
}

SumiImage *
sumi_bench_make_photo (int width, int height, GError **error)
{
  SumiImage *photo = sumi_image_new (width, height, 3, error);

  for (int y = 0; photo && y < height; y++)
    for (int x = 0; x < width; x++)
      {
        float *pixel = sumi_image_at (photo, x, y);
        /* slanted edges of some hundred pixels, a weave, bricks, grain */
        const float edge = square (x + y / 3, y, 160, 0), tint = square (x, y + x / 4, 240, 1);
        const float weave = sinf ((float) x * 0.35f) * cosf ((float) y * 0.22f), brick = square (x, y, 12, 2);
        const float value = 0.5f + 0.2f * edge + 0.08f * weave + 0.06f * brick + 0.03f * square (x, y, 1, 3);

        pixel[0] = CLAMP (value + 0.1f * tint, 0, 1);
        pixel[1] = CLAMP (value, 0, 1);
        pixel[2] = CLAMP (value - 0.1f * tint, 0, 1);
      }
  return photo;
}

SumiImage *
sumi_bench_make_hole (int width, int height, int side, GError **error)
{
  SumiImage *mask = sumi_image_new (width, height, 1, error);

  for (int y = (height - side) / 2; mask && y < (height + side) / 2; y++)
    for (int x = (width - side) / 2; x < (width + side) / 2; x++)
      *sumi_image_at (mask, x, y) = 1;
  return mask;
}
