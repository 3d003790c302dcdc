/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ops' parameter structs, shared by an op and its kernels. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef struct
{
  int stride;       /* ≥ 1 */
  int pad;          /* ≥ 0, zeros on each side */
  gboolean enlarge; /* the input is doubled first, each pixel taken four times */
} SumiConv2dParams;

typedef struct
{
  gboolean enlarge; /* the first input is doubled first, each pixel taken four times */
} SumiConcatParams;

typedef struct
{
  double alpha, beta, gamma;
} SumiLincombParams;

typedef struct
{
  int groups; /* ≥ 1, divides C */
  double epsilon;
  gboolean silu;
} SumiGroupNormParams;

typedef struct
{
  double epsilon;
} SumiLayerNormParams;

typedef struct
{
  int heads;    /* ≥ 1, divides D */
  double scale; /* of the scores; 0: 1/√(D/heads) */
} SumiAttentionParams;

/* ε of the root mean square (models/restore.md, "F"). */
#define SUMI_RMS_EPSILON 1e-6

G_END_DECLS
