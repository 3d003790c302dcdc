/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In float, so that wide gamuts and highlights pass as values outside [0, 1]. */
#include "core/tools/pictures/icc.h"

#include <glib/gi18n-lib.h>
#include <lcms2.h>
#include <math.h>

struct SumiIcc
{
  cmsHTRANSFORM to_core, from_core;
};

/* Whether the profile maps a grid of colours to themselves, to a quarter of an 8-bit level. Most photos carry some
 * vendor's sRGB profile, whose tabulated curve would only add its own rounding. */
static gboolean
means_srgb (cmsHTRANSFORM to_core)
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
      if (! (fabsf (out[i][c] - in[i][c]) < 1.0f / 1020))
        return FALSE;
  return TRUE;
}

SumiIcc *
sumi_icc_new (gconstpointer data, gsize size, int colours, gboolean *is_srgb, GError **error)
{
  g_autoptr (SumiIcc) self = g_new0 (SumiIcc, 1);
  const cmsUInt32Number format = colours == 1 ? TYPE_GRAY_FLT : TYPE_RGB_FLT;
  cmsHPROFILE profile = size <= G_MAXUINT32 ? cmsOpenProfileFromMem (data, (cmsUInt32Number) size) : NULL;
  cmsHPROFILE srgb = cmsCreate_sRGBProfile ();

  if (profile && srgb && cmsGetColorSpace (profile) == (colours == 1 ? cmsSigGrayData : cmsSigRgbData))
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
                   colours == 1 ? _ ("grey pictures") : _ ("RGB pictures"));
      return NULL;
    }
  *is_srgb = colours == 3 && means_srgb (self->to_core);
  return g_steal_pointer (&self);
}

void
sumi_icc_free (SumiIcc *self)
{
  if (! self)
    return;
  g_clear_pointer (&self->to_core, cmsDeleteTransform);
  g_clear_pointer (&self->from_core, cmsDeleteTransform);
  g_free (self);
}

void
sumi_icc_decode (const SumiIcc *self, const float *native, float *rgb, int n)
{
  cmsDoTransform (self->to_core, native, rgb, (cmsUInt32Number) n);
}

void
sumi_icc_encode (const SumiIcc *self, const float *rgb, float *native, int n)
{
  cmsDoTransform (self->from_core, rgb, native, (cmsUInt32Number) n);
}
