/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sinusoidal embedding of conditioning numbers. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* @values: [@n]; @omega: [F] angular frequencies. Writes into @out [1, n·2F]: for each v, sin(v·ω_k) for all k, then
 * cos(v·ω_k). Vaswani et al. 2017, section 3.5, in the order of models/restore.md. */
void sumi_embed_sinusoid (const double *values, int n, const SumiTensor *omega, SumiTensor *out);

G_END_DECLS
