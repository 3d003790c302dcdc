/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The residual block of the restore network (models/restore.md, "F"):
 * h = c1(silu(rms(x)));  y = c2(silu(rms(h)·(1 + a) + c));  result = skip + y. */
#pragma once

#include "core/nn/param.h"

G_BEGIN_DECLS

typedef struct
{
  SumiTensor *n1_g;        /* [Ci] */
  SumiTensor *c1_w, *c1_b; /* [Co, Ci, 3, 3], [Co] */
  SumiTensor *e_w, *e_b;   /* [2·Co, T], [2·Co]: scale and shift from the conditioning */
  SumiTensor *n2_g;        /* [Co] */
  SumiTensor *c2_w, *c2_b; /* [Co, Co, 3, 3], [Co] */
  SumiTensor *k_w, *k_b;   /* [Co, Ci, 1, 1], [Co]; NULL when Ci = Co */
} SumiResblock;

/* Reads the block "@prefix" of @ci to @co channels with a conditioning of @dt numbers. */
gboolean
sumi_resblock_load (SumiResblock *self, SumiLoader *loader, const char *prefix, int ci, int co, int dt, GError **error);

/* @x: [N, H, W, Ci], used up: its memory is overwritten; @t: [N, T], already through silu; @out: (nullable):
 * [N, H, W, Co], used when Ci ≠ Co only.
 * Returns: (transfer none): [N, H, W, Co]: @x itself when Ci = Co, else @out, or in scratch without it. */
SumiTensor *
sumi_resblock_forward (const SumiResblock *self, SumiEval *ev, SumiTensor *x, const SumiTensor *t, SumiTensor *out);

G_END_DECLS
