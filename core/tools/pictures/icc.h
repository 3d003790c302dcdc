/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ICC profiles through lcms2; see SumiPictures. */
#pragma once

#include "core/tools/pictures/module.h"

G_BEGIN_DECLS

SumiIcc *sumi_icc_new (gconstpointer profile, gsize size, int colours, gboolean *is_srgb, GError **error);
void sumi_icc_free (SumiIcc *icc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiIcc, sumi_icc_free)
void sumi_icc_decode (const SumiIcc *icc, const float *native, float *rgb, int n);
void sumi_icc_encode (const SumiIcc *icc, const float *rgb, float *native, int n);

G_END_DECLS
