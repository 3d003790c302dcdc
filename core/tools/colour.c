/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/colour.h"

#include <math.h>
#include <string.h>

#include "core/sumi.h"
#include "core/tools/pictures.h"

struct SumiColour
{
  SumiColourKind kind;
  int bands;
  SumiIcc *icc; /* (nullable) */
  gatomicrefcount refs;
};

SumiColour *
sumi_colour_new (SumiColourKind kind, int bands)
{
  SumiColour *self = g_new0 (SumiColour, 1);

  self->kind = kind;
  self->bands = bands;
  g_atomic_ref_count_init (&self->refs);
  return self;
}

SumiColour *
sumi_colour_ref (SumiColour *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
sumi_colour_unref (SumiColour *self)
{
  if (! self || ! g_atomic_ref_count_dec (&self->refs))
    return;
  if (self->icc)
    sumi_pictures ()->icc_free (self->icc);
  g_free (self);
}

SumiColourKind
sumi_colour_get_kind (const SumiColour *self)
{
  return self->kind;
}

SumiColour *
sumi_colour_new_icc (gconstpointer profile, gsize size, int bands, GError **error)
{
  gboolean is_srgb = FALSE;
  SumiIcc *icc = sumi_pictures ()->icc_new (profile, size, bands, &is_srgb, error);
  SumiColour *self;

  if (! icc)
    return NULL;
  self = sumi_colour_new (is_srgb ? SUMI_COLOUR_SRGB : SUMI_COLOUR_ICC, bands);
  self->icc = icc;
  return self;
}

/* ---- linear light, IEC 61966-2-1, odd beyond 0 and going on above 1 ---- */

static float
srgb_encode (float v)
{
  const float a = fabsf (v);

  return copysignf (a <= 0.0031308f ? 12.92f * a : 1.055f * powf (a, 1 / 2.4f) - 0.055f, v);
}

static float
srgb_decode (float v)
{
  const float a = fabsf (v);

  return copysignf (a <= 0.04045f ? a / 12.92f : powf ((a + 0.055f) / 1.055f, 2.4f), v);
}

/* Broken values of float files must not spread through a network. */
static float
tame (float v)
{
  return isnan (v) ? 0 : CLAMP (v, -65504.0f, 65504.0f);
}

void
sumi_colour_decode (const SumiColour *self, const float *native, float *rgb, int n)
{
  if (self->kind == SUMI_COLOUR_ICC)
    {
      sumi_pictures ()->icc_decode (self->icc, native, rgb, n);
      for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
          rgb[3 * i + c] = tame (rgb[3 * i + c]);
      /* grey must be grey to the last bit */
      if (self->bands == 1)
        for (int i = 0; i < n; i++)
          rgb[3 * i] = rgb[3 * i + 2] = rgb[3 * i + 1];
      return;
    }
  for (int i = 0; i < n; i++)
    for (int c = 0; c < 3; c++)
      {
        const float v = tame (native[self->bands * i + (self->bands == 1 ? 0 : c)]);

        rgb[3 * i + c] = self->kind == SUMI_COLOUR_LINEAR ? srgb_encode (v) : v;
      }
}

void
sumi_colour_encode (const SumiColour *self, const float *rgb, float *native, int n)
{
  if (self->kind == SUMI_COLOUR_ICC)
    {
      sumi_pictures ()->icc_encode (self->icc, rgb, native, n);
      return;
    }
  for (int i = 0; i < n; i++)
    {
      float v[3] = { rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2] };

      if (self->kind == SUMI_COLOUR_LINEAR)
        for (int c = 0; c < 3; c++)
          v[c] = srgb_decode (v[c]);
      if (self->bands == 3)
        memcpy (native + 3 * i, v, sizeof v);
      else /* the same three values give exactly this value */
        native[i] = v[1] + 0.2126f * (v[0] - v[1]) + 0.0722f * (v[2] - v[1]);
    }
}
