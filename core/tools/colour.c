/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Colours of files through lcms2, in float, so that wide gamuts and highlights pass as values outside [0, 1]. */
#include "core/tools/colour.h"

#include <glib/gi18n-lib.h>
#include <lcms2.h>
#include <math.h>
#include <string.h>

#include "core/sumi.h"

struct SumiColour
{
  SumiColourKind kind;
  int bands;
  cmsHTRANSFORM to_core, from_core;
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
  g_clear_pointer (&self->to_core, cmsDeleteTransform);
  g_clear_pointer (&self->from_core, cmsDeleteTransform);
  g_free (self);
}

SumiColourKind
sumi_colour_get_kind (const SumiColour *self)
{
  return self->kind;
}

/* Whether the profile maps a grid of colours to themselves, to a quarter of an 8-bit level. Most photos carry some
 * vendor's sRGB profile, whose tabulated curve would only add its own rounding. */
static gboolean
is_srgb (cmsHTRANSFORM to_core)
{
  float in[9 * 9 * 9][3], out[9 * 9 * 9][3];
  int n = 0;

  for (int r = 0; r < 9; r++)
    for (int g = 0; g < 9; g++)
      for (int b = 0; b < 9; b++, n++)
        {
          in[n][0] = (float) r / 8;
          in[n][1] = (float) g / 8;
          in[n][2] = (float) b / 8;
        }
  cmsDoTransform (to_core, in, out, (cmsUInt32Number) n);
  for (int i = 0; i < n; i++)
    for (int c = 0; c < 3; c++)
      if (! (fabsf (in[i][c] - out[i][c]) < 1.0f / 1020))
        return FALSE;
  return TRUE;
}

SumiColour *
sumi_colour_new_icc (gconstpointer data, gsize size, int bands, GError **error)
{
  g_autoptr (SumiColour) self = sumi_colour_new (SUMI_COLOUR_ICC, bands);
  const cmsUInt32Number format = bands == 1 ? TYPE_GRAY_FLT : TYPE_RGB_FLT;
  cmsHPROFILE profile = size <= G_MAXUINT32 ? cmsOpenProfileFromMem (data, (cmsUInt32Number) size) : NULL;
  cmsHPROFILE srgb = cmsCreate_sRGBProfile ();

  if (profile && srgb && cmsGetColorSpace (profile) == (bands == 1 ? cmsSigGrayData : cmsSigRgbData))
    {
      self->to_core =
          cmsCreateTransform (profile, format, srgb, TYPE_RGB_FLT, INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_NOCACHE);
      self->from_core =
          cmsCreateTransform (srgb, TYPE_RGB_FLT, profile, format, INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_NOCACHE);
    }
  g_clear_pointer (&profile, cmsCloseProfile);
  g_clear_pointer (&srgb, cmsCloseProfile);
  if (! self->to_core || ! self->from_core)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                   _ ("its colour profile is damaged or not for %s: convert the picture to sRGB first"),
                   bands == 1 ? _ ("grey pictures") : _ ("RGB pictures"));
      return NULL;
    }
  if (bands == 3 && is_srgb (self->to_core))
    self->kind = SUMI_COLOUR_SRGB;
  return g_steal_pointer (&self);
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
      cmsDoTransform (self->to_core, native, rgb, (cmsUInt32Number) n);
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
      cmsDoTransform (self->from_core, rgb, native, (cmsUInt32Number) n);
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
