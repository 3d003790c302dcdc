/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IEEE 754 binary16, bfloat16 and 8-bit floats to and from binary32, in bulk. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

void sumi_half_to_float (const guint16 *in, float *out, gsize n);
void sumi_bfloat_to_float (const guint16 *in, float *out, gsize n);
/* The 8-bit floats of Micikevicius et al. 2022, "FP8 Formats for Deep Learning", table 1: E4M3 has no infinity and one
 * NaN of either sign; E5M2 is the upper half of binary16. */
void sumi_e4m3_to_float (const guint8 *in, float *out, gsize n);
void sumi_e5m2_to_float (const guint8 *in, float *out, gsize n);
/* Round to nearest even; NaN stays NaN, overflow becomes infinity. */
void sumi_float_to_half (const float *in, guint16 *out, gsize n);
void sumi_float_to_bfloat (const float *in, guint16 *out, gsize n);

G_END_DECLS
