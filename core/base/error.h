/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors of the core: one domain, few codes. A message says what, where, expected, got, and what the
 * user can do. Cancelling is %G_IO_ERROR_CANCELLED. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

#define SUMI_ERROR (sumi_error_quark ())

typedef enum
{
  SUMI_ERROR_FORMAT,      /* a file is damaged or is not what it says */
  SUMI_ERROR_UNSUPPORTED, /* valid, but nobody here handles it */
  SUMI_ERROR_SHAPE,       /* tensors or pictures of the wrong size */
  SUMI_ERROR_OPTION,      /* an option's name or value is wrong: wrong use, exit status 2 of the command */
  SUMI_ERROR_INPUT,       /* the picture, mask or selection cannot be used for this (nothing selected ...) */
  SUMI_ERROR_DEVICE,      /* a backend failed */
  SUMI_ERROR_NUMBER,      /* a computation gave NaN or infinity */
  SUMI_ERROR_MEMORY,      /* says needed and allowed */
} SumiErrorCode;

GQuark sumi_error_quark (void);

G_END_DECLS
