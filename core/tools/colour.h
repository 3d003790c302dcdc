/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the numbers of a picture file and the core's colours (sRGB-encoded, unbounded float). */
#pragma once

#include "core/sumi.h"

G_BEGIN_DECLS

typedef struct SumiColour SumiColour;

typedef enum
{
  SUMI_COLOUR_SRGB,   /* the file's numbers are sRGB (or grey with sRGB's curve) */
  SUMI_COLOUR_LINEAR, /* linear light, sRGB's primaries: float files without a profile */
  SUMI_COLOUR_ICC,    /* through the file's own profile */
} SumiColourKind;

/* @bands: colour bands of the file: 1 or 3 */
SumiColour *sumi_colour_new (SumiColourKind kind, int bands);

/* For a profile of @bands (1 or 3) colours; one that means sRGB becomes %SUMI_COLOUR_SRGB.
 * Fails with %SUMI_ERROR_UNSUPPORTED when it is damaged, of another colour space, or for output only in one way. */
SumiColour *sumi_colour_new_icc (gconstpointer profile, gsize size, int bands, GError **error);
SumiColour *sumi_colour_ref (SumiColour *colour);
void sumi_colour_unref (SumiColour *colour);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiColour, sumi_colour_unref)

SumiColourKind sumi_colour_get_kind (const SumiColour *colour);

/* @native: [n, bands], nominally [0, 1]; @rgb: [n, 3], the core's; grey files give R = G = B exactly. */
void sumi_colour_decode (const SumiColour *colour, const float *native, float *rgb, int n);

/* The other way; a grey file gets the luminance. */
void sumi_colour_encode (const SumiColour *colour, const float *rgb, float *native, int n);

G_END_DECLS
