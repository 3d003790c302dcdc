/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IEEE 754 binary16 and bfloat16 to and from binary32, in bulk. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

void sumi_half_to_float (const guint16 *in, float *out, gsize n);
void sumi_bfloat_to_float (const guint16 *in, float *out, gsize n);
/* Round to nearest even; NaN stays NaN, overflow becomes infinity. */
void sumi_float_to_half (const float *in, guint16 *out, gsize n);
void sumi_float_to_bfloat (const float *in, guint16 *out, gsize n);

G_END_DECLS
