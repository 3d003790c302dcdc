/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/error.h"

GQuark
sumi_error_quark (void)
{
  return g_quark_from_static_string ("sumi-error-quark");
}
