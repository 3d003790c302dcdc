/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An RGB profile made of tables alone, so that babl cannot know its space: Adobe RGB sampled on a grid. */
#include "tests/gimp/driver.h"

#ifdef HAVE_LCMS
#include <lcms2.h>

#define GRID 33

static cmsHPROFILE
new_adobe (void)
{
  cmsCIExyY white = { 0.3127, 0.3290, 1 };
  cmsCIExyYTRIPLE primaries = { { 0.64, 0.33, 1 }, { 0.21, 0.71, 1 }, { 0.15, 0.06, 1 } };
  cmsToneCurve *gamma = cmsBuildGamma (NULL, 2.2);
  cmsToneCurve *curves[3] = { gamma, gamma, gamma };
  cmsHPROFILE profile = cmsCreateRGBProfile (&white, &primaries, curves);

  cmsFreeToneCurve (gamma);
  return profile;
}

static int
sample (const cmsUInt16Number in[], cmsUInt16Number out[], void *transform)
{
  cmsDoTransform (transform, in, out, 1);
  return TRUE;
}

static void
write_table (cmsHPROFILE profile, cmsTagSignature tag, cmsHTRANSFORM transform)
{
  cmsPipeline *pipeline = cmsPipelineAlloc (NULL, 3, 3);
  cmsStage *table = cmsStageAllocCLut16bit (NULL, GRID, 3, 3, NULL);

  cmsStageSampleCLut16bit (table, sample, transform, 0);
  cmsPipelineInsertStage (pipeline, cmsAT_END, cmsStageAllocToneCurves (NULL, 3, NULL));
  cmsPipelineInsertStage (pipeline, cmsAT_END, table);
  cmsPipelineInsertStage (pipeline, cmsAT_END, cmsStageAllocToneCurves (NULL, 3, NULL));
  cmsWriteTag (profile, tag, pipeline);
  cmsPipelineFree (pipeline);
}

guint8 *
lut_profile_new (gsize *length)
{
  cmsHPROFILE profile = cmsCreateProfilePlaceholder (NULL), adobe = new_adobe (), lab = cmsCreateLab4Profile (NULL);
  cmsHTRANSFORM there =
      cmsCreateTransform (adobe, TYPE_RGB_16, lab, TYPE_Lab_16, INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_NOOPTIMIZE);
  cmsHTRANSFORM back =
      cmsCreateTransform (lab, TYPE_Lab_16, adobe, TYPE_RGB_16, INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_NOOPTIMIZE);
  cmsMLU *text = cmsMLUalloc (NULL, 1);
  cmsUInt32Number size = 0;
  guint8 *bytes;

  cmsSetProfileVersion (profile, 4.3);
  cmsSetDeviceClass (profile, cmsSigDisplayClass);
  cmsSetColorSpace (profile, cmsSigRgbData);
  cmsSetPCS (profile, cmsSigLabData);
  cmsMLUsetASCII (text, "en", "US", "Sumi test table");
  cmsWriteTag (profile, cmsSigProfileDescriptionTag, text);
  cmsWriteTag (profile, cmsSigCopyrightTag, text);
  cmsWriteTag (profile, cmsSigMediaWhitePointTag, cmsD50_XYZ ());
  write_table (profile, cmsSigAToB0Tag, there);
  write_table (profile, cmsSigBToA0Tag, back);
  cmsSaveProfileToMem (profile, NULL, &size);
  bytes = g_malloc (size);
  cmsSaveProfileToMem (profile, bytes, &size);
  *length = size;

  cmsMLUfree (text);
  cmsDeleteTransform (there);
  cmsDeleteTransform (back);
  cmsCloseProfile (adobe);
  cmsCloseProfile (lab);
  cmsCloseProfile (profile);
  return bytes;
}

#else

guint8 *
lut_profile_new (gsize *length)
{
  return NULL;
}

#endif
